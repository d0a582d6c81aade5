"""A run of the workflow as the Snakefile sees it: its cohort, and what is done before and after its jobs."""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from daydreaming.base.errors import Fault, InputError
from daydreaming.cli.command_line import configuration_file, write_configuration
from daydreaming.cohort.build import cohort_id_for
from daydreaming.cohort.membership import Membership
from daydreaming.generation.adoption import adopt
from daydreaming.generation.inspection import Inspection, conflict_faults
from daydreaming.generation.runner_messages import RUN_VARIABLE
from daydreaming.generation.study import Study, load_study
from daydreaming.inputs.catalogs import load_catalogs
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.inputs.records import Catalogs
from daydreaming.inputs.settings import Settings
from daydreaming.llm.local_servers import servers_kept
from daydreaming.watch.run_end import end_run
from daydreaming.watch.run_events import run_ended, run_started
from daydreaming.workflow.cohort_graph import CohortGraph

# What the workflow itself keeps in the folder of a run.
FOLDER = Path(".snakemake") / "daydreaming"


@dataclass(frozen=True)
class LoadedCohort:
    """The configured cohort. Before `snakemake membership` it has no generations, and `notice` says what to do."""

    config: Mapping[str, Any]
    settings: Settings
    study: Study
    notice: str = ""


def load_cohort(config: Mapping[str, Any], of_command_line: Mapping[str, Any]) -> LoadedCohort:
    """Read and check everything that a run needs; `of_command_line` is the part of it that `--config` gave.

    Raises InputError with all faults; a missing membership is none.
    """
    if "extra_body" in str(dict(of_command_line)):
        problem = "Snakemake turns the numbers inside an extra_body into texts, which would be other requests."
        raise InputError(Fault("--config", problem, "Write it into a file and give that: --configfile FILE."))
    settings = settings_from_config(config)
    try:
        return LoadedCohort(config, settings, load_study(settings))
    except InputError as error:
        catalogs = load_catalogs(settings)
        cohort_id = cohort_id_for(settings, catalogs)
        table = settings.paths.cohort(cohort_id).membership
        if table.exists():
            raise InputError([*error.faults, *_way_out(table, error)]) from None
        return LoadedCohort(config, settings, _empty(settings, catalogs, cohort_id), str(error))


def _empty(settings: Settings, catalogs: Catalogs, cohort_id: str) -> Study:
    return Study(settings, catalogs, {}, Membership(cohort_id, {}, settings.stage_table))


def _way_out(table: Path, error: InputError) -> list[Fault]:
    """What to do where the rows of a table do not agree with the catalogs any more."""
    if all(fault.file != str(table) for fault in error.faults):
        return []
    how = "`python scripts/build_membership.py` says which rows would come and go; `--force` lets them go."
    return [Fault(str(table), "it can be built anew from the catalogs.", how)]


@dataclass
class WorkflowRun:
    """One run of the workflow in Snakemake's process.

    With the executor plugin, the process that makes the generations watches the run and ends it; elsewhere
    `start_watch` and `end_watch` do.
    """

    cohort: LoadedCohort
    run_id: str = field(default_factory=lambda: os.environ.get(RUN_VARIABLE) or uuid.uuid4().hex[:12])
    _started: float = field(default_factory=time.monotonic, repr=False)
    _watched: CohortGraph | None = field(default=None, repr=False)
    _variable_before: str | None = field(default=None, repr=False)
    _servers: ExitStack = field(default_factory=ExitStack, repr=False)

    @cached_property
    def configuration(self) -> Path:
        """The file by which the jobs of this run get its whole configuration; it is there after `prepare`."""
        return configuration_file(self.cohort.config, FOLDER)

    def prepare(self) -> None:
        """Write what the jobs of a run need: its configuration. Raises OSError."""
        write_configuration(self.cohort.config, FOLDER)

    def begin(self, inspection: Inspection) -> None:
        """Keep what no run made before anything replaces it. Raises InputError for texts that are another row's."""
        if faults := conflict_faults(self.cohort.study, inspection):
            raise InputError(faults)
        adopt(self.cohort.study, inspection)

    def start_watch(self, logger: logging.Logger, graph: CohortGraph) -> None:
        """Start to show the progress of jobs that are processes of their own. Raises InputError."""
        if not (planned := graph.planned):
            return
        graph.begin()
        # Each job is a process: a local server would end with the first of them, and be loaded again for the next.
        self._servers.enter_context(servers_kept(self.cohort.settings))
        self._watched, self._variable_before = graph, os.environ.get(RUN_VARIABLE)
        os.environ[RUN_VARIABLE] = self.run_id
        counts = Counter(stage for stage, _ in planned)
        totals = {stage: counts[stage] for stage in self.cohort.study.membership.stages.names if counts[stage]}
        run_started(logger, self.cohort.study.cohort_files.journal, self.run_id, totals)

    def end_watch(self, logger: logging.Logger, failed: bool = False) -> None:
        """Tell what the run came to; once, and nothing if nothing was watched."""
        if (graph := self._watched) is None:
            return
        self._watched = None
        self._servers.close()
        if self._variable_before is None:
            del os.environ[RUN_VARIABLE]
        seconds = time.monotonic() - self._started
        study, planned = self.cohort.study, list(graph.planned)
        run_ended(logger, end_run(study, self.run_id, planned, wants_scores=True, seconds=seconds, stopped=False))
        if told := graph.end(failed):
            logger.warning(told)

"""A cohort's graph for a run on a cluster: slices of it are jobs there, and files stand for them here."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from daydreaming.cohort.slices import Slice, plan_slices, slices_needed
from daydreaming.generation.runner_messages import RUN_VARIABLE
from daydreaming.generation.specification import Key
from daydreaming.watch.slurm import SliceJob, check_no_job_is_alive, job_name, made_by_run, slices_text
from daydreaming.workflow.cohort_graph import CohortGraph

FOLDER_OF_SLICES = ".snakemake/slices"
LOGS = Path("logs/slurm")
PROFILE_VARIABLE = "DAYDREAMING_SLURM"
JOB_NAME_VARIABLE = "DAYDREAMING_SLURM_JOB"
TARGETS_VARIABLE = "DAYDREAMING_SLICE_TARGETS"


def slice_command(
    project: Path, configuration: Path, wildcards: Any, resources: Any, marker: str, *, sends: bool
) -> str:
    """What makes a slice, for a shell: an ordinary Snakemake, and then there is its marker.

    `wildcards` name the slice: `run`, `number` and `count_of_slices`. `sends`: the command sends that as a job with the
    `resources`, and waits for its end; else the executor does.
    """
    number, calls = f"{wildcards.number}/{wildcards.count_of_slices}", resources.calls
    words = [sys.executable, "-m", "snakemake", "--snakefile", project / "Snakefile", "--directory", "."]
    words += ["--workflow-profile", project / "profiles/default", "--configfile", configuration]
    words += ["--config", f"slice={number}", "--nolock", f"-j{calls}", "--"]
    command = (
        f"echo Slice {number} on $(hostname), {calls} calls in flight"
        f" && {RUN_VARIABLE}={wildcards.run} {shlex.join(map(str, words))} ${TARGETS_VARIABLE}"
        f" && touch {shlex.quote(marker)}"
    )
    if not sends:
        return command
    asked = (marker, resources.cpus_per_task, resources.mem_mb, resources.runtime, resources.slurm_partition)
    options = shlex.join(map(str, (*asked, resources.slurm_extra, "bash", "-euo", "pipefail", "-c", command)))
    return f'"${PROFILE_VARIABLE}"/send.sh {options}'


@dataclass
class SliceGraph(CohortGraph):
    """The graph of one run whose generations that are open are cut into slices, each made by one job.

    A slice is made for all targets that the run needs, so that no two jobs make the same draft. `names` are the targets
    of the command, by which the slices have their size; which of them are needed shows as Snakemake asks.
    """

    run_id: str = ""
    names: Collection[str] = ()
    _needed: dict[str, None] = field(default_factory=dict, repr=False)

    FORCED: ClassVar[str] = (
        "-F, -f, -R, --until, --omit-from and --batch do not reach the slices of a cluster. To make generations again, "
        "delete their parsed.txt (stored replies are read again), or run without --profile profiles/slurm."
    )

    @staticmethod
    def set_variables(project: Path) -> None:
        """Set the environment variables that the commands of the profile need, wherever the run was started."""
        os.environ[PROFILE_VARIABLE] = str(project / "profiles/slurm")
        os.environ["DAYDREAMING_PYTHON"] = sys.executable
        os.environ[JOB_NAME_VARIABLE] = job_name(Path.cwd())

    @property
    def planned(self) -> list[Key]:
        """The generations that this run makes: those of all targets that it needs."""
        return [key for keys in self._planned().values() for key in keys]

    def texts(self, *stages: str) -> list[str]:
        """What stands for the texts of the stages' generations: the markers of their slices, if there are any."""
        wanted = self._targets(stages)
        membership, *_ = (self._made_slices(target)[0] for target in wanted)
        return [membership, *(marker for target in wanted for marker in self._made_slices(target)[1:])]

    def _targets(self, stages: Collection[str]) -> list[str]:
        """The targets that together make these stages: one for each that no other one of them is made from."""
        table = self.study.membership.stages
        needed = {name for stage in stages for name in table.chain(stage)[:-1]}
        return [stage.target for stage in table if stage.name in stages and stage.name not in needed]

    def evaluations_to_score(self) -> list[str]:
        """What has to be there before the scores are made."""
        scoring = [stage.name for stage in self.study.membership.stages.scoring]
        markers = self.texts(*scoring)[1:] if scoring else []
        return markers or super().evaluations_to_score()

    def comparisons_to_gather(self) -> list[str]:
        """What has to be there before the table of verdicts is made."""
        comparing = [stage.name for stage in self.study.membership.stages.comparing]
        markers = self.texts(*comparing)[1:] if comparing else []
        return markers or super().comparisons_to_gather()

    @cached_property
    def slices(self) -> Mapping[Slice, list[Key]]:
        """All slices that have work, each with its open generations, also those that no target of the run needs."""
        membership = self.study.membership
        open_keys = [key for key in membership.generations if self.is_shown(key)]
        stages = self._stages_of(self._targets(self._stages_to_size_by()))
        counting = sum(key[0] in stages for key in open_keys)
        count = slices_needed(counting or len(open_keys), self.study.settings.generations_per_slice)
        return plan_slices(membership, open_keys, count)

    def _stages_to_size_by(self) -> list[str]:
        """The stages that the command names; all that judge where it names results, or nothing."""
        table = self.study.membership.stages
        if self.names and set(self.names) <= {stage.target for stage in table}:
            return [table.of_target(name) for name in self.names]
        if set(self.names) == {"scores"}:
            return [stage.name for stage in table.scoring]
        return list(table.names)

    def _stages_of(self, targets: Collection[str]) -> set[str]:
        """The stages that make targets, and those before them."""
        table = self.study.membership.stages
        return {stage for target in targets for stage in table.chain(table.of_target(target))}

    def _planned(self) -> dict[Slice, list[Key]]:
        """The slices that the run makes, each with what it makes in it."""
        stages = self._stages_of(self._needed)
        planned = {one: [key for key in keys if key[0] in stages] for one, keys in self.slices.items()}
        return {one: keys for one, keys in planned.items() if keys}

    def _slices_with(self, target: str) -> list[Slice]:
        stages = self._stages_of([target])
        return [one for one, keys in self.slices.items() if any(key[0] in stages for key in keys)]

    def _made_slices(self, target: str) -> list[str]:
        """The membership, and the marker that all slices of a target were made; none where nothing is open."""
        self._needed[target] = None
        marker = [f"{FOLDER_OF_SLICES}/{self.run_id}-{target}.done"] if self._slices_with(target) else []
        return [str(self.study.cohort_files.membership), *marker]

    def files(self, target: str) -> list[str]:
        """The markers of the slices that have work for a target."""
        self._needed[target] = None
        return [self._file(one, ".done") for one in self._slices_with(target)]

    def work(self, number: str) -> str:
        """What a slice makes, in words; its own job on the cluster has no need to look for it again."""
        if self.is_of_job:
            return ""
        keys = next((keys for one, keys in self._planned().items() if one.number == int(number)), [])
        counts = [(stage, sum(key[0] == stage for key in keys)) for stage in self.study.membership.stages.names]
        return ", ".join(f"{count:,} open {stage}s" for stage, count in counts if count)

    @property
    def targets(self) -> list[str]:
        """The targets that a slice is made for: those needed that no other one of them is made on the way to."""
        table = self.study.membership.stages
        return self._targets([table.of_target(target) for target in self._needed])

    def begin(self) -> None:
        """Tell the jobs what to make. Raises InputError while jobs of an earlier run work on this folder."""
        check_no_job_is_alive(os.environ[JOB_NAME_VARIABLE])
        os.environ[TARGETS_VARIABLE] = " ".join(self.targets)

    def end(self, failed: bool) -> str:
        """Remove what only this run needs. Returns what became of each slice, if one failed. Raises OSError."""
        told = self._report() if failed else ""
        for marker in Path(FOLDER_OF_SLICES).glob(f"{self.run_id}-*"):
            marker.unlink()
        return told

    def _report(self) -> str:
        made = made_by_run(self.study.cohort_files.journal, self.run_id)
        planned = self._planned()
        return slices_text(planned, {one: self._job(one) for one in planned}, made) if planned else ""

    def _file(self, slice_: Slice, suffix: str) -> str:
        """A file of one slice of this run. No other run has the same: what an earlier one left hides no work."""
        return f"{FOLDER_OF_SLICES}/{self.run_id}-{slice_.number}-of-{slice_.count}{suffix}"

    def _job(self, slice_: Slice) -> SliceJob:
        """The Slurm job that made a slice, as submit.sh has left its id."""
        id_file = Path(self._file(slice_, ".job"))
        job_id = id_file.read_text().strip() if id_file.exists() else ""
        state = [f"{os.environ[PROFILE_VARIABLE]}/state.sh", job_id]
        said = subprocess.run(state, capture_output=True, text=True).stdout.strip() if job_id else ""
        return SliceJob(job_id, said, LOGS / f"{job_id}.log")

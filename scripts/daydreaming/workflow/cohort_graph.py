"""What Snakemake's graph is made of: the generations that a run has to look at, and the files that each is made from.

What is current, by its own record and content, is left out of the graph: neither times nor Snakemake's memory are asked
about it. What is not current has to be made again, whatever they say: it gets one input more, a file that is always
newer than it. So the graph holds what a run makes, and `-n` lists the same as `plan`.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.file_times import bring_back_from_the_future
from daydreaming.generation.inspection import Inspection, inspect_cohort
from daydreaming.generation.specification import CallSpecification, Key
from daydreaming.generation.study import Study
from daydreaming.inputs.stages import Stage
from daydreaming.results import pivots
from daydreaming.results.made_results import Result
from daydreaming.results.outdated_results import ResultsCheck, result_files
from daydreaming.results.statistics import table_names
from daydreaming.results.verdicts.preference_tables import table_files

# The names are what Snakemake shows as the reason: `Updated input files: ...`.
RENEWED = "made-from-something-else-than-what-is-asked-now"
WAITING = "waiting-for-you"

# The tables that rules name one by one.
PIVOTS, STATISTICS = pivots.TABLES, table_names.TABLES
PREFERENCES = tuple(path.stem for path in table_files(Path()))


@dataclass
class CohortGraph:
    """The graph of one cohort, looked up by stage and gen_id.

    `shows_all`: Snakemake asks about what is current, too. `is_of_job`: the process of one job, which makes what it was
    told to make, and looks at nothing else. `tell` takes what the user should know.
    """

    study: Study
    shows_all: bool = False
    is_of_job: bool = False
    tell: Callable[[str], None] = print
    _asked: dict[Key, None] = field(default_factory=dict, repr=False)  # in the order in which Snakemake asks
    _renewing: tempfile.TemporaryDirectory[str] | None = field(default=None, repr=False)

    @cached_property
    def inspection(self) -> Inspection:
        """What a look at the cohort's texts found when the run began. Writes nothing."""
        return inspect_cohort(self.study)

    def is_open(self, key: Key) -> bool:
        """Whether a run has to look at a generation."""
        return key in self.inspection.open

    def is_shown(self, key: Key) -> bool:
        """Whether a generation is in the graph."""
        return self.shows_all or self.is_of_job or self.is_open(key)

    def texts(self, *stages: str) -> list[str]:
        """What brings the stages' generations into the graph: the texts that no other one of them is made from.

        What these are made from comes with them: whose parent is to be made is to be made as well. The table that names
        them all stands there so that there is an input where nothing is open: Snakemake always runs a target that has
        none.
        """
        shown = [key for key in self.study.membership.generations if key[0] in stages and self.is_shown(key)]
        sources = {source for key in shown for source in self.study.specification(*key).sources}
        last = (self.study.paths.parsed_text(*key) for key in shown if key not in sources)
        return [str(self.study.cohort_files.membership), *last]

    @property
    def planned(self) -> list[Key]:
        """The generations that Snakemake has asked about, to make them."""
        return list(self._asked)

    def begin(self) -> None:
        """Check what has to hold before the first job. Raises InputError."""

    def end(self, failed: bool) -> str:
        """Remove what only this run needs. Returns what there is to tell of it."""
        return ""

    def made_from(self, stage: str, gen_id: str) -> tuple[list[str], list[str]]:
        """The texts whose time counts for a generation, and the others that it is made from.

        The first are its parents', as far as they are in the graph; and a file that is newer than its own text, if that
        is there and not what is asked now. The others are those of its template, what that includes, and its concepts.

        Snakemake asks for them once for each generation that it has in its graph: see `planned`.
        """
        self._asked[stage, gen_id] = None
        specification = self.study.specification(stage, gen_id)
        parents = [self.study.paths.parsed_text(*source) for source in specification.sources if self.is_shown(source)]
        template = self.study.texts_of(specification.template)
        concepts = specification.concepts if isinstance(specification, CallSpecification) else ()
        return [*parents, *self._renewed(stage, gen_id)], [*template, *(str(text.path) for text in concepts)]

    def _renewed(self, stage: str, gen_id: str) -> list[str]:
        text = self.study.paths.parsed_text(stage, gen_id)
        if self.is_of_job or not self.is_open((stage, gen_id)) or not os.path.lexists(text):
            return []
        return [self._newer_than(text, name=WAITING if self.inspection.finding((stage, gen_id)).waits else RENEWED)]

    def renewed_results(self, result: str) -> list[str]:
        """A file that is newer than a result, if that is there and is not what the texts say now."""
        outdated = () if self.is_of_job else self._results.outdated(Result(result))
        return [self._newer_than(*outdated)] if outdated else []

    @cached_property
    def _results(self) -> ResultsCheck:
        return ResultsCheck(self.study, self.inspection)

    def bring_times_back(self) -> None:
        """Give texts from the future a time of now: a run that makes something starts so."""
        now = time.time_ns()
        future = [key for key in self.study.membership.generations if self.inspection.changed_at_ns(key) > now]
        reports = self.study.cohort_files.reports
        bring_back_from_the_future([*(self.study.paths.parsed_text(*key) for key in future), *reports.glob("*.*")])

    def _newer_than(self, *paths: str | Path, name: str = RENEWED) -> str:
        """A file that is newer than others, and in the future only where one of them is."""
        if self._renewing is None:
            # Outside of the project, for a dry run writes nothing there; it goes with this object.
            self._renewing = tempfile.TemporaryDirectory(prefix="daydreaming-")
            for reason in (RENEWED, WAITING):
                Path(self._renewing.name, reason).touch()
        renewed = Path(self._renewing.name, name)
        newest = max(os.lstat(path).st_mtime_ns for path in paths)
        if newest >= renewed.stat().st_mtime_ns:
            os.utime(renewed, ns=(newest + 1_000, newest + 1_000))
        return str(renewed)

    def evaluations_to_score(self) -> list[str]:
        """The evaluations that Snakemake has to look at before the scores are made."""
        return self._texts_behind_table(self.study.membership.stages.scoring, self.study.cohort_files.scores)

    def comparisons_to_gather(self) -> list[str]:
        """The comparisons that Snakemake has to look at before the table of verdicts is made."""
        return self._texts_behind_table(self.study.membership.stages.comparing, self.study.cohort_files.preferences)

    def preference_table(self) -> list[str]:
        """The table of verdicts, where texts are compared."""
        stages = self.study.membership.stages.comparing
        compares = any(self.study.membership.stage(stage.name) for stage in stages)
        return [str(self.study.cohort_files.preferences)] if compares else []

    def _texts_behind_table(self, stages: Iterable[Stage], table: Path) -> list[str]:
        """The texts of stages that are in the graph, or newer than a table that is made from them."""
        names, made_at = {stage.name for stage in stages}, table.stat().st_mtime_ns if table.exists() else 0
        changed = [
            key
            for key in self.study.membership.generations
            if key[0] in names and (self.is_shown(key) or self.inspection.changed_at_ns(key) > made_at > 0)
        ]
        return [self.study.paths.parsed_text(*key) for key in changed]

    def score_files(self) -> list[str]:
        """The tables of scores of the cohort, and the texts that a run has to look at.

        Not the tables alone: Snakemake does not make what is missing where what was made from it is still there.
        """
        if self.study.settings.slice is not None:
            problem, cure = "scores are of the whole cohort.", "With `slice`, ask for drafts, essays or evaluations."
            raise InputError(Fault("config.yaml", problem, cure, key="slice"))
        stages = self.study.membership.stages
        # A study without rubrics has a table of scores without a row: the report says so.
        tables = [Result.SCORES, *([Result.PIVOTS] if stages.scoring else [])]
        tables += [Result.PREFERENCES] if self.preference_table() else []
        return [*self.texts(*stages.names), *self._files(*tables)]

    def result_files(self) -> list[str]:
        """The tables of scores and statistics of the cohort, its report and charts, the list of pages to read in."""
        return [*self.score_files(), *self._files(Result.STATISTICS, Result.REPORT, Result.PAGES)]

    def all_files(self) -> list[str]:
        """What is made where nothing else is asked for. Tells of an export or a bundle that is left behind by it."""
        if not self.is_of_job:
            for told in self._left_behind:
                self.tell(told)
            self._left_behind.clear()
        return self.result_files()

    @cached_property
    def _left_behind(self) -> list[str]:
        """What is there of the results that are made when they are asked for, and is not of what the texts say."""
        told, makes = [], any(not self.inspection.finding(key).waits for key in self.inspection.open)
        for result in (Result.EXPORT, Result.BUNDLE):
            there = [path for path in result_files(self.study.cohort_files, result) if path.exists()]
            if there and (makes or self._results.outdated(result)):
                what = "may not be of the texts that this run makes" if makes else "is not of the texts of now"
                told.append(f"The {result} {there[0]} {what}. To make it again: `snakemake {result}`.")
        return told

    def exported_files(self) -> list[str]:
        """The files that hold the cohort for other programs; they are made when its scores are there."""
        return [*self.score_files(), *self._files(Result.EXPORT)]

    def bundled_files(self) -> list[str]:
        """The cohort in one file, which holds all of its results."""
        return [*self.result_files(), *self._files(Result.BUNDLE)]

    def _files(self, *results: Result) -> list[str]:
        return [str(path) for result in results for path in result_files(self.study.cohort_files, result)]

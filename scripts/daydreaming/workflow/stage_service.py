"""Makes generations as run_stage.py does, many at a time, for a process that sends its arguments again and again."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from daydreaming.base.errors import Fault, InputError
from daydreaming.cli.command_line import load_project
from daydreaming.generation.currency import State
from daydreaming.generation.inspection import inspect_cohort
from daydreaming.generation.runner import Runner
from daydreaming.generation.runner_messages import RunEnd, RunOptions
from daydreaming.generation.study import Study, load_study
from daydreaming.watch.run_end import end_run

GEN_ID = "--gen-id="


@dataclass(frozen=True, slots=True)
class _Project:
    """A study as it was when its first generation was asked for, and the one runner of all its generations."""

    study: Study
    runner: Runner


class StageService:
    """Makes generations: each project folder and configuration is loaded once, and has one runner."""

    def __init__(self, options: RunOptions, parse: Callable[[Sequence[str]], argparse.Namespace]):
        self._options = options
        self._parse = parse
        self._read: dict[tuple[str, ...], tuple[argparse.Namespace, _Project]] = {}
        self._projects: dict[tuple[str, ...], _Project] = {}
        self._folder: Path | None = None
        self._stopped = False

    async def make(self, arguments: tuple[str, ...]) -> None:
        """Make the generation that these arguments of run_stage.py ask for; raises as Runner.make and load_study do."""
        # Thousands of generations differ in their last word alone.
        is_named_last = bool(arguments) and arguments[-1].startswith(GEN_ID)
        asked, project = self._asked(arguments[:-1] if is_named_last else arguments)
        gen_id = arguments[-1].removeprefix(GEN_ID) if is_named_last else asked.gen_id
        if asked.stage is None or gen_id is None:
            raise InputError(Fault("run_stage.py", "--stage and --gen-id are needed.", "Name one generation."))
        specification = project.study.specification(asked.stage, gen_id)
        await project.runner.make(specification, render_only=asked.render_only, overwrite=asked.overwrite)

    def journal_of(self, arguments: tuple[str, ...]) -> str:
        """The journal of the cohort that these arguments name."""
        _, project = self._asked(arguments)
        return str(project.study.cohort_files.journal.absolute())

    def end(self, run: RunEnd) -> str:
        """Tell what the run came to, when nothing is being made any more."""
        return "\n\n".join(filter(None, (self._end_of(project.study, run) for project in self._projects.values())))

    def _end_of(self, study: Study, run: RunEnd) -> str:
        return end_run(
            study,
            self._options.run_id,
            run.planned,
            wants_scores=run.wants_scores,
            seconds=run.seconds,
            stopped=self._stopped,
            adopted=_adopted(study),
        )

    def stop_calling(self) -> None:
        """Start no call any more."""
        self._stopped = True
        for project in self._projects.values():
            project.runner.stop_calling()

    async def finish(self) -> None:
        """Close the runners."""
        for project in self._projects.values():
            await project.runner.finish()

    def _asked(self, arguments: tuple[str, ...]) -> tuple[argparse.Namespace, _Project]:
        if arguments not in self._read:
            asked = self._arguments(arguments)
            self._read[arguments] = asked, self._project(asked)
        return self._read[arguments]

    def _arguments(self, arguments: tuple[str, ...]) -> argparse.Namespace:
        try:
            return self._parse(arguments)
        except SystemExit:  # what is wrong, argparse has said on standard error
            problem = f"{shlex.join(arguments)!r} are no arguments of it."
            raise InputError(Fault("run_stage.py", problem, "See run_stage.py --help.")) from None

    def _project(self, asked: argparse.Namespace) -> _Project:
        # All paths of a study are relative to the one working folder that a process has.
        folder = asked.directory.resolve()
        if folder != self._folder and self._folder is not None:
            raise InputError(Fault(str(folder), f"this process serves {self._folder}.", "Start another one."))
        config = [*asked.config, "offline=true"] if asked.offline else asked.config
        key = (str(asked.configuration), *map(str, asked.configfile), *config)
        if key not in self._projects:
            asked.config = config
            study = load_study(load_project(asked))
            self._folder = folder
            runner = Runner(study.settings, self._options.run_id, self._options.calls_in_flight)
            runner.import_packages()
            self._projects[key] = _Project(study, runner)
            if self._stopped:
                runner.stop_calling()
        return self._projects[key]


def _adopted(study: Study) -> int:
    """How many generations are used that no run made. Only where some were adopted is the cohort looked at again."""
    if not (study.paths.replies / "adopted").is_dir():
        return 0
    return inspect_cohort(study).counts()[State.ADOPTED]

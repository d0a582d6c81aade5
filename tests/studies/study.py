"""`Study`: a project folder on which the workflow is run for real, as a process of its own, and what came of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from daydreaming.base.paths import DataPaths, GenerationFiles
from daydreaming.cohort.membership import read_generations
from daydreaming.cohort.writer import build_cohort
from daydreaming.inputs.configuration import merge, settings_from_config
from daydreaming.inputs.records import Generation
from daydreaming.ledger.journal import read_events
from forked_programs import run_forked
from provider import Call, Provider
from studies.inputs import Choice, default_config, template_file, write, write_config, write_inputs

PROJECT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
TIMEOUT_S = 180
TARGETS = {
    "all",
    "membership",
    "plan",
    "cancel-batches",
    "drafts",
    "essays",
    "evaluations",
    "critiques",
    "comparisons",
    "scores",
    "report",
    "export",
    "bundle",
    "design",
    "select",
}
# What a developer has set for other runs must not reach those of the tests.
FOREIGN_VARIABLES = ("DAYDREAMING_RUN", "SNAKEMAKE_PROFILE", "OPENROUTER_API_KEY")


@dataclass(frozen=True)
class Run:
    """One run of a command: its exit code, all that it printed, the calls it made, and the generations it tried.

    `outcomes` counts the journal's results, as in `{"draft thread: made": 1, "evaluation novelty: parse": 1}`.
    """

    code: int
    output: str
    calls: tuple[Call, ...]
    outcomes: Mapping[str, int]

    @property
    def asked(self) -> dict[str, int]:
        """How many calls were made for each template, as in `{"draft thread": 2}`."""
        return dict(Counter(call.prompt.partition("\n")[0] for call in self.calls))

    @property
    def did_nothing(self) -> bool:
        """Whether Snakemake found nothing to do, and indeed nothing was done."""
        return "Nothing to be done" in self.output and not self.calls and not self.outcomes


class Study:
    """A project folder and the provider that its default endpoint calls."""

    def __init__(self, folder: Path, provider: Provider, data: Path | None = None):
        self.folder = folder
        self.provider = provider
        self.paths = DataPaths(data or folder / "data")

    @classmethod
    def create(cls, folder: Path, provider: Provider, choice: Choice | None = None, data: Path | None = None) -> Study:
        """Write the inputs of a study to a folder. `data`: the data root, where it is not `data` in the folder."""
        choice, study = choice or Choice(), cls(folder, provider, data)
        config = default_config(provider.base_url) | ({"data_root": str(data)} if data else {})
        write_inputs(study.data, choice)
        write_config(folder, merge(config, choice.config))
        return study

    def copy(self, folder: Path) -> Study:
        """Return a study of the same state, times included, that can be changed alone; its data must be inside it."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Study(folder, self.provider)

    @property
    def data(self) -> Path:
        """The data root."""
        return self.paths.root

    # What a person does to a study ------------------------------------------------------------------------------------

    def configure(self, **changes: Any) -> None:
        """Lay changes over config.yaml, key by key."""
        write_config(self.folder, merge(self.config(), changes))

    def config(self) -> dict[str, Any]:
        """Return what config.yaml says."""
        return yaml.safe_load((self.folder / "config.yaml").read_text(encoding="utf-8"))

    def edit(self, path: Path | str, old: str, new: str) -> None:
        """Replace a text, which must be there, wherever it occurs in a file below the data root."""
        file = self.data / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}:\n{text}"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def write(self, path: Path | str, text: str) -> Path:
        """Write a file below the data root."""
        write(self.data / path, text)
        return self.data / path

    def template(self, stage: str, template_id: str) -> Path:
        """Return the file of a template's text."""
        return template_file(self.data, stage, template_id)

    def build(self, *, force: bool = False) -> str:
        """Build the cohort in this process, which is quicker than `snakemake membership`; returns what that prints."""
        with contextlib.chdir(self.folder):
            return build_cohort(settings_from_config(self.config()), force=force)

    # Running ----------------------------------------------------------------------------------------------------------

    def run(self, *arguments: str, code: int = 0, **how: Any) -> Run:
        """Run `snakemake` on the folder; AssertionError, with its output, if the exit code is not `code`.

        Without a target it stops at the scores: statistics, report and pages would take most of the time of most tests.
        """
        options = ("-s", str(PROJECT / "Snakefile"), "-d", ".")
        return self._forked(BIN / "snakemake", *options, *with_target(arguments), code=code, **how)

    def snakemake(self, *arguments: str, code: int = 0, **how: Any) -> Run:
        """Run `snakemake` on the workflow that lies in the folder, with these arguments alone; raises as `run` does."""
        return self._forked(BIN / "snakemake", *arguments, code=code, **how)

    def script(self, name: str, *arguments: str, code: int = 0, **how: Any) -> Run:
        """Run a program of scripts/ on the folder; raises as `run` does."""
        return self._forked(PROJECT / "scripts" / name, "--directory", ".", *arguments, code=code, **how)

    def command(self, program: str, *arguments: str, code: int = 0, **how: Any) -> Run:
        """Start any program of the environment, with the interpreter that it names; raises as `run` does.

        `run` and `script` save the seconds that imports take: see `forked_programs`.
        """
        return self._told(_start, BIN / program, arguments, code, **how)

    def _forked(self, program: Path, *arguments: str, code: int, **how: Any) -> Run:
        return self._told(run_forked, program, arguments, code, **how)

    def _told(
        self,
        start: Callable[..., tuple[int, str]],
        program: Path,
        arguments: Sequence[str],
        code: int,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Run:
        """Run a program in the folder, or in `cwd`, with `env` added to the variables; returns what came of it."""
        heard, written = self._last_call(), len(self.events())
        variables = {**environment(), **(env or {})}
        ended, output = start(program, arguments, cwd or self.folder, variables, TIMEOUT_S)
        assert ended == code, f"{program.name} {' '.join(arguments)} ended with {ended}:\n{output}"
        calls = tuple(call for call in self.provider.ledger() if call.sequence > heard)
        return Run(ended, output, calls, _outcomes(self.events()[written:]))

    def _last_call(self) -> int:
        return max((call.sequence for call in self.provider.ledger()), default=0)

    # What came of it --------------------------------------------------------------------------------------------------

    def rows(self, stage: str, template_id: str | None = None, cohort: str | None = None) -> list[Generation]:
        """Return the rows of the membership that have this stage and template."""
        table = self.paths.cohort(cohort or self.config()["cohort"]).membership
        rows = read_generations(table)
        return [row for row in rows if row.stage == stage and template_id in (None, row.template_id)]

    def row(self, stage: str, template_id: str | None = None) -> Generation:
        """Return the only row that has this stage and template."""
        (row,) = self.rows(stage, template_id)
        return row

    def files(self, row: Generation) -> GenerationFiles:
        """Return the files of a generation."""
        return self.paths.generation(row.stage, row.gen_id)

    def metadata(self, row: Generation) -> dict[str, Any]:
        """Return what metadata.json says of a generation."""
        return json.loads(self.files(row).metadata.read_text(encoding="utf-8"))

    def parsed_texts(self) -> dict[str, str]:
        """Return all results, by their path below the data root."""
        files = sorted(self.paths.gens.glob("*/*/parsed.txt"))
        return {str(file.relative_to(self.data)): file.read_text(encoding="utf-8") for file in files}

    def events(self) -> list[dict[str, Any]]:
        """Return the events of all cohorts' journals; those of one journal in their order."""
        journals = self.paths.cohorts.glob("*/journal.jsonl")
        return sorted((event for file in journals for event in read_events(file)), key=lambda event: event["time"])

    def snapshot(self, folder: Path | None = None) -> dict[str, str]:
        """Return the digest and time of each file below the data root, or below `folder`; folders are in it too."""
        root = folder or self.data
        return {str(path.relative_to(root)): _state(path) for path in sorted(root.rglob("*"))}


def with_target(arguments: Sequence[str]) -> tuple[str, ...]:
    """Arguments of `snakemake` with a target: the scores, where they name none."""
    is_named = any(argument in TARGETS or ("/" in argument and "=" not in argument) for argument in arguments)
    return tuple(arguments) if is_named else ("scores", *arguments)


def environment() -> dict[str, str]:
    """Return the variables for a command: the environment's programs first, nothing of a developer's own runs."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN_VARIABLES}
    return {**kept, "PATH": f"{BIN}{os.pathsep}{kept['PATH']}", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def _start(
    program: Path, arguments: Sequence[str], folder: Path, variables: Mapping[str, str], timeout_s: float
) -> tuple[int, str]:
    done = subprocess.run(
        [str(program), *arguments],
        env=dict(variables),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout_s,
    )
    return done.returncode, done.stdout.decode("utf-8", errors="replace")


def _outcomes(events: list[dict[str, Any]]) -> dict[str, int]:
    generations = (event for event in events if event["event"] == "generation")
    return dict(Counter(f"{one['stage']} {one['template_id']}: {one['result']}" for one in generations))


def _state(path: Path) -> str:
    if path.is_dir():
        return "folder"
    return f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mtime_ns}"

"""What is measured: each scenario makes its studies, runs its cases as often as asked, and hands back measurements."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_study import PROJECT, Study, copy_demo, make_study
from cases import Case
from measuring import Load, Measurement, measure, run_measured
from side_by_side import NEIGHBOURS, Neighbour, install, run_neighbour

from provider import Provider

# A process per call needs a hundred megabytes and a second and a half of CPU for each: few, and for few chains.
SLOW_CHAINS, SLOW_JOBS = 20, 8
WARM_UP_CALLS = 8
BINARIES = Path(sys.executable).parent


class PreparationError(Exception):
    """What a scenario needs before it can measure could not be made."""


@dataclass(frozen=True)
class Bench:
    """Where and how scenarios run; `scale` below 1 makes every cohort smaller, to try the programs out."""

    folder: Path
    repeats: int
    scale: float
    say: Callable[[str], None]

    @property
    def logs(self) -> Path:
        """Where the output of all commands goes, a log for each case."""
        return self.folder / "logs"

    def chains(self, full: int) -> int:
        """How many chains stand for `full` at this scale."""
        return max(4, round(full * self.scale))

    def new_folder(self, name: str) -> Path:
        """A new, empty place for a study. Earlier ones stay until the end.

        For minutes, ext4 does not use the inodes of deleted files again, but looks at each of them whenever it makes a
        file: a study in the place of one that was just deleted is made slower than a user's.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))


def chains(bench: Bench) -> Iterator[Measurement]:
    """1,000 chains at 1 s and 64 in flight."""
    yield from _filled(bench, Case.CHAINS, latency_s=1.0, in_flight=64)


def burst(bench: Bench) -> Iterator[Measurement]:
    """1,000 chains at 2 s and 256 in flight."""
    yield from _filled(bench, Case.BURST, latency_s=2.0, in_flight=256)


def copies(bench: Bench) -> Iterator[Measurement]:
    """5,000 essays that copy their drafts, the drafts being there."""
    with Provider(keep_bodies=False) as provider:
        study = make_study(bench.new_folder("copies"), bench.chains(5000), provider.base_url, 64, "copy")
        _prepare(bench, study, "drafts")
        for _ in range(bench.repeats):
            study.forget_generations("essay")
            yield _snakemake(bench, Case.COPIES, study, provider, Load(study.chains, 0), "essays", jobs=64)


def starts(bench: Bench) -> Iterator[Measurement]:
    """What a command costs that has nothing to do."""
    with Provider(keep_bodies=False) as provider:
        demo = copy_demo(bench.new_folder("demo"), provider.base_url)
        _prepare(bench, demo, "membership")
        _prepare(bench, demo)
        script = [sys.executable, str(PROJECT / "scripts" / "run_stage.py"), "--help"]
        for _ in range(bench.repeats):
            yield _snakemake(bench, Case.START, demo, provider, Load(0, 0))
            yield measure(Case.HELP, Load(0, 0), provider, script, bench.logs, {})


def neighbours(bench: Bench) -> Iterator[Measurement]:
    """1,000 calls at 1 s and 64 in flight: our drafts, and the same prompts through others."""
    with Provider(latency_s=1.0, keep_bodies=False) as provider:
        present = [neighbour for neighbour in NEIGHBOURS if _is_usable(bench, neighbour, provider)]
        for _ in range(bench.repeats):
            study = make_study(bench.new_folder("drafts"), bench.chains(1000), provider.base_url, 64)
            load = Load(study.chains, study.chains, 1.0, 64)
            yield _snakemake(bench, Case.DRAFTS, study, provider, load, "drafts", jobs=64)
            prompts = [path.read_text(encoding="utf-8") for path in sorted(study.paths.gens.glob("draft/*/prompt.txt"))]
            for neighbour in present:
                yield run_neighbour(neighbour, provider, prompts, load, bench.new_folder("neighbour"), bench.logs)


def process_per_call(bench: Bench) -> Iterator[Measurement]:
    """The same workflow without its profile: a process for each call. Run once, for it is slow."""
    with Provider(latency_s=1.0, keep_bodies=False) as provider:
        study = make_study(bench.new_folder("slow"), min(SLOW_CHAINS, bench.chains(1000)), provider.base_url, SLOW_JOBS)
        load = Load(3 * study.chains, 3 * study.chains, 1.0, SLOW_JOBS)
        options = ("--workflow-profile", "none", "--scheduler", "greedy")
        yield _snakemake(bench, Case.PROCESSES, study, provider, load, *options, jobs=SLOW_JOBS)


def large(bench: Bench) -> Iterator[Measurement]:
    """10,000 chains against 1,000 at 0.2 s and 64 in flight; then nothing to do, then one template edited."""
    for _ in range(bench.repeats):
        with Provider(latency_s=0.2, keep_bodies=False) as provider:
            for case, count in ((Case.THOUSAND, 1000), (Case.TEN_THOUSAND, 10_000)):
                study = make_study(bench.new_folder("large"), bench.chains(count), provider.base_url, 64)
                load = Load(3 * study.chains, 3 * study.chains, 0.2, 64)
                yield _snakemake(bench, case, study, provider, load, "scores", jobs=64)
            yield _snakemake(bench, Case.NOTHING_TO_DO, study, provider, Load(0, 0))
            yield _snakemake(bench, Case.DRY_RUN, study, provider, Load(0, 0), "--dry-run")
            study.edit_template("Be brief.")
            edited = 3 * study.edited_chains
            yield _snakemake(bench, Case.EDITED, study, provider, Load(edited, edited, 0.2, 64), "scores", jobs=64)


def _filled(bench: Bench, case: Case, latency_s: float, in_flight: int) -> Iterator[Measurement]:
    with Provider(latency_s=latency_s, keep_bodies=False) as provider:
        for _ in range(bench.repeats):
            study = make_study(bench.new_folder("chains"), bench.chains(1000), provider.base_url, in_flight)
            load = Load(3 * study.chains, 3 * study.chains, latency_s, in_flight)
            yield _snakemake(bench, case, study, provider, load, "scores", jobs=in_flight)


def _prepare(bench: Bench, study: Study, *targets: str) -> None:
    """Run the workflow without measuring it. Raises PreparationError."""
    log = bench.logs / "preparation.log"
    usage = run_measured(_command(study, 64, targets), log, _environment())
    if usage.exit_code != 0:
        raise PreparationError(f"the preparation ended with exit code {usage.exit_code}, see {log}")


def _snakemake(
    bench: Bench, case: Case, study: Study, provider: Provider, load: Load, *arguments: str, jobs: int = 8
) -> Measurement:
    return measure(case, load, provider, _command(study, jobs, arguments), bench.logs, _environment())


def _command(study: Study, jobs: int, arguments: Sequence[str]) -> list[str]:
    snakefile, folder = str(PROJECT / "Snakefile"), str(study.folder)
    return [str(BINARIES / "snakemake"), "-s", snakefile, "-d", folder, f"-j{jobs}", *arguments]


def _environment() -> dict[str, str]:
    # Jobs in processes of their own look for `python` and `snakemake` on the path.
    return {"PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}"}


def _is_usable(bench: Bench, neighbour: Neighbour, provider: Provider) -> bool:
    """Install a neighbour and let it make a few calls, which also warms up its imports; say what is wrong with it."""
    problem = install(neighbour)
    if problem is None:
        prompts = [f"Say {number}." for number in range(WARM_UP_CALLS)]
        load = Load(WARM_UP_CALLS, WARM_UP_CALLS, 1.0, WARM_UP_CALLS)
        folder = bench.new_folder("warm-up")
        problem = run_neighbour(neighbour, provider, prompts, load, folder, bench.logs).error
    if problem is not None:
        bench.say(f"{neighbour.name} is left out: {problem}")
    return problem is None


SCENARIOS: dict[str, Callable[[Bench], Iterator[Measurement]]] = {
    "starts": starts,
    "chains": chains,
    "burst": burst,
    "copies": copies,
    "neighbours": neighbours,
    "process-per-call": process_per_call,
}
LARGE_SCENARIOS: dict[str, Callable[[Bench], Iterator[Measurement]]] = {"large": large}

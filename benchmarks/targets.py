"""The figures to reach on two cores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from cases import Case
from summary import Summary


@dataclass(frozen=True)
class Target:
    """A figure to reach: `figure` computes it from the summaries of `cases`."""

    what: str
    side: Literal["at least", "at most"]
    bound: float
    unit: str
    cases: tuple[Case, ...]
    figure: Callable[..., float | None]

    def measured(self, by_case: Mapping[str, Summary]) -> float | None:
        """The figure; None where a case is missing."""
        if any(case not in by_case for case in self.cases):
            return None
        return self.figure(*(by_case[case] for case in self.cases))

    def is_met(self, measured: float) -> bool:
        """Whether a measured figure is good enough."""
        return measured >= self.bound if self.side == "at least" else measured <= self.bound


def _ideal_over_wall(summary: Summary) -> float:
    return summary.ideal_over_wall


def _wall_s(summary: Summary) -> float:
    return summary.wall_s


def _overhead_ratio(many: Summary, few: Summary) -> float:
    return many.overhead_ms_per_generation / few.overhead_ms_per_generation


TARGETS: tuple[Target, ...] = (
    Target("1,000 chains, 1 s, 64 in flight: ideal / wall", "at least", 0.89, "", (Case.CHAINS,), _ideal_over_wall),
    Target("the same with 2 s and 256 in flight", "at least", 0.75, "", (Case.BURST,), _ideal_over_wall),
    Target(
        "CPU per generation, 3,000 calls", "at most", 9, "ms", (Case.CHAINS,), lambda run: run.cpu_ms_per_generation
    ),
    Target(
        "overhead per generation, 10,000 chains / 1,000 chains",
        "at most",
        1.3,
        "",
        (Case.TEN_THOUSAND, Case.THOUSAND),
        _overhead_ratio,
    ),
    Target("peak memory, 10,000 chains", "at most", 900, "MiB", (Case.TEN_THOUSAND,), lambda run: run.peak_memory_mib),
    Target("nothing to do, 10,000 chains: snakemake -j8", "at most", 4, "s", (Case.NOTHING_TO_DO,), _wall_s),
    Target("nothing to do, 10,000 chains: snakemake -n", "at most", 4, "s", (Case.DRY_RUN,), _wall_s),
    Target(
        "10,000 chains, 0.2 s, 64 in flight: ideal / wall", "at least", 0.6, "", (Case.TEN_THOUSAND,), _ideal_over_wall
    ),
    Target(
        "template of 1% of 10,000 chains edited: first call",
        "at most",
        20,
        "s",
        (Case.EDITED,),
        lambda run: run.first_call_s,
    ),
    Target("one snakemake start, demo cohort, nothing to do", "at most", 2.5, "s", (Case.START,), _wall_s),
    Target("python scripts/run_stage.py --help", "at most", 0.35, "s", (Case.HELP,), _wall_s),
    Target("copy-mode essays: 5,000", "at most", 40, "s", (Case.COPIES,), _wall_s),
)

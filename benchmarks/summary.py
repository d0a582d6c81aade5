"""The medians of a case's runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from measuring import Load, Measurement


@dataclass(frozen=True)
class Summary:
    """The medians of the runs of a case; times in seconds, memory in MiB."""

    case: str
    load: Load
    runs: int
    wall_s: float
    shortest_s: float
    longest_s: float
    cpu_s: float
    peak_memory_mib: float
    calls: float
    peak_in_flight: float
    first_call_s: float | None

    @property
    def ideal_over_wall(self) -> float:
        """How much of the wall time the provider needed; 1 is perfect."""
        return self.load.ideal_s / self.wall_s

    @property
    def cpu_ms_per_generation(self) -> float | None:
        """CPU of the whole process tree, shared out; None where nothing was made."""
        return 1000 * self.cpu_s / self.load.generations if self.load.generations else None

    @property
    def overhead_ms_per_generation(self) -> float:
        """Wall time that the provider did not need, shared out over the generations, of which there must be some."""
        return 1000 * (self.wall_s - self.load.ideal_s) / self.load.generations


def summaries(measurements: Iterable[Measurement]) -> dict[str, Summary]:
    """Summarise the runs that count, by case, in the order in which the cases first came."""
    by_case: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        if measurement.error is None:
            by_case.setdefault(measurement.case, []).append(measurement)
    return {case: _summary(case, runs) for case, runs in by_case.items()}


def _summary(case: str, runs: Sequence[Measurement]) -> Summary:
    first_calls = [run.first_call_s for run in runs if run.first_call_s is not None]
    return Summary(
        case=case,
        load=runs[0].load,
        runs=len(runs),
        wall_s=median(run.wall_s for run in runs),
        shortest_s=min(run.wall_s for run in runs),
        longest_s=max(run.wall_s for run in runs),
        cpu_s=median(run.cpu_s for run in runs),
        peak_memory_mib=median(run.peak_memory_mib for run in runs),
        calls=median(run.calls for run in runs),
        peak_in_flight=median(run.peak_in_flight for run in runs),
        first_call_s=median(first_calls) if first_calls else None,
    )

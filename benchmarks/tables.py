"""What was measured, as tables in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from summary import Summary
from targets import TARGETS, Target

CASE_COLUMNS = (
    "case",
    "runs",
    "wall s (range)",
    "ideal/wall",
    "CPU ms/gen.",
    "CPU s",
    "peak MiB",
    "first call s",
    "in flight",
    "calls",
)


def target_table(by_case: Mapping[str, Summary]) -> str:
    """Each target beside what was measured."""
    return markdown([("what", "target", "measured", "met"), *(_target_row(target, by_case) for target in TARGETS)])


def case_table(by_case: Mapping[str, Summary]) -> str:
    """What each case took: medians, and the range of the wall time."""
    return markdown([CASE_COLUMNS, *map(_case_row, by_case.values())])


def _target_row(target: Target, by_case: Mapping[str, Summary]) -> Sequence[str]:
    wanted = f"{target.side} {target.bound:g} {target.unit}".strip()
    measured = target.measured(by_case)
    if measured is None:
        return target.what, wanted, "not measured", ""
    return target.what, wanted, f"{measured:.3g} {target.unit}".strip(), "yes" if target.is_met(measured) else "NO"


def _case_row(summary: Summary) -> Sequence[str]:
    return (
        summary.case,
        str(summary.runs),
        f"{summary.wall_s:.2f} ({summary.shortest_s:.2f} to {summary.longest_s:.2f})",
        f"{summary.ideal_over_wall:.2f}" if summary.load.ideal_s else "",
        "" if summary.cpu_ms_per_generation is None else f"{summary.cpu_ms_per_generation:.1f}",
        f"{summary.cpu_s:.1f}",
        f"{summary.peak_memory_mib:.0f}",
        "" if summary.first_call_s is None else f"{summary.first_call_s:.2f}",
        f"{summary.peak_in_flight:.0f}",
        f"{summary.calls:.0f}",
    )


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """The rows as a table in Markdown, the first as its head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    rule = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])])

"""What a cohort is made of, axis by axis: how many levels, and how many evaluations each of them has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daydreaming.base.terminal_tables import table_text
from daydreaming.cohort.membership import Membership
from daydreaming.inputs.cohort_spec.axes import COMBO
from daydreaming.inputs.cohort_spec.axes import axis_table as axes_of_stages
from daydreaming.inputs.records import Generation

SHOWN = 4


@dataclass(frozen=True, slots=True)
class AxisRow:
    """One axis: how many rows have each of its levels. A row is an evaluation with all that it came from.

    An axis that no chain of an evaluation has is counted on the chains that end elsewhere, or on comparisons.
    """

    axis: str
    rows: Counter[str]

    def cells(self) -> list[str]:
        """The axis as a line of a table."""
        fewest, most = min(self.rows.values()), max(self.rows.values())
        names = list(self.rows)
        more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
        counts = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
        return [self.axis, f"{len(names):,}", counts, f"{', '.join(names[:SHOWN])}{more}"]


def axis_rows(membership: Membership) -> list[AxisRow]:
    """The axes of a cohort, in the order of its stages; none where no chain of it is whole."""
    counts: dict[str, Counter[str]] = {axis: Counter() for axis in axes_of_stages(membership.stages).axes}
    for last in (*membership.stages.last, *membership.stages.comparing):
        wanted = {axis for axis, rows in counts.items() if not rows}
        for generation in membership.stage(last.name):
            for axis, level in _levels(membership.chain(generation)):
                if axis in wanted:
                    counts[axis][level] += 1
    return [AxisRow(axis, rows) for axis, rows in counts.items() if rows]


def axis_table(membership: Membership) -> str:
    """The axes of a cohort as a table; "" where no chain of it is whole."""
    rows = axis_rows(membership)
    names = ("axis", "levels", "rows a level", "which")
    return table_text(names, (row.cells() for row in rows), numbers=names[1:3]) if rows else ""


def _levels(chain: Sequence[Generation]) -> Iterator[tuple[str, str]]:
    """The levels of a chain on all its axes."""
    yield COMBO, chain[0].combo_id
    for generation in chain:
        yield f"{generation.stage}_template", generation.template_id
        yield f"{generation.stage}_llm", generation.llm_model_id
        yield f"{generation.stage}_replicate", str(generation.replicate)

"""What a section of the report consists of: parts, each a chart, a table of its numbers, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daydreaming.results.report.charts import MOST_MARKS, Interval
from daydreaming.results.report.drawing import Drawing

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Link:
    """A cell that leads to a file, whose address is relative to the page's."""

    words: str
    address: str


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers, names and links in rows."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a section shows: a chart, its numbers, or both."""

    title: str
    drawing: Drawing | None
    table: Table | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page; `name` is its address."""

    name: str
    title: str
    about: str
    parts: Sequence[Part]


def rows_of(table: pd.DataFrame, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows of a data frame, these columns of it."""
    return list(table[list(columns)].itertuples(index=False, name=None))


def ends_of(low: float, high: float) -> tuple[float | None, float | None]:
    """An interval; None where there is none."""
    return (low, high) if low == low and high == high else (None, None)


def cut_note(marks: Sequence[Interval]) -> str:
    """What to say where a chart has room for a part of its numbers; "" where it has them all."""
    return f"Drawn are the first {MOST_MARKS} of {len(marks)}; the table has all." if len(marks) > MOST_MARKS else ""

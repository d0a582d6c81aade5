"""Pivot tables of scores: a row for each essay, a column for each rubric and judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import fsum
from operator import attrgetter
from pathlib import Path

from daydreaming.base import atomic
from daydreaming.results.score_table import ScoreRow, csv_text, distinct_evaluations

ESSAY_COLUMNS = ("essay_gen_id", "combo_id", "draft_template", "generation_template", "generation_model")
ALL = "all"

Essay = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Cell:
    """Evaluations of an essay: their scores, how many have none, and whether all scores are on one scale.

    Points of different scales are not added up: then there is neither sum nor mean.
    """

    scores: tuple[float, ...] = ()
    n_failed: int = 0
    one_scale: bool = True

    @property
    def n(self) -> int:
        """The number of scores."""
        return len(self.scores)

    @property
    def sum(self) -> float | None:
        """The sum of the scores; None without any, for no score is not a score of zero."""
        return fsum(self.scores) if self.scores and self.one_scale else None

    @property
    def mean(self) -> float | None:
        """The mean of the scores; None without any."""
        total = self.sum
        return None if total is None else total / len(self.scores)


STATISTICS: Mapping[str, Callable[[Cell], float | int | None]] = {
    "mean": attrgetter("mean"),
    "n": attrgetter("n"),
    "sum": attrgetter("sum"),
    "n_failed": attrgetter("n_failed"),
}
TABLES = tuple(f"pivot_{name}" for name in STATISTICS)


@dataclass(frozen=True, slots=True)
class Pivot:
    """Cells by essay and by column. A column is `<rubric>/<judge>`, and `all` the essay's evaluations together."""

    essays: tuple[Essay, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[Essay, str], Cell] = field(repr=False)

    def cell(self, essay: Essay, column: str) -> Cell:
        """Return a cell, an empty one where the essay has no evaluation of that rubric and judge."""
        return self.cells.get((essay, column), Cell())


def build_pivot(rows: Iterable[ScoreRow]) -> Pivot:
    """Gather scores by essay and by rubric and judge, each in order of first appearance.

    An evaluation that several cohorts share counts once.
    """
    gathered: dict[tuple[Essay, str], list[ScoreRow]] = {}
    for row in distinct_evaluations(rows):
        essay = (
            row.parent_gen_id,
            row.combo_id,
            row.draft_template,
            row.generation_template,
            row.generation_model,
        )
        # Ids have no slash, so the name of a column can be taken apart again.
        for column in (f"{row.evaluation_template}/{row.evaluation_llm_model}", ALL):
            gathered.setdefault((essay, column), []).append(row)
    cells = {key: _cell(members) for key, members in gathered.items()}
    essays = tuple(dict.fromkeys(essay for essay, _ in cells))
    columns = tuple(dict.fromkeys(column for _, column in cells if column != ALL))
    return Pivot(essays, (*columns, ALL), cells)


def write_pivot(pivot: Pivot, folder: Path) -> list[Path]:
    """Write `pivot_mean.csv`, `pivot_n.csv`, `pivot_sum.csv` and `pivot_n_failed.csv`, alike in rows and columns.

    Returns the files. Raises OSError.
    """
    texts = {folder / name: text for name, text in pivot_texts(pivot).items()}
    for path, text in texts.items():
        atomic.write_text(path, text)
    return list(texts)


def pivot_texts(pivot: Pivot) -> dict[str, str]:
    """The tables as they are written, by the names of their files."""
    texts = {}
    for name, statistic in STATISTICS.items():
        rows = ((*essay, *(statistic(pivot.cell(essay, column)) for column in pivot.columns)) for essay in pivot.essays)
        texts[f"pivot_{name}.csv"] = csv_text((*ESSAY_COLUMNS, *pivot.columns), rows)
    return texts


def _cell(rows: list[ScoreRow]) -> Cell:
    scored = [row for row in rows if row.score is not None]
    scores = tuple(row.score for row in scored if row.score is not None)
    return Cell(scores, len(rows) - len(scores), len({row.scale for row in scored}) <= 1)

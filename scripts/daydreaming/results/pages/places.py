"""The place of each essay under each rubric and judge, from the statistics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daydreaming.results.score_table import ScoreRow


@dataclass(frozen=True, slots=True)
class Scale:
    """A rubric and a judge: scores of one scale compare. Both are "" for all of them, put together after centring."""

    rubric: str
    judge: str


@dataclass(frozen=True, slots=True)
class Place:
    """What a scale says of an essay. `rank` and `mean` are None without a score, `low` and `high` without an interval.

    `ranked` essays have a score on this scale; equal means share a rank. `note` says why there is no interval.
    """

    rank: int | None
    ranked: int
    mean: float | None
    low: float | None
    high: float | None
    scores: int
    failed: int
    may_be_best: bool
    note: str


@dataclass(frozen=True, slots=True)
class Places:
    """The scales in the order in which the table has them, all together last where there are several."""

    scales: tuple[Scale, ...]
    by_essay: Mapping[str, tuple[Place, ...]]

    def of(self, essay: str) -> tuple[Place, ...]:
        """The places of an essay, one for each scale; an essay that nobody judged has no score on any."""
        nothing = Place(None, 0, None, None, None, 0, 0, False, "no evaluation")
        return self.by_essay.get(essay, (nothing,) * len(self.scales))


def find_places(rows: Sequence[ScoreRow]) -> Places:
    """Rank the essays under each rubric and judge. Raises InputError for a table that contradicts itself."""
    if not rows:
        return Places((), {})
    from daydreaming.results.statistics.analysis import analyse_rows

    given = dict.fromkeys(Scale(row.evaluation_template, row.evaluation_llm_model) for row in rows)
    scales = (*given, Scale("", "")) if len(given) > 1 else tuple(given)
    ranking = analyse_rows(rows, pool=len(given) > 1).ranking
    found: dict[tuple[Scale, str], Any] = {}
    ranked = dict.fromkeys(scales, 0)
    for row in ranking[ranking["kind"] == "essay"].to_dict("records"):
        scale = Scale(str(row["rubric"] or ""), str(row["judge"] or ""))
        found[scale, row["essay"]] = row
        ranked[scale] += not math.isnan(row["mean"])
    essays = dict.fromkeys(row.parent_gen_id for row in rows)
    return Places(scales, {e: tuple(_place(found.get((s, e)), ranked[s]) for s in scales) for e in essays})


def _place(row: Mapping[str, Any] | None, ranked: int) -> Place:
    if row is None:
        return Place(None, ranked, None, None, None, 0, 0, False, "no evaluation")
    mean = _known(row["mean"])
    return Place(
        rank=None if mean is None else int(row["rank"]),
        ranked=ranked,
        mean=mean,
        low=_known(row["low"]),
        high=_known(row["high"]),
        scores=int(row["n_scores"]),
        failed=int(row["n_failed"]),
        may_be_best=bool(row["may_be_best"]),
        note=str(row["note"] or ""),
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 6)

"""The essays with the highest and the lowest mean scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from daydreaming.generation.study import Study
from daydreaming.inputs.records import Scale
from daydreaming.results.pivots import ALL, Essay, build_pivot
from daydreaming.results.score_table import ScoreRow

SHOWN_AT_EACH_END = 5
_EXCERPT_CHARACTERS = 180
# Enough for an excerpt, whatever the characters; an essay can be long.
_EXCERPT_BYTES = 4000


@dataclass(frozen=True, slots=True)
class RankedEssay:
    """An essay, the mean of its `n` scores, the names of its concepts, and how its text begins."""

    rank: int
    mean: float
    n: int
    draft_template: str
    generation_template: str
    generation_model: str
    concepts: tuple[str, ...]
    path: Path
    excerpt: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best and the worst of the `compared` essays, or all of them as `best` where they are few.

    It is of the rubrics that have one scale. `left_out` essays lack a score: their means would be of other judges or
    rubrics than those of the rest.
    """

    scale: Scale
    rubrics: tuple[str, ...]
    compared: int
    left_out: int
    best: tuple[RankedEssay, ...]
    worst: tuple[RankedEssay, ...]


def rank_essays(study: Study, rows: Sequence[ScoreRow]) -> list[Ranking]:
    """Rank the essays whose evaluations all have a score by their mean, for each scale that rubrics have.

    Equal means have the same rank.
    """
    by_scale: dict[Scale, list[ScoreRow]] = {}
    for row in rows:
        by_scale.setdefault(row.scale, []).append(row)
    return [_ranking(study, scale, members) for scale, members in by_scale.items()]


def _ranking(study: Study, scale: Scale, rows: Sequence[ScoreRow]) -> Ranking:
    pivot = build_pivot(rows)
    means: dict[Essay, float] = {}
    for essay in pivot.essays:
        cell = pivot.cell(essay, ALL)
        if cell.mean is not None and not cell.n_failed:
            means[essay] = cell.mean
    ordered = sorted(means, key=means.__getitem__, reverse=True)
    ranks: dict[float, int] = {}
    for rank, essay in enumerate(ordered, start=1):
        ranks.setdefault(means[essay], rank)

    def ranked(essays: Sequence[Essay]) -> tuple[RankedEssay, ...]:
        return tuple(
            _ranked(study, ranks[means[essay]], essay, means[essay], pivot.cell(essay, ALL).n) for essay in essays
        )

    few = len(ordered) <= 2 * SHOWN_AT_EACH_END
    return Ranking(
        scale=scale,
        rubrics=tuple(dict.fromkeys(row.evaluation_template for row in rows)),
        compared=len(ordered),
        left_out=len(pivot.essays) - len(ordered),
        best=ranked(ordered if few else ordered[:SHOWN_AT_EACH_END]),
        worst=ranked([] if few else ordered[-SHOWN_AT_EACH_END:]),
    )


def _ranked(study: Study, rank: int, essay: Essay, mean: float, n: int) -> RankedEssay:
    gen_id, combo_id, draft_template, generation_template, generation_model = essay
    path = study.files("essay", gen_id).parsed
    return RankedEssay(
        rank=rank,
        mean=mean,
        n=n,
        draft_template=draft_template,
        generation_template=generation_template,
        generation_model=generation_model,
        concepts=_concept_names(study, combo_id),
        path=path,
        excerpt=_excerpt(path),
    )


def _concept_names(study: Study, combo_id: str) -> tuple[str, ...]:
    concepts = study.catalogs.concepts
    return tuple(concepts[concept_id].name for concept_id in study.combos[combo_id].concept_ids)


def _excerpt(path: Path) -> str:
    """How a text begins, on one line; "" if it cannot be read."""
    try:
        with path.open("rb") as stream:
            text = stream.read(_EXCERPT_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return ""
    words = " ".join(text.split())
    return words if len(words) <= _EXCERPT_CHARACTERS else f"{words[:_EXCERPT_CHARACTERS].rstrip()} ..."

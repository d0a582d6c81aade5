"""Scores side by side: for each rubric and judge, the essay templates and generation models that they judged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from daydreaming.inputs.records import Scale
from daydreaming.results.report.estimates import Estimate, estimate
from daydreaming.results.score_table import ScoreRow, distinct_evaluations


@dataclass(frozen=True, slots=True)
class Condition:
    """The evaluations of the essays of one template and model, under one rubric and judge."""

    generation_template: str
    generation_model: str
    scores: tuple[float, ...]
    n_failed: int
    n_essays: int
    scale: Scale

    @property
    def estimate(self) -> Estimate:
        """The mean of the scores, and how well it is known."""
        return estimate(self.scores, self.scale)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one judge made of the essays by one rubric. Scores of different judges or rubrics are not put together."""

    evaluation_template: str
    evaluation_llm_model: str
    conditions: tuple[Condition, ...]

    @property
    def scale(self) -> Scale:
        """The scale of the rubric."""
        return self.conditions[0].scale


def compare(rows: Iterable[ScoreRow]) -> list[Comparison]:
    """Gather scores by rubric and judge, then by essay template and model, each in the order of first appearance."""
    gathered: dict[tuple[str, str], dict[tuple[str, str], list[ScoreRow]]] = {}
    for row in distinct_evaluations(rows):
        conditions = gathered.setdefault((row.evaluation_template, row.evaluation_llm_model), {})
        conditions.setdefault((row.generation_template, row.generation_model), []).append(row)
    return [
        Comparison(*judged_by, tuple(_condition(made_by, members) for made_by, members in conditions.items()))
        for judged_by, conditions in gathered.items()
    ]


def _condition(made_by: tuple[str, str], rows: list[ScoreRow]) -> Condition:
    scores = tuple(row.score for row in rows if row.score is not None)
    return Condition(*made_by, scores, len(rows) - len(scores), len({row.parent_gen_id for row in rows}), rows[0].scale)

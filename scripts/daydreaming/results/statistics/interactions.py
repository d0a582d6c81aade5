"""Does a judge prefer one generator more than another judge does? Differences of differences, paired within combo."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from daydreaming.results.statistics.comparison import Method
from daydreaming.results.statistics.intervals import FEWEST_COMBOS, Estimates, combo_values, holm, student
from daydreaming.results.statistics.observations import Observations
from daydreaming.results.statistics.pairing import difference_cells
from daydreaming.results.statistics.score_columns import ESSAY_FACTORS
from daydreaming.results.statistics.tables import POINTS, as_frame, cannot_tell, too_few_combos

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "factor",
    "level_a",
    "level_b",
    "judge_a",
    "judge_b",
    "rubric",
    "difference",
    "low",
    "high",
    "n_combos",
    "p",
    "p_holm",
    "n_scores",
    "n_failed",
    "unit",
    "method",
    "note",
)


def interactions(observations: Observations) -> pd.DataFrame:
    """For all pairs of levels and of judges: judge_a's (level_a - level_b) less judge_b's, over all rubrics.

    Only combos and cells count that both judges have scored at both levels. `p_holm` is corrected over a factor's rows.
    """
    rows: list[dict[str, Any]] = []
    counts = {"n_scores": int(observations.counts.sum()), "n_failed": int(observations.failures.sum())}
    for factor in ESSAY_FACTORS:
        names = observations.levels[factor]
        family = [
            _row(observations, factor, levels, judges)
            for levels in combinations(range(len(names)), 2)
            for judges in combinations(range(len(observations.judges)), 2)
        ]
        if not family:
            reason = f"it has one {factor}" if len(names) == 1 else "it has one judge"
            note = cannot_tell(reason, "two levels and two judges of the same essays")
            family = [{"factor": factor, "p": np.nan, "n_combos": 0, "method": Method.NONE.value, "note": note}]
        for row, corrected in zip(family, holm(np.array([row["p"] for row in family])), strict=True):
            rows.append({"rubric": "", "unit": POINTS, **counts, **row, "p_holm": corrected})
    return as_frame(rows, COLUMNS)


def interaction_variance(observations: Observations, factor: str, other: str) -> float:
    """The variance of the interaction of two factors: (double difference squared - squared standard error) / 4.

    The mean over all pairs of levels of both; 0 where it is negative, NaN where fewer than four combos tell of any.
    """
    estimates = []
    for levels in combinations(range(len(observations.levels[factor])), 2):
        for others in combinations(range(len(observations.levels[other])), 2):
            if other == "evaluation_llm_model":
                found = double_difference(observations, factor, levels, others)
            else:
                found = _double_difference_of_essays(observations, factor, levels, other, others)
            if found.n >= FEWEST_COMBOS:
                estimates.append((float(found.mean) ** 2 - float(found.deviation) ** 2 / int(found.n)) / 4)
    return max(0.0, float(np.mean(estimates))) if estimates else np.nan


def double_difference(observations: Observations, factor: str, levels: Any, judges: Any) -> Estimates:
    """The estimate over combos of one judge's difference between two levels less another judge's."""
    scores = observations.scores
    ours, theirs = (difference_cells(scores[..., [judge]], observations.paths, factor, *levels) for judge in judges)
    return student(combo_values(ours - theirs), observations.step)


def _double_difference_of_essays(
    observations: Observations, factor: str, levels: Any, other: str, others: Any
) -> Estimates:
    """The difference between two levels among the paths of one level of another essay factor, less that of a second."""
    values = []
    for level in others:
        chosen = np.flatnonzero(observations.path_levels(other) == level)
        cells = difference_cells(observations.scores[:, chosen], observations.paths[chosen], factor, *levels)
        values.append(combo_values(cells) if cells.shape[-1] else np.full(len(observations.combos), np.nan))
    return student(values[0] - values[1], observations.step)


def _row(observations: Observations, factor: str, levels: tuple[int, int], judges: tuple[int, int]) -> dict[str, Any]:
    estimates = double_difference(observations, factor, levels, judges)
    names, n = observations.levels[factor], int(estimates.n)
    told = not np.isnan(estimates.low)
    return {
        "factor": factor,
        "level_a": names[levels[0]],
        "level_b": names[levels[1]],
        "judge_a": observations.judges[judges[0]],
        "judge_b": observations.judges[judges[1]],
        "difference": float(estimates.mean),
        "low": float(estimates.low),
        "high": float(estimates.high),
        "n_combos": n,
        "p": float(estimates.p),
        "method": (Method.EQUAL if estimates.equal else Method.PAIRED).value if told else Method.NONE.value,
        "note": "" if told else too_few_combos(n, "both levels scored by both judges"),
    }

"""Does a judge prefer one generator more than another judge does? Differences of differences, paired within combo."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from daydreaming.results.statistics.comparison import Method
from daydreaming.results.statistics.intervals import Estimates, combo_values, holm, student
from daydreaming.results.statistics.observations import ESSAY_FACTORS, Observations
from daydreaming.results.statistics.pairing import difference_cells
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


def double_difference(observations: Observations, factor: str, levels: Any, judges: Any) -> Estimates:
    """The estimate over combos of one judge's difference between two levels less another judge's."""
    scores = observations.scores
    ours, theirs = (difference_cells(scores[..., [judge]], observations.paths, factor, *levels) for judge in judges)
    return student(combo_values(ours - theirs), observations.step)


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

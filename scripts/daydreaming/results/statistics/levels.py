"""The mean score of each level of each factor, with its interval over combos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from daydreaming.results.statistics.intervals import Estimates, Floats, combo_values, level_mean, within_scale
from daydreaming.results.statistics.observations import Observations
from daydreaming.results.statistics.pairing import choose, level_cells
from daydreaming.results.statistics.score_columns import ESSAY_FACTORS, FACTORS, JUDGING_FACTORS
from daydreaming.results.statistics.tables import POINTS, Scope, as_frame, joined, scopes, too_few_combos

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "factor",
    "level",
    "rubric",
    "judge",
    "mean",
    "low",
    "high",
    "may_be_best",
    "n_combos",
    "n_essays",
    "n_scores",
    "n_failed",
    "mean_failed_lowest",
    "mean_failed_highest",
    "unit",
    "method",
    "note",
)
METHOD = "Student's t on the combos' means, on the logit scale"
UNBOUNDED = "Student's t on the combos' means"
OUTSIDE = "scores lie outside 0 to 10 or their own scale, or rubrics have different ones: no bounds are known"
EQUAL = "all combos have the same mean: interval from the resolution of the scores"
_SIGNIFICANCE = 0.05


def levels(observations: Observations, contrasts: pd.DataFrame) -> pd.DataFrame:
    """Estimate the mean of each level, for each rubric and judge and over all.

    `may_be_best` marks the level of the highest mean and all that no contrast tells from it (`p_holm` of 0.05 or more,
    or none). The two last means are what the mean would be had all failed evaluations got the lowest, or the highest,
    score.
    """
    known: dict[tuple[str, Scope], list[dict[str, Any]]] = {}
    rows: list[dict[str, Any]] = []
    different = _told_apart(contrasts)
    for factor in FACTORS:
        for scope in scopes(observations, factor):
            key = (factor, scope.effective(observations))
            if key not in known:
                known[key] = _of_factor(observations, factor, scope, different)
            rows += [row | scope.names(observations) for row in known[key]]
    return as_frame(rows, COLUMNS)


def interval_columns(estimates: Estimates, scale: tuple[float, float] | None) -> dict[str, Any]:
    """Mean, interval, number of combos, method and note of one mean on the scale."""
    low, high = within_scale(estimates, scale)
    n = int(estimates.n)
    told = not np.isnan(low)
    return {
        "mean": float(estimates.mean),
        "low": float(low),
        "high": float(high),
        "n_combos": n,
        "method": (EQUAL if estimates.equal else METHOD if scale else UNBOUNDED) if told else "none",
        "note": joined("" if told else too_few_combos(n, "a score"), "" if scale else OUTSIDE),
    }


def mean_bounds(mean: float, n_scores: int, n_failed: int, scale: tuple[float, float] | None) -> tuple[float, float]:
    """What a mean would be had the failed ones all got the lowest score, and the highest; NaN if unknown."""
    if scale is None:
        return np.nan, np.nan
    share = n_failed / (n_scores + n_failed) if n_scores + n_failed else np.nan
    known = mean * (1 - share) if n_scores else 0.0 if n_failed else np.nan
    return known + scale[0] * share, known + scale[1] * share


def _of_factor(
    observations: Observations, factor: str, scope: Scope, different: set[tuple[str, ...]]
) -> list[dict[str, Any]]:
    rows = []
    scores, scale = choose(observations.scores, scope.rubric, scope.judge), observations.scale_of(scope.rubric)
    for level, name in enumerate(observations.levels[factor]):
        cells = level_cells(scores, observations.paths, factor, level)
        row = interval_columns(level_mean(combo_values(cells), observations.step, scale), scale)
        row |= _counts(observations, factor, level, scope)
        row["mean_failed_lowest"], row["mean_failed_highest"] = mean_bounds(
            row["mean"], row["n_scores"], row["n_failed"], scale
        )
        row["note"] = joined(row["note"], "" if factor == "evaluation_template" else scope.note(observations))
        rows.append(row | {"factor": factor, "level": name, "unit": POINTS})
    means: Floats = np.array([row["mean"] for row in rows])
    best = rows[int(np.nanargmax(means))]["level"] if not np.isnan(means).all() else None
    where = tuple(scope.names(observations).values())
    for row in rows:
        apart = (factor, *sorted((row["level"], best or "")), *where) in different
        row["may_be_best"] = best is not None and not np.isnan(row["mean"]) and not apart
    return rows


def _told_apart(contrasts: pd.DataFrame) -> set[tuple[str, ...]]:
    apart = contrasts[contrasts["p_holm"] < _SIGNIFICANCE]
    columns = (apart[column] for column in ("factor", "level_a", "level_b", "rubric", "judge"))
    return {(factor, *sorted((a, b)), rubric, judge) for factor, a, b, rubric, judge in zip(*columns, strict=True)}


def _counts(observations: Observations, factor: str, level: int, scope: Scope) -> dict[str, int]:
    counts = choose(observations.counts, scope.rubric, scope.judge)
    failures = choose(observations.failures, scope.rubric, scope.judge)
    if factor in ESSAY_FACTORS:
        members = np.flatnonzero(observations.path_levels(factor) == level)
        counts, failures = counts[:, members], failures[:, members]
    else:
        axis = JUDGING_FACTORS.index(factor) - 2
        counts, failures = np.take(counts, [level], axis=axis), np.take(failures, [level], axis=axis)
    return {
        "n_essays": int((counts.sum(axis=(-1, -2)) > 0).sum()),
        "n_scores": int(counts.sum()),
        "n_failed": int(failures.sum()),
    }

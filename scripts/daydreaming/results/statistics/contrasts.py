"""Which level of each factor is better, by how much, and how sure: all pairs."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from daydreaming.results.statistics.comparison import Comparison, Method, compare
from daydreaming.results.statistics.intervals import holm
from daydreaming.results.statistics.lengths import LengthSlope, length_difference, length_slopes
from daydreaming.results.statistics.observations import Observations
from daydreaming.results.statistics.pairing import choose
from daydreaming.results.statistics.score_columns import ESSAY_FACTORS, FACTORS, JUDGING_FACTORS
from daydreaming.results.statistics.tables import (
    POINTS,
    Scope,
    as_frame,
    cannot_tell,
    joined,
    scopes,
    too_few_combos,
)

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "factor",
    "level_a",
    "level_b",
    "rubric",
    "judge",
    "difference",
    "low",
    "high",
    "n_combos",
    "p",
    "p_holm",
    "method",
    "note",
    "standard_error",
    "standardised",
    "difference_at_equal_length",
    "n_scores",
    "n_failed",
    "unit",
)


def contrasts(observations: Observations) -> pd.DataFrame:
    """Compare all pairs of levels of each factor, for each rubric and judge and over all.

    `difference` is level_a - level_b in points. `standardised` is the difference over the standard deviation of the
    combos' differences (Cohen's d for pairs, d_z: Lakens 2013). `p_holm` is corrected for all pairs of the factor under
    the same rubric and judge.
    """
    rows: list[dict[str, Any]] = []
    slopes = length_slopes(observations)
    for factor in FACTORS:
        if len(observations.levels[factor]) == 1:
            rows.append(_single_level(observations, factor))
            continue
        known: dict[Scope, list[dict[str, Any]]] = {}
        for scope in scopes(observations, factor):
            effective = scope.effective(observations)
            if effective not in known:
                known[effective] = _all_pairs(observations, factor, scope, slopes.get(effective))
            rows += [row | scope.names(observations) for row in known[effective]]
    return as_frame(rows, COLUMNS)


def compare_levels(observations: Observations, factor: str, level_a: int, level_b: int, scope: Scope) -> Comparison:
    """The comparison of two levels under a rubric and a judge; arrays of one entry."""
    scores = choose(observations.scores, scope.rubric, scope.judge)[None]
    scale = observations.scale_of(scope.rubric)
    return compare(scores, observations.paths, factor, level_a, level_b, observations.step, scale)


def _single_level(observations: Observations, factor: str) -> dict[str, Any]:
    level = observations.levels[factor][0]
    note = cannot_tell(f"{level!r} is the only {factor}", "a second one on the same combos")
    counts = {"n_scores": int(observations.counts.sum()), "n_failed": int(observations.failures.sum())}
    blank = dict.fromkeys(("difference", "low", "high", "p", "p_holm", "standard_error", "standardised"), np.nan)
    names = {"factor": factor, "level_a": level, "level_b": "", "rubric": "", "judge": ""}
    return names | blank | counts | {"n_combos": 0, "method": Method.NONE.value, "note": note, "unit": POINTS}


def _all_pairs(
    observations: Observations, factor: str, scope: Scope, slope: LengthSlope | None
) -> list[dict[str, Any]]:
    names = observations.levels[factor]
    rows = []
    for a, b in combinations(range(len(names)), 2):
        comparison = compare_levels(observations, factor, a, b, scope)
        row = _row(comparison) | _counts(observations, factor, (a, b), scope)
        row["difference_at_equal_length"] = np.nan
        if slope is not None and factor in ESSAY_FACTORS:
            longer = length_difference(observations, factor, a, b)
            row["difference_at_equal_length"] = row["difference"] - slope.value * longer
        row["note"] = joined(row["note"], "" if factor == "evaluation_template" else scope.note(observations))
        rows.append(row | {"factor": factor, "level_a": names[a], "level_b": names[b]})
    for row, corrected in zip(rows, holm(np.array([row["p"] for row in rows])), strict=True):
        row["p_holm"] = corrected
    return rows


def _row(comparison: Comparison) -> dict[str, Any]:
    difference, deviation, n = comparison.difference[0], comparison.deviation[0], int(comparison.n_combos[0])
    told = comparison.method[0] is not Method.NONE
    standardised = difference / deviation if told and deviation > 0 else np.nan
    return {
        "difference": difference,
        "low": comparison.low[0],
        "high": comparison.high[0],
        "n_combos": n,
        "p": comparison.p[0],
        "standard_error": deviation / np.sqrt(n) if told else np.nan,
        "standardised": np.nan if comparison.method[0] is Method.EQUAL else standardised,
        "method": str(comparison.method[0]),
        "note": "" if told else too_few_combos(n, "scores of both to compare"),
        "unit": POINTS,
    }


def _counts(observations: Observations, factor: str, levels: tuple[int, int], scope: Scope) -> dict[str, int]:
    """How many evaluations the two levels have with a score, and how many failed."""
    counts = {}
    for name, values in (("n_scores", observations.counts), ("n_failed", observations.failures)):
        chosen = choose(values, scope.rubric, scope.judge)
        if factor in ESSAY_FACTORS:
            chosen = chosen[:, np.isin(observations.path_levels(factor), levels)]
        else:
            chosen = np.take(chosen, levels, axis=JUDGING_FACTORS.index(factor) - 2)
        counts[name] = int(chosen.sum())
    return counts

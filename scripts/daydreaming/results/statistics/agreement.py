"""Whether judges agree: Krippendorff's alpha, and each pair of judges side by side."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from daydreaming.results.statistics.comparison import Method
from daydreaming.results.statistics.intervals import (
    FEWEST_COMBOS,
    Floats,
    combo_values,
    mean_of,
    student,
    student_factor,
)
from daydreaming.results.statistics.observations import Codes, Observations
from daydreaming.results.statistics.tables import POINTS, as_frame, cannot_tell, too_few_combos

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "rubric",
    "judge_a",
    "judge_b",
    "figure",
    "value",
    "low",
    "high",
    "n_combos",
    "n_essays",
    "n_scores",
    "n_failed",
    "unit",
    "method",
    "note",
)
_ALPHA_METHOD = "Krippendorff's alpha, interval level; jackknife over combos, Student's t on atanh(alpha)"
_NEARLY_ONE = 0.9999
DIFFERENCE = "judge_a - judge_b"
_ONE_JUDGE = cannot_tell("it has one judge", "a second judge of the same essays")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Alpha:
    """Krippendorff's alpha with its 95% interval over combos; NaN where it cannot be told."""

    value: float
    low: float
    high: float
    n_combos: int


def agreement(observations: Observations) -> pd.DataFrame:
    """For each rubric: alpha over all judges (`judge_a`, `judge_b` empty), then the figures of each pair."""
    rows: list[Row] = []
    for rubric, rubric_name in enumerate(observations.rubrics):
        scores, combo = _by_essay(observations, rubric)
        groups = [(), *combinations(range(len(observations.judges)), 2)]
        for group in groups:
            chosen = list(group) or list(range(len(observations.judges)))
            pair = [observations.judges[judge] for judge in group] or ["", ""]
            counts = {
                "n_scores": int(observations.counts[..., rubric, chosen].sum()),
                "n_failed": int(observations.failures[..., rubric, chosen].sum()),
                "n_essays": int(((~np.isnan(scores[:, chosen])).sum(axis=1) > 1).sum()),
            }
            names = {"rubric": rubric_name, "judge_a": pair[0], "judge_b": pair[1]} | counts
            figures = [_alpha_row(scores[:, chosen], combo)]
            figures += _pair_rows(observations, scores[:, chosen], combo) if group else []
            rows += [names | row for row in figures]
    return as_frame(rows, COLUMNS)


def krippendorff_alpha(scores: Floats, combo: Codes) -> Alpha:
    """Alpha at the interval level of `(essays, judges)` scores, NaN where missing, with an interval over combos.

    alpha = 1 - Do / De (Krippendorff 2019, chapter 12), the observed and the expected mean squared difference of two
    scores: of one essay, and of any two of the essays that have at least two scores. The interval leaves out one combo
    at a time (jackknife), with Student's t on the scale of Fisher's z, atanh(alpha); a bootstrap over combos covers
    less often (docs/results.md).
    """
    observed, n, total, squares = _sums_by_combo(scores, combo)
    ratio = _disagreement(observed.sum(), n.sum(), total.sum(), squares.sum())
    used = np.flatnonzero(n)
    nothing = Alpha(float(1 - ratio), np.nan, np.nan, len(used))
    if len(used) < FEWEST_COMBOS or not ratio > 0:
        return nothing
    without = _disagreement(
        observed.sum() - observed[used],
        n.sum() - n[used],
        total.sum() - total[used],
        squares.sum() - squares[used],
    )
    if not np.all(without > 0):
        return nothing
    z = np.arctanh(np.clip(1 - without, -_NEARLY_ONE, _NEARLY_ONE))
    error = np.sqrt((len(used) - 1) / len(used) * ((z - z.mean()) ** 2).sum())
    half = float(student_factor(len(used) - 1)) * error
    middle = np.arctanh(np.clip(1 - ratio, -_NEARLY_ONE, _NEARLY_ONE))
    return Alpha(float(1 - ratio), float(np.tanh(middle - half)), float(np.tanh(middle + half)), len(used))


def _sums_by_combo(scores: Floats, combo: Codes) -> tuple[Floats, Floats, Floats, Floats]:
    """What alpha is made of, by combo: observed disagreement, number, sum and sum of squares of pairable scores."""
    there = ~np.isnan(scores)
    m = there.sum(axis=1)
    pairable = m > 1
    values = np.where(there, scores, 0.0)
    total, squares = values.sum(axis=1), (values**2).sum(axis=1)
    observed = np.where(pairable, 2 * (m * squares - total**2) / np.maximum(m - 1, 1), 0.0)
    size = int(combo.max()) + 1 if len(combo) else 1
    parts = (np.bincount(combo, np.where(pairable, part, 0.0), size) for part in (observed, m, total, squares))
    return tuple(parts)  # type: ignore[return-value]


def _disagreement(observed: Any, n: Any, total: Any, squares: Any) -> Any:
    """Do / De; NaN where there are no two scores that differ."""
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = 2 * (n * squares - total**2) / (n - 1)
        return np.where(expected > 1e-9, observed / expected, np.nan)


def _by_essay(observations: Observations, rubric: int) -> tuple[Floats, Codes]:
    essays = observations.essays
    return observations.scores[essays.combo, essays.path, essays.place, rubric], essays.combo


def _figure(figure: str, value: float, unit: str, **more: Any) -> Row:
    return {"figure": figure, "value": value, "low": np.nan, "high": np.nan, "unit": unit, "note": ""} | more


def _alpha_row(scores: Floats, combo: Codes) -> Row:
    if scores.shape[1] < 2:
        return _figure("alpha", np.nan, "alpha", method=Method.NONE.value, note=_ONE_JUDGE, n_combos=0)
    alpha = krippendorff_alpha(scores, combo)
    if np.isnan(alpha.value):
        note = cannot_tell(
            "no essay has two scores, or all scores are equal", "scores that differ, by two judges of an essay"
        )
    elif np.isnan(alpha.low):
        note = too_few_combos(alpha.n_combos, "essays that two judges scored")
    else:
        note = ""
    return _figure(
        "alpha",
        alpha.value,
        "alpha",
        low=alpha.low,
        high=alpha.high,
        n_combos=alpha.n_combos,
        method=_ALPHA_METHOD,
        note=note,
    )


def _pair_rows(observations: Observations, scores: Floats, combo: Codes) -> list[Row]:
    """Bias, mean distance, share of equal scores, and rank correlation of two judges over essays that both scored."""
    difference = scores[:, 0] - scores[:, 1]
    both = ~np.isnan(difference)
    n_combos = len(np.unique(combo[both]))
    essays = observations.essays
    cells = np.full(observations.scores.shape[:3], np.nan)
    cells[essays.combo, essays.path, essays.place] = difference
    bias = student(combo_values(mean_of(cells, -1)), observations.step)
    told = not np.isnan(bias.low)
    rows = [
        _figure(
            DIFFERENCE,
            float(bias.mean),
            POINTS,
            low=float(bias.low),
            high=float(bias.high),
            method=(Method.EQUAL if bias.equal else Method.PAIRED).value if told else Method.NONE.value,
            note="" if told else too_few_combos(int(bias.n), "essays that both judges scored"),
        )
    ]
    distance = float(np.abs(difference[both]).mean()) if both.any() else np.nan
    equal = float((difference[both] == 0).mean()) if both.any() else np.nan
    rows.append(_figure("mean absolute difference", distance, POINTS, method="mean over essays"))
    rows.append(_figure("equal scores", equal, "share", method="counted"))
    rows.append(rank_correlation(scores[both]))
    return [{"n_combos": n_combos} | row for row in rows]


def rank_correlation(scores: Floats) -> Row:
    """Spearman's rank correlation of `(essays, 2)` scores, as a row; NaN where it cannot be told."""
    import pandas as pd

    ranks = pd.DataFrame(scores).rank().to_numpy()
    if len(ranks) < 3 or (np.ptp(ranks, axis=0) == 0).any():
        note = cannot_tell(
            "fewer than 3 essays have both judges' scores, or a judge gave all the same", "scores that differ"
        )
        return _figure("rank correlation", np.nan, "Spearman's rho", method=Method.NONE.value, note=note)
    return _figure("rank correlation", float(np.corrcoef(ranks.T)[0, 1]), "Spearman's rho", method="over essays")

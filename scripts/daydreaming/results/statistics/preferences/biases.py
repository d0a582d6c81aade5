"""What judges prefer besides the better text: the longer one, and that of their own model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from daydreaming.results.statistics.intervals import FEWEST_COMBOS, student
from daydreaming.results.statistics.preferences.davidson import NotEstimableError, expected_points
from daydreaming.results.statistics.preferences.model_fit import fit_models
from daydreaming.results.statistics.preferences.rates import (
    NO_INTERVAL,
    clustered_rate,
    jackknife_share_interval,
)
from daydreaming.results.statistics.preferences.verdicts import Comparisons, scopes
from daydreaming.results.statistics.preferences.win_rates import (
    ADJUSTED_COLUMNS,
    at_equal_length,
    fit_at_equal_length,
    points_of,
)
from daydreaming.results.statistics.tables import as_frame, cannot_tell, joined, too_few_combos

if TYPE_CHECKING:
    import pandas as pd

LENGTH_COLUMNS = (
    "judge", "value", "low", "high", "numerator", "denominator", "n_left_out", "n_combos", "of_equal_strength",
    "of_equal_strength_low", "of_equal_strength_high", "characters", "method", "note",
)  # fmt: skip
OWN_COLUMNS = (
    "judge", "model", "figure", "value", "low", "high", "numerator", "denominator", "n_combos", *ADJUSTED_COLUMNS,
    "method", "note",
)  # fmt: skip
DIFFERENCE_METHOD = "difference of two ratios over combos, linearised, Student's t"
_LONGER = "verdicts on texts of different lengths"
_OWN = "verdicts on a text of the judge's own model beside another's"


def longer_preferred(comparisons: Comparisons) -> pd.DataFrame:
    """For each scope: the points of the longer text, and what it would get from a text of equal strength.

    `value` is the share of points of the longer of two texts, whoever wrote them; longer texts may be better ones.
    `of_equal_strength` is what Davidson's model with a term of length predicts for the longer of two texts by equally
    strong models, one standard deviation of the differences in length (`characters`) apart. Comparisons of texts of
    equal or unknown length are in `n_left_out`.
    """
    rows: list[dict[str, Any]] = []
    for judge in scopes(comparisons):
        judged = comparisons.by_judge(judge).judged
        difference = judged.length[judged.first] - judged.length[judged.second]
        differs = np.abs(difference) > 0
        points = np.where(difference > 0, judged.points, 1 - judged.points)[differs]
        rate = clustered_rate(points, judged.combo[differs], _LONGER)
        adjusted, note = _of_equal_strength(judged)
        row = {"judge": "" if judge is None else comparisons.judges[judge], "n_left_out": int((~differs).sum())}
        rows.append(row | rate.row() | adjusted | {"note": joined(rate.note, note)})
    return as_frame(rows, LENGTH_COLUMNS)


def _of_equal_strength(judged: Comparisons) -> tuple[dict[str, Any], str]:
    columns: dict[str, Any] = dict.fromkeys(LENGTH_COLUMNS[8:12], np.nan)
    try:
        fit = fit_models(judged, judged.model, with_length=True)
    except NotEstimableError as error:
        return columns, f"of_equal_strength {cannot_tell(error.reason, error.needed)}"
    lead = np.tanh(1.0)

    def points(length: Any, position: Any, tie: Any) -> Any:
        eta = length * lead
        return (expected_points(eta + position, tie) + expected_points(eta - position, tie)) / 2

    value = float(points(fit.length, fit.position, fit.tie))
    low, high = jackknife_share_interval(value, points(fit.length_without, fit.position_without, fit.tie_without))
    figures = (value, low, high, fit.length_unit)
    return dict(zip(LENGTH_COLUMNS[8:12], figures, strict=True)), ""


def own_model_preferred(comparisons: Comparisons, own_models: Mapping[str, Collection[str]]) -> pd.DataFrame:
    """For each judge that is one of the models: the points that it gives to its own model's texts.

    `own_models` has for each judge the ids by which it writes. A judge that writes by several has rows for each, and
    pairs of two texts of its own count for none.

    `own model preferred` is the share of points of its own model's text beside one of another model, raw and at equal
    length (`win_rates`). A model may be the better one: `by the other judges` is the same share of the same pairs by
    the others, and `own less others` the difference.
    """
    rows: list[dict[str, Any]] = []
    for judge, name in enumerate(comparisons.judges):
        own = [number for number, model in enumerate(comparisons.models) if model in own_models.get(name, ())]
        first, second = (np.isin(comparisons.model[side], own) for side in (comparisons.first, comparisons.second))
        judged = comparisons.chosen(~(first & second)).judged if len(own) > 1 else comparisons.judged
        for model in own:
            names = {"judge": name, "model": comparisons.models[model]}
            rows += [names | row for row in _own_rows(judged, judge, model)]
    return as_frame(rows, OWN_COLUMNS)


def _own_rows(judged: Comparisons, judge: int, model: int) -> list[dict[str, Any]]:
    mine = judged.by_judge(judge)
    own, _, _ = points_of(mine, model)
    others = judged.chosen((judged.judge != judge) & np.isin(judged.pair, own.pair))
    rows = []
    for figure, whole, asked in (
        ("own model preferred", mine, own),
        ("by the other judges", judged.chosen(judged.judge != judge), others),
    ):
        about, points, opponents = points_of(asked, model)
        rate = clustered_rate(points, about.combo, _OWN)
        fit, why_not = fit_at_equal_length(whole) if len(points) else (None, "")
        adjusted, note = at_equal_length(fit, why_not, model, opponents, about.combo)
        rows.append({"figure": figure} | rate.row() | adjusted | {"note": joined(rate.note, note)})
    return [*rows, {"figure": "own less others"} | _difference(own, others, model)]


def _difference(own: Comparisons, others: Comparisons, model: int) -> dict[str, Any]:
    """The difference of the two shares over the pairs that both judged, with an interval on the combos' values."""
    own = own.chosen(np.isin(own.pair, others.pair))
    sides = [points_of(side, model) for side in (own, others)]
    used = np.unique(own.combo)
    if not len(used):
        note = cannot_tell("no other judge judged these pairs", "another judge of them")
        return {"value": np.nan, "low": np.nan, "high": np.nan, "n_combos": 0, "method": NO_INTERVAL, "note": note}
    shares, linearised = [], []
    for side, points, _ in sides:
        place = np.searchsorted(used, side.combo)
        share = points.mean()
        residuals = np.bincount(place, points - share, len(used))
        shares.append(share)
        linearised.append(share + residuals * len(used) / len(points))
    estimates = student(linearised[0] - linearised[1])
    told = len(used) >= FEWEST_COMBOS and not bool(estimates.equal)
    note = "" if told else too_few_combos(len(used), _OWN)
    if bool(estimates.equal) and len(used) >= FEWEST_COMBOS:
        note = cannot_tell("all combos have the same difference", "combos that differ")
    value = float(shares[0] - shares[1])
    low, high = (float(estimates.low), float(estimates.high)) if told else (np.nan, np.nan)
    return {
        "value": value,
        "low": max(low, -1.0) if told else low,
        "high": min(high, 1.0) if told else high,
        "n_combos": len(used),
        "method": DIFFERENCE_METHOD if told else NO_INTERVAL,
        "note": note,
    }

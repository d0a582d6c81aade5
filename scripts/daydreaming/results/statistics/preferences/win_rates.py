"""Win rates of models, as they are and with texts of equal length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from daydreaming.results.statistics.intervals import FEWEST_COMBOS, Floats
from daydreaming.results.statistics.observations import Codes
from daydreaming.results.statistics.preferences.davidson import NotEstimableError
from daydreaming.results.statistics.preferences.model_fit import ModelFit, fit_models
from daydreaming.results.statistics.preferences.rates import clustered_rate, jackknife_share_interval
from daydreaming.results.statistics.preferences.verdicts import Comparisons, scopes
from daydreaming.results.statistics.tables import as_frame, cannot_tell, joined

if TYPE_CHECKING:
    import pandas as pd

ADJUSTED_COLUMNS = ("at_equal_length", "at_equal_length_low", "at_equal_length_high")
COLUMNS = (
    "judge", "model", "opponent", "value", "low", "high", "numerator", "denominator", "n_ties", "n_failed",
    "n_combos", *ADJUSTED_COLUMNS, "method", "note",
)  # fmt: skip
_WHAT = "verdicts on these models"


def win_rates(comparisons: Comparisons) -> pd.DataFrame:
    """For each scope and model: the share of its points against all others (`opponent` empty), and against each.

    A win is one point and a tie half a point. `at_equal_length` is what Davidson's model with a term of length predicts
    for the same comparisons if both texts were equally long, as the mean over both orders (`model_fit.fit_models`).
    """
    rows: list[dict[str, Any]] = []
    for judge in scopes(comparisons):
        own = comparisons.by_judge(judge)
        name = {"judge": "" if judge is None else comparisons.judges[judge]}
        fit, why_not = fit_at_equal_length(own.judged)
        for model in range(len(comparisons.models)):
            opponents = [None, *(other for other in range(len(comparisons.models)) if other != model)]
            for opponent in opponents if len(opponents) > 2 else opponents[:1]:
                rows += [name | row for row in _rows(own, model, opponent, fit, why_not)]
    return as_frame(rows, COLUMNS)


def fit_at_equal_length(judged: Comparisons) -> tuple[ModelFit | None, str]:
    """The model with a term of length; None, and why, where it cannot be told."""
    try:
        return fit_models(judged, judged.model, with_length=True), ""
    except NotEstimableError as error:
        return None, f"at_equal_length {cannot_tell(error.reason, error.needed)}"


def points_of(comparisons: Comparisons, model: int) -> tuple[Comparisons, Floats, Codes]:
    """The comparisons of a model's text with one of another model, its points, and the other models."""
    is_first = comparisons.model[comparisons.first] == model
    is_second = comparisons.model[comparisons.second] == model
    own = comparisons.chosen(is_first != is_second)
    first = own.model[own.first] == model
    points = np.where(first, own.points, 1 - own.points)
    return own, points, np.where(first, own.model[own.second], own.model[own.first])


def at_equal_length(fit: ModelFit | None, why_not: str, model: int, others: Codes, combo: Codes) -> tuple[Any, str]:
    """The columns of a rate at equal length, and the note where it or its interval cannot be told."""
    value, low, high = np.nan, np.nan, np.nan
    note = why_not
    if fit is not None and len(others):
        value, without = fit.points_at_equal_length(np.full(len(others), model), others, combo)
        informing = np.isin(fit.combos, combo)
        low, high = jackknife_share_interval(value, without, n_combos=int(informing.sum()))
        if np.isnan(low) and informing.sum() >= FEWEST_COMBOS:
            note = cannot_tell("without one of the combos at_equal_length could not be told", "more combos")
    return dict(zip(ADJUSTED_COLUMNS, (value, low, high), strict=True)), note


def _rows(
    comparisons: Comparisons, model: int, opponent: int | None, fit: ModelFit | None, why_not: str
) -> list[dict[str, Any]]:
    own, points, others = points_of(comparisons, model)
    if opponent is not None:
        of_pair = others == opponent
        own, points, others = own.chosen(of_pair), points[of_pair], others[of_pair]
    if not len(points):
        return []
    told = ~np.isnan(points)
    rate = clustered_rate(points[told], own.combo[told], _WHAT)
    adjusted, note = at_equal_length(fit, why_not, model, others[told], own.combo[told])
    row = {
        "model": comparisons.models[model],
        "opponent": "" if opponent is None else comparisons.models[opponent],
        "n_ties": int((points == 0.5).sum()),
        "n_failed": int((~told).sum()),
    }
    return [row | rate.row() | adjusted | {"note": joined(rate.note, note)}]

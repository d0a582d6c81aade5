"""Strengths of models by Davidson's extension of the Bradley-Terry model, with position effect and ties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from daydreaming.results.statistics.intervals import FEWEST_COMBOS, Floats
from daydreaming.results.statistics.observations import Codes
from daydreaming.results.statistics.preferences.davidson import NotEstimableError
from daydreaming.results.statistics.preferences.model_fit import ModelFit, fit_models
from daydreaming.results.statistics.preferences.rates import JACKKNIFE_METHOD, NO_INTERVAL, jackknife_interval
from daydreaming.results.statistics.preferences.verdicts import Comparisons, scopes
from daydreaming.results.statistics.tables import as_frame, cannot_tell, joined, too_few_combos

if TYPE_CHECKING:
    import pandas as pd

STRENGTH_METHOD = f"Davidson's model, maximum likelihood; {JACKKNIFE_METHOD}"
COLUMNS = (
    "judge", "figure", "level", "value", "low", "high", "n_verdicts", "n_ties", "n_failed", "n_combos", "unit",
    "method", "note",
)  # fmt: skip
ESSAY_COLUMNS = ("judge", "combo_id", "essay", "model", "points", "strength", "n_verdicts", "method", "note")
UNIT = "log-odds"
LEFT_OUT = "without one of the combos it could not be told"


def strengths(comparisons: Comparisons) -> pd.DataFrame:
    """For each scope: the strength of each model, the position effect, and how likely ties are.

    `strength` is in log-odds around a mean of 0: a model with one more than another one's wins against it, ties aside,
    with odds of e to 1. `position` is what standing first adds to it. `tie` is log(nu): between two equal texts the
    odds of a tie against a win of either are nu to 1. Intervals are over combos.
    """
    rows: list[dict[str, Any]] = []
    for judge in scopes(comparisons):
        own = comparisons.by_judge(judge)
        judged = own.judged
        names = {
            "judge": "" if judge is None else comparisons.judges[judge],
            "n_verdicts": len(judged.points),
            "n_ties": int((judged.points == 0.5).sum()),
            "n_failed": own.n_failed,
            "n_combos": judged.n_combos,
            "unit": UNIT,
        }
        rows += [names | row for row in _rows(judged)]
    return as_frame(rows, COLUMNS)


def essay_strengths(comparisons: Comparisons) -> pd.DataFrame:
    """For each scope, combo and essay: its mean points, and its strength among the essays of its combo.

    A strength has no interval: one combo does not tell what others would do. Strengths of two combos are no order.
    """
    rows: list[dict[str, Any]] = []
    for judge in scopes(comparisons):
        judged = comparisons.by_judge(judge).judged
        name = "" if judge is None else comparisons.judges[judge]
        for combo in np.unique(judged.combo):
            rows += [{"judge": name} | row for row in _essay_rows(judged.chosen(judged.combo == combo))]
    return as_frame(rows, ESSAY_COLUMNS)


def combos_of(judged: Comparisons, model: int) -> int:
    """In how many combos a model's texts were compared with those of others."""
    seen = (judged.model[judged.first] == model) != (judged.model[judged.second] == model)
    return len(np.unique(judged.combo[seen]))


def _rows(judged: Comparisons) -> list[dict[str, Any]]:
    in_scope = np.unique(judged.model[np.concatenate([judged.first, judged.second])])
    try:
        fit = fit_models(judged, judged.model, with_length=False)
    except NotEstimableError as error:
        note = cannot_tell(error.reason, error.needed)
        figures = [("strength", judged.models[level]) for level in in_scope] + [("position", ""), ("tie", "")]
        return [_row(figure, level, np.nan, (np.nan, np.nan), note) for figure, level in figures]
    rows = [_strength_row(judged, fit, place) for place in range(len(fit.levels))]
    rows.append(_estimate_row("position", "", fit.position, fit.position_without))
    if np.isinf(fit.tie):
        return [*rows, _row("tie", "", np.nan, (np.nan, np.nan), cannot_tell("there is no tie", "ties"))]
    return [*rows, _estimate_row("tie", "", fit.tie, fit.tie_without)]


def _strength_row(judged: Comparisons, fit: ModelFit, place: int) -> dict[str, Any]:
    """A strength has as many degrees of freedom as there are combos in which the model was compared, less one."""
    level = int(fit.levels[place])
    n_own = combos_of(judged, level)
    without = fit.strengths_without[:, place]
    return _estimate_row("strength", judged.models[level], float(fit.strengths[place]), without, n_own=n_own)


def _estimate_row(figure: str, level: str, value: float, without: Floats, n_own: int | None = None) -> dict[str, Any]:
    n = len(without) if n_own is None else n_own
    if n < FEWEST_COMBOS:
        return _row(figure, level, value, (np.nan, np.nan), too_few_combos(n, "such verdicts"))
    interval = jackknife_interval(value, without, n_combos=n)
    return _row(figure, level, value, interval, cannot_tell(LEFT_OUT, "more combos") if np.isnan(interval[0]) else "")


def _row(figure: str, level: str, value: float, interval: tuple[float, float], note: str) -> dict[str, Any]:
    low, high = interval
    method = NO_INTERVAL if np.isnan(low) else STRENGTH_METHOD
    return {"figure": figure, "level": level, "value": value, "low": low, "high": high, "method": method, "note": note}


def _essay_rows(judged: Comparisons) -> list[dict[str, Any]]:
    essays: Codes = np.unique(np.concatenate([judged.first, judged.second]))
    values, note = dict.fromkeys(map(int, essays), np.nan), ""
    try:
        fit = fit_models(judged, np.arange(len(judged.essays)), with_length=False)
        values = {int(essay): float(value) for essay, value in zip(fit.levels, fit.strengths, strict=True)}
    except NotEstimableError as error:
        note = cannot_tell(error.reason, error.needed)
    rows = []
    for essay in map(int, essays):
        points = np.concatenate([judged.points[judged.first == essay], 1 - judged.points[judged.second == essay]])
        rows.append(
            {
                "combo_id": judged.combos[judged.combo[0]],
                "essay": judged.essays[essay],
                "model": judged.models[judged.model[essay]],
                "points": float(points.mean()),
                "strength": values[essay],
                "n_verdicts": len(points),
                "method": "none" if np.isnan(values[essay]) else "Davidson's model, maximum likelihood, in one combo",
                "note": joined(note, "" if note else "no interval: one combo"),
            }
        )
    return rows

"""How far two models lie apart by Davidson's model, for each pair of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from daydreaming.results.statistics.intervals import FEWEST_COMBOS, holm, two_sided_p
from daydreaming.results.statistics.preferences.davidson import NotEstimableError
from daydreaming.results.statistics.preferences.model_fit import ModelFit, fit_models
from daydreaming.results.statistics.preferences.rates import NO_INTERVAL, jackknife_error, jackknife_interval
from daydreaming.results.statistics.preferences.strengths import LEFT_OUT, STRENGTH_METHOD, UNIT, combos_of
from daydreaming.results.statistics.preferences.verdicts import Comparisons, scopes
from daydreaming.results.statistics.tables import as_frame, cannot_tell, too_few_combos

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "judge", "model_a", "model_b", "difference", "low", "high", "p", "p_holm", "n_verdicts", "n_combos", "unit",
    "method", "note",
)  # fmt: skip


def strength_differences(comparisons: Comparisons) -> pd.DataFrame:
    """For each scope and pair of models: the strength of `model_a` less that of `model_b`, in log-odds.

    Models that were never compared with each other are compared by way of others. `n_verdicts` are those on the two
    models themselves; `n_combos` counts the combos of the one that was compared in fewer. `p` is Student's t against 0,
    `p_holm` corrected for all pairs of the scope.
    """
    rows: list[dict[str, Any]] = []
    for judge in scopes(comparisons):
        judged = comparisons.by_judge(judge).judged
        own = list(_rows(judged))
        for row, corrected in zip(own, holm(np.array([row["p"] for row in own])), strict=True):
            rows.append({"judge": "" if judge is None else comparisons.judges[judge]} | row | {"p_holm": corrected})
    return as_frame(rows, COLUMNS)


def _rows(judged: Comparisons) -> Iterator[dict[str, Any]]:
    sides = judged.model[np.stack([judged.first, judged.second])]
    fit, untold = None, ""
    try:
        fit = fit_models(judged, judged.model, with_length=False)
    except NotEstimableError as error:
        untold = cannot_tell(error.reason, error.needed)
    for a, b in combinations(map(int, np.unique(sides)), 2):
        both = ((sides == a).any(axis=0) & (sides == b).any(axis=0)).sum()
        names = {"model_a": judged.models[a], "model_b": judged.models[b], "n_verdicts": int(both), "unit": UNIT}
        n_combos = min(combos_of(judged, a), combos_of(judged, b))
        nothing = dict.fromkeys(("difference", "low", "high", "p"), np.nan)
        told = {"method": NO_INTERVAL, "note": untold} if fit is None else _difference(fit, a, b, n_combos)
        yield names | {"n_combos": n_combos} | nothing | told


def _difference(fit: ModelFit, a: int, b: int, n_combos: int) -> dict[str, Any]:
    places = np.searchsorted(fit.levels, [a, b])
    value = float(np.subtract(*fit.strengths[places]))
    without = np.subtract(*fit.strengths_without[:, places].T)
    if n_combos < FEWEST_COMBOS:
        return {"difference": value, "method": NO_INTERVAL, "note": too_few_combos(n_combos, "such verdicts")}
    low, high = jackknife_interval(value, without, n_combos=n_combos)
    if np.isnan(low):
        return {"difference": value, "method": NO_INTERVAL, "note": cannot_tell(LEFT_OUT, "more combos")}
    error = jackknife_error(value, without)
    p = float(two_sided_p(abs(value) / error, n_combos - 1)) if error > 0 else np.nan
    return {"difference": value, "low": low, "high": high, "p": p, "method": STRENGTH_METHOD, "note": ""}

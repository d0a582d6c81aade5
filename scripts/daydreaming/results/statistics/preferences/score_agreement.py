"""Whether verdicts order essays as scores do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from daydreaming.results.statistics.intervals import FEWEST_COMBOS, Floats
from daydreaming.results.statistics.observations import Codes
from daydreaming.results.statistics.preferences.consistency import net_preferences
from daydreaming.results.statistics.preferences.rates import (
    JACKKNIFE_METHOD,
    NO_INTERVAL,
    jackknife_correlation_interval,
)
from daydreaming.results.statistics.preferences.verdicts import Comparisons, scopes
from daydreaming.results.statistics.tables import as_frame, cannot_tell, too_few_combos

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "judge", "figure", "value", "low", "high", "n_agree", "n_contradict", "n_pairs", "n_without_score", "n_combos",
    "method", "note",
)  # fmt: skip
TAU_METHOD = f"Kendall's tau-b over the judged pairs; {JACKKNIFE_METHOD} on atanh(tau)"
_NO_TAU = cannot_tell("no pair has both a decided verdict and different scores", "such pairs")


@dataclass(frozen=True, slots=True)
class Tau:
    """Kendall's tau-b with its 95% interval over combos; NaN where it cannot be told."""

    value: float
    low: float
    high: float
    n_combos: int


def score_agreement(comparisons: Comparisons, scores: Mapping[str, float]) -> pd.DataFrame:
    """For each scope: Kendall's tau-b of the verdicts and the scores of the same essays (`{essay: score}`).

    All pairs that were judged count once, with the net preference of all verdicts on them; `n_agree` have the higher
    score preferred, `n_contradict` the lower one. Pairs with an essay without a score are in `n_without_score`.
    """
    score = np.array([scores.get(essay, np.nan) for essay in comparisons.essays], dtype=float)
    rows: list[dict[str, Any]] = []
    for judge in scopes(comparisons):
        low, high, sign, combo = net_preferences(comparisons.by_judge(judge).judged)
        lead = np.sign(score[low] - score[high])
        scored = ~np.isnan(lead)
        tau = kendall_tau_b(sign[scored], lead[scored], combo[scored])
        rows.append(
            {
                "judge": "" if judge is None else comparisons.judges[judge],
                "figure": "tau-b with scores",
                "value": tau.value,
                "low": tau.low,
                "high": tau.high,
                "n_agree": int((sign[scored] * lead[scored] > 0).sum()),
                "n_contradict": int((sign[scored] * lead[scored] < 0).sum()),
                "n_pairs": int(scored.sum()),
                "n_without_score": int((~scored).sum()),
                "n_combos": tau.n_combos,
            }
            | _method(tau)
        )
    return as_frame(rows, COLUMNS)


def kendall_tau_b(one: Floats, other: Floats, combo: Codes) -> Tau:
    """Kendall's tau-b of two signs of the same pairs, with an interval over combos.

    (agreements - contradictions) / sqrt(pairs that are no tie in the one * those that are none in the other), over the
    pairs that are there (Kendall 1945, The treatment of ties in ranking problems, Biometrika 33); where these are all
    pairs of one set of essays it is the usual coefficient. The interval leaves out one combo at a time (jackknife),
    with Student's t on Fisher's z.
    """
    used, place = np.unique(combo, return_inverse=True)
    parts = np.array([np.bincount(place, part, len(used)) for part in (one * other, one != 0, other != 0)])
    total = parts.sum(axis=1)
    value = float(_tau(total))
    nothing = Tau(value, np.nan, np.nan, len(used))
    if len(used) < FEWEST_COMBOS or np.isnan(value) or abs(value) == 1:
        return nothing
    low, high = jackknife_correlation_interval(value, _tau(total[:, None] - parts))
    return Tau(value, low, high, len(used))


def _tau(parts: Floats) -> Any:
    agreement, decided, scored = parts
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((decided > 0) & (scored > 0), agreement / np.sqrt(decided * scored), np.nan)


def _method(tau: Tau) -> dict[str, str]:
    if np.isnan(tau.value):
        return {"method": NO_INTERVAL, "note": _NO_TAU}
    if tau.n_combos < FEWEST_COMBOS:
        return {"method": NO_INTERVAL, "note": too_few_combos(tau.n_combos, "pairs with scores")}
    if np.isnan(tau.low):
        return {"method": NO_INTERVAL, "note": cannot_tell("all or nearly all pairs agree", "pairs that do not")}
    return {"method": TAU_METHOD, "note": ""}

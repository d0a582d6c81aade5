"""Shares of verdicts with intervals over combos, and jackknife intervals of other figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from daydreaming.results.statistics.intervals import (
    CONFIDENCE,
    FEWEST_COMBOS,
    Floats,
    student,
    student_factor,
    within_scale,
)
from daydreaming.results.statistics.observations import Codes
from daydreaming.results.statistics.tables import cannot_tell, too_few_combos

RATE_METHOD = "ratio over combos, linearised, Student's t on the logit scale"
ALIKE_METHOD = "all combos alike: the largest share of other combos that could be missed"
JACKKNIFE_METHOD = "jackknife over combos, Student's t"
NO_INTERVAL = "none"
_NEARLY_ONE = 1 - 1e-12


@dataclass(frozen=True, slots=True)
class Rate:
    """A share: numerator of denominator, its 95% interval over combos (NaN below four), and how it was made."""

    numerator: float
    denominator: int
    value: float
    low: float
    high: float
    n_combos: int
    method: str
    note: str

    def row(self) -> dict[str, Any]:
        """The columns of a table."""
        return {
            "numerator": self.numerator,
            "denominator": self.denominator,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n_combos": self.n_combos,
            "method": self.method,
            "note": self.note,
        }


def clustered_rate(points: Floats, combo: Codes, what: str = "such verdicts") -> Rate:
    """The mean of `points` (0 to 1, one for each verdict) with an interval clustered on combos.

    The share is a ratio of two sums over combos, numerator and denominator; its linearised values
    (p + (numerator_c - p denominator_c) G / denominator) have the share as their mean, and Student's t on them, carried
    over to the logit scale, is the interval (Korn and Graubard 1998). Where every combo has the same share there is no
    deviation to tell from: then 1 - 0.025 ** (1 / G) of all combos may be others and not be among G (Hanley and
    Lippman-Hand 1983), and those may have any share from 0 to 1.
    """
    used, place = np.unique(combo, return_inverse=True)
    n, n_combos = len(points), len(used)
    if n == 0:
        note = cannot_tell(f"there are no {what}", "some of them")
        return Rate(0.0, 0, np.nan, np.nan, np.nan, 0, NO_INTERVAL, note)
    numerators = np.bincount(place, points)
    share = float(points.sum() / n)
    values = share + (numerators - share * np.bincount(place)) * n_combos / n
    if n_combos < FEWEST_COMBOS:
        note = too_few_combos(n_combos, what)
        return Rate(float(points.sum()), n, share, np.nan, np.nan, n_combos, NO_INTERVAL, note)
    estimates = student(values)
    if estimates.equal:
        missed = 1 - (0.5 - CONFIDENCE / 2) ** (1 / n_combos)
        low, high, method = share - share * missed, share + (1 - share) * missed, ALIKE_METHOD
    else:
        low, high = (float(limit) for limit in within_scale(estimates, (0.0, 1.0)))
        method = RATE_METHOD
    return Rate(float(points.sum()), n, share, low, high, n_combos, method, "")


def jackknife_error(value: float, without: Floats) -> float:
    """The standard error of an estimate from those that leave out one combo each.

    sqrt((G - 1) / G * sum((without - value) ** 2)): the cluster jackknife "CV3", here around the estimate itself
    (MacKinnon, Nielsen, Webb 2024, Cluster-robust jackknife and bootstrap inference for logistic regression models).
    """
    n = len(without)
    return float(np.sqrt((n - 1) / n * ((without - value) ** 2).sum()))


def jackknife_interval(value: float, without: Floats, *, n_combos: int | None = None) -> tuple[float, float]:
    """The 95% interval with Student's t on G - 1 degrees of freedom; NaN below four combos.

    `n_combos` is G where only so many combos tell of the figure, and the others change it by the way.
    """
    n = len(without) if n_combos is None else n_combos
    if n < FEWEST_COMBOS or not np.isfinite(without).all():
        return np.nan, np.nan
    half = float(student_factor(n - 1)) * jackknife_error(value, without)
    return value - half, value + half


def jackknife_share_interval(value: float, without: Floats, *, n_combos: int | None = None) -> tuple[float, float]:
    """The same of a share, made on the logit scale."""
    low, high = jackknife_interval(float(_logit(value)), _logit(without), n_combos=n_combos)
    return float(_logistic(low)), float(_logistic(high))


def jackknife_correlation_interval(value: float, without: Floats) -> tuple[float, float]:
    """The same of a correlation, made on the scale of Fisher's z."""
    low, high = jackknife_interval(
        float(np.arctanh(np.clip(value, -_NEARLY_ONE, _NEARLY_ONE))),
        np.arctanh(np.clip(without, -_NEARLY_ONE, _NEARLY_ONE)),
    )
    return float(np.tanh(low)), float(np.tanh(high))


def _logit(share: Any) -> Any:
    inside = np.clip(share, 1e-9, 1 - 1e-9)
    return np.log(inside / (1 - inside))


def _logistic(logit: Any) -> Any:
    return 1 / (1 + np.exp(-logit))

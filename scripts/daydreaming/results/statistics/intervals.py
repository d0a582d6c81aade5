"""From differences within combos to an estimate with an interval. All functions take arrays with any leading axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95
FEWEST_COMBOS = 4
# Below this number the sign test cannot reject at 5%: 2 * 0.5 ** 5 is 0.0625.
_FEWEST_FOR_SIGN_TEST = 6
# How strongly the effects of cells are drawn to zero, as if by so many combos without any. Chosen by simulation between
# 0 (unbiased when one judge fails most, but wide when cells are many) and infinity (the plain mean): docs/results.md.
_SHRINKAGE = 1.0

# How many further combos stand for what a sample lacks near an end of the scale; chosen by simulation.
RARE = 0.6

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimates:
    """Means over combos with their 95% intervals and p values against zero, one for each leading index.

    `low`, `high` and `p` are NaN below four combos. `equal` marks those whose combos all have the same value.
    """

    n: npt.NDArray[np.int64]
    mean: Floats
    deviation: Floats
    low: Floats
    high: Floats
    p: Floats
    equal: npt.NDArray[np.bool_]


def mean_of(values: Floats, axis: int | tuple[int, ...]) -> Floats:
    """The mean over axes of what is not NaN; NaN where nothing is."""
    there = ~np.isnan(values)
    n = there.sum(axis=axis)
    total = np.where(there, values, 0.0).sum(axis=axis)
    mean: Floats = np.where(n > 0, total / np.maximum(n, 1), np.nan)
    return mean


def combo_values(cells: Floats) -> Floats:
    """One value for each combo from its cells: `(..., combos, cells)` to `(..., combos)`; NaN for a combo without any.

    It is the mean of the combo's cells. Where cells are missing, the effects of the cells are estimated first, from
    the combos that have them (least squares of combo + cell), and taken off, so that a combo that lacks the harsh judge
    does not look better for it. Each value then also carries what its combo did to those effects, so that the
    deviation of the values tells of that uncertainty, too. Without missing cells all this changes nothing.
    """
    there = ~np.isnan(cells)
    any_there = there.any(axis=-1)
    means = mean_of(cells, -1)
    if cells.shape[-1] == 1 or bool((there.all(axis=-1) | ~any_there).all()):
        return means
    share = there / np.maximum(there.sum(axis=-1, keepdims=True), 1)
    matrix = -np.einsum("...cx,...cy->...xy", share, there.astype(float))
    diagonal = np.arange(cells.shape[-1])
    matrix[..., diagonal, diagonal] += there.sum(axis=-2) + _SHRINKAGE
    centred = np.where(there, cells - means[..., None], 0.0).sum(axis=-2)
    effects = np.linalg.solve(matrix, centred[..., None])[..., 0]
    effects -= effects.mean(axis=-1, keepdims=True)
    values = mean_of(cells - effects[..., None, :], -1)
    n = np.maximum(any_there.sum(axis=-1, keepdims=True), 1)
    imbalance = share.sum(axis=-2) / n - 1 / cells.shape[-1]
    leverage = np.linalg.solve(matrix, imbalance[..., None])[..., 0]
    residuals = np.where(there, cells - effects[..., None, :] - values[..., None], 0.0)
    influence = np.where(any_there, np.einsum("...cx,...x->...c", residuals, leverage), np.nan)
    result: Floats = values - n * (influence - mean_of(influence, -1)[..., None])
    return result


def student(values: Floats, step: float = 0.0, *, rare: Floats | float = 0.0) -> Estimates:
    """Estimate the mean over combos, `(..., combos)` to `(...)`, with Student's t interval on the combos' values.

    mean -/+ t(0.975; n - 1) s / sqrt(n) (Student 1908). Combos whose values are all equal have no deviation to tell
    from; then the interval is as wide as `step` (how far two neighbouring scores lie apart) times the largest share of
    combos that could differ and yet not be among n: 1 - 0.025 ** (1 / n) (Hanley and Lippman-Hand 1983), and p is the
    sign test's.

    `rare` makes room for rare values that the sample lacks: s ** 2 grows as if by so many further combos that lie the
    smallest gap between two combos' values away, and the step counts 1 + `rare` times.
    """
    there = ~np.isnan(values)
    n = there.sum(axis=-1)
    mean = mean_of(values, -1)
    squares = np.where(there, (values - mean[..., None]) ** 2, 0.0).sum(axis=-1)
    enough = n >= FEWEST_COMBOS
    deviation = np.where(n > 1, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)
    equal = (n > 1) & (deviation <= 1e-9 * (1.0 + np.abs(mean)))
    usable = np.where(enough, n, FEWEST_COMBOS)
    gap = _smallest_gap(values, step) if np.any(rare) else 0.0
    error = np.sqrt((deviation**2 + rare * gap**2 / usable) / usable)
    half = student_factor(usable - 1) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        p = two_sided_p(np.abs(mean) / error, usable - 1)
    if (equal & enough).any():
        half = np.where(equal, (1 + rare) * step * (1 - (0.5 - CONFIDENCE / 2) ** (1 / usable)), half)
        p = np.where(equal, np.where(np.abs(mean) <= 1e-9, 1.0, 2.0 * 0.5**usable), p)
    low, high = mean - half, mean + half
    undecided = equal & (n < _FEWEST_FOR_SIGN_TEST)
    low, high = np.where(undecided, np.minimum(low, 0.0), low), np.where(undecided, np.maximum(high, 0.0), high)
    none = np.nan
    return Estimates(
        n,
        mean,
        deviation,
        np.where(enough, low, none),
        np.where(enough, high, none),
        np.where(enough, p, none),
        equal,
    )


def level_mean(values: Floats, step: float, scale: tuple[float, float] | None) -> Estimates:
    """Estimate the mean of a level over combos: Student's t; near an end of the scale, with room for rarer values.

    There most combos have the same value, and a sample often lacks the few that are far from the end.
    """
    near = near_end(mean_of(values, -1), step, scale)
    return student(values, step, rare=np.where(near, RARE, 0.0))


def near_end(mean: Floats, step: float, scale: tuple[float, float] | None) -> npt.NDArray[np.bool_]:
    """Whether a mean lies within one step of an end of the scale."""
    if scale is None:
        return np.zeros(mean.shape, bool)
    near: npt.NDArray[np.bool_] = np.minimum(mean - scale[0], scale[1] - mean) < step
    return near


def holm(p: Floats) -> Floats:
    """Correct the p values of one family by Holm's step-down method (1979); NaN stays NaN and counts for nothing."""
    told = np.flatnonzero(~np.isnan(p))
    corrected = np.full(p.shape, np.nan)
    order = told[np.argsort(p[told], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * factors))
    return corrected


def _smallest_gap(values: Floats, most: float) -> Floats:
    """The smallest distance of two different values, at most `most`; 0 where all are equal."""
    ordered = np.sort(np.where(np.isnan(values), np.inf, values), axis=-1)
    with np.errstate(invalid="ignore"):
        gaps = np.diff(ordered, axis=-1)
    smallest = np.where(gaps > 1e-9, gaps, np.inf).min(axis=-1, initial=np.inf)
    return np.where(np.isfinite(smallest), np.minimum(smallest, most), 0.0)


def student_factor(degrees_of_freedom: Any) -> Floats:
    """t(0.975; degrees of freedom), the factor of a two-sided 95% interval."""
    from scipy.special import stdtrit

    factor: Any = stdtrit(degrees_of_freedom, 0.5 + CONFIDENCE / 2)
    result: Floats = factor
    return result


def two_sided_p(t: Any, degrees_of_freedom: Any) -> Floats:
    """The probability of a Student's t as far from zero, on either side, as `t`."""
    from scipy.special import stdtr

    p: Any = 2 * stdtr(degrees_of_freedom, -t)
    result: Floats = p
    return result


def within_scale(estimates: Estimates, scale: tuple[float, float] | None) -> tuple[Floats, Floats]:
    """The limits of means on a bounded scale: the interval is made on the logit scale, and so leans to the middle.

    Without a scale they are those of Student's t.

    Student's half-width is carried over by the slope of the logit at the mean, as for proportions in surveys (Korn and
    Graubard 1998). Near an end of the scale scores are skewed, and a symmetric interval covers too seldom.
    """
    if scale is None:
        return estimates.low, estimates.high
    lowest, highest = scale
    span = highest - lowest
    share = np.clip((estimates.mean - lowest) / span, 1e-9, 1 - 1e-9)
    half = (estimates.high - estimates.low) / 2 / span / (share * (1 - share))
    with np.errstate(over="ignore"):
        low, high = (lowest + span / (1 + np.exp(-(np.log(share / (1 - share)) + way * half))) for way in (-1, 1))
    equal = estimates.equal
    return (
        np.where(equal, np.clip(estimates.low, lowest, highest), low),
        np.where(equal, np.clip(estimates.high, lowest, highest), high),
    )

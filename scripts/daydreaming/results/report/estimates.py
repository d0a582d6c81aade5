"""What a sample of scores says of the mean: standard deviation and 95% interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean, stdev

from daydreaming.inputs.records import Scale

CONFIDENCE = 0.95
# Beyond that the factor falls by less than 0.002 more, down to 1.960.
_MOST_DEGREES_OF_FREEDOM = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean of `n` scores, their standard deviation, and the 95% interval of the mean; None where there is none."""

    n: int
    mean: float | None = None
    deviation: float | None = None
    interval: tuple[float, float] | None = None


def estimate(scores: Sequence[float], scale: Scale) -> Estimate:
    """Estimate the mean of what scores on a scale are a sample of.

    The standard deviation s is that of a sample (n - 1 in its denominator); the interval is Student's,
    mean -/+ t(0.975; n - 1) s / sqrt(n) (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.2), cut at the
    ends of the scale.
    It takes the scores for independent of each other, which scores of one essay, or of essays on one combo, are not:
    then the true interval is wider. One score has no deviation. Scores that are all equal have no interval: one of
    width zero would claim a certainty that they do not give.
    """
    if len(scores) < 2:
        return Estimate(len(scores), mean=scores[0] if scores else None)
    mean, deviation = fmean(scores), stdev(scores)
    if deviation == 0:
        return Estimate(len(scores), mean, deviation)
    half = student_factor(len(scores) - 1) * deviation / math.sqrt(len(scores))
    return Estimate(len(scores), mean, deviation, (max(scale.lowest, mean - half), min(scale.highest, mean + half)))


@cache
def student_factor(degrees_of_freedom: int) -> float:
    """Return t(0.975; degrees of freedom), the factor of a two-sided 95% interval, by bisection.

    For more than 1,000 degrees of freedom it is the factor of 1,000, which is 0.12% too large at most.
    """
    degrees_of_freedom = min(degrees_of_freedom, _MOST_DEGREES_OF_FREEDOM)
    low, high = 0.0, 16.0
    for _ in range(60):
        middle = (low + high) / 2
        if _share_within(middle, degrees_of_freedom) < CONFIDENCE:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _share_within(t: float, degrees_of_freedom: int) -> float:
    """The probability that Student's t is between -t and t (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    angle = math.atan2(t, math.sqrt(degrees_of_freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    is_odd = degrees_of_freedom % 2
    term, total = (cosine if is_odd else 1.0), 0.0
    for power in range(is_odd, degrees_of_freedom - 1, 2):
        total += term
        term *= cosine**2 * (power + 1) / (power + 2)
    return 2 / math.pi * (angle + sine * total) if is_odd else sine * total

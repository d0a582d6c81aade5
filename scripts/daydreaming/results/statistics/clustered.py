"""Least squares on scores that are clustered in combos: where few essays have a partner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from daydreaming.results.statistics.intervals import Floats, student_factor, two_sided_p
from daydreaming.results.statistics.observations import Codes

_NEGLIGIBLE = 1e-9


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A regression coefficient with its robust standard error, degrees of freedom, and how many combos inform it."""

    value: float
    error: float
    degrees_of_freedom: float
    n_combos: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval."""
        half = float(student_factor(self.degrees_of_freedom)) * self.error
        return self.value - half, self.value + half

    @property
    def p(self) -> float:
        """The two-sided p value of no effect."""
        return float(two_sided_p(abs(self.value) / self.error, self.degrees_of_freedom))


def first_coefficient(response: Floats, regressors: Floats, combo: Codes, *, within: bool) -> Coefficient | None:
    """Estimate the coefficient of the first of `regressors` (observations by regressors, no constant), or None.

    `within` lets each combo have a level of its own, so that only differences within combos count; otherwise the model
    has one constant. The standard error is the bias-reduced cluster-robust one ("CR2") with Satterthwaite degrees of
    freedom under independent errors (Bell and McCaffrey 2002; Pustejovsky and Tipton 2018). On a complete design it is
    the paired Student's t on the combos' differences. None if the design does not determine the coefficient.
    """
    order = np.argsort(combo, kind="stable")
    y, columns = response[order], regressors[order]
    sizes = np.unique(combo[order], return_counts=True)[1]
    starts = np.r_[0, np.cumsum(sizes)[:-1]]
    if within:
        y, columns = (
            values - np.repeat(_sums(values, starts) / _like(sizes, values), sizes, 0) for values in (y, columns)
        )
    else:
        columns = np.column_stack([columns, np.ones(len(y))])
    independent = _independent(columns)
    if independent is None:
        return None
    columns = independent
    if len(y) <= columns.shape[1] + (len(sizes) if within else 0):
        return None
    inverse: Floats = np.asarray(np.linalg.inv(columns.T @ columns), dtype=np.float64)
    beta = inverse @ (columns.T @ y)
    residuals = y - columns @ beta
    weights = _adjusted_weights(columns, inverse, starts, sizes)
    scores = _sums(weights * residuals, starts)
    informing = _sums(np.abs(columns @ inverse[0]), starts) > _NEGLIGIBLE
    variance = float((scores**2).sum())
    if variance <= _NEGLIGIBLE**2:
        return None
    spread = _sums(weights[:, None] * columns, starts)
    covariance = -spread @ inverse @ spread.T
    own = _sums(weights**2, starts) - (_sums(weights, starts) ** 2 / sizes if within else 0.0)
    covariance[np.diag_indices(len(sizes))] += own
    freedom = np.trace(covariance) ** 2 / (covariance**2).sum()
    return Coefficient(float(beta[0]), variance**0.5, float(freedom), int(informing.sum()))


def dummies(codes: Codes) -> Floats:
    """Columns of zeros and ones for all levels that occur but the first."""
    occurring = np.unique(codes)[1:]
    columns: Floats = (codes[:, None] == occurring).astype(float)
    return columns


def _adjusted_weights(columns: Floats, inverse: Floats, starts: Codes, sizes: Codes) -> Floats:
    """The observations' weights in the first coefficient, times the inverse root of their combo's residual maker.

    The residual maker of a combo is I - Z Z' with Z = columns @ root; its inverse root acts in the space of Z alone.
    (A combo's own level adds nothing: the columns are then orthogonal to it.)
    """
    root = np.linalg.cholesky(inverse)
    projected = columns @ root
    gram = _sums(projected[:, :, None] * projected[:, None, :], starts)
    values, vectors = np.linalg.eigh(gram)
    factors = np.where(values < 1 - 1e-8, 1 / np.sqrt(np.maximum(1 - values, 1e-8)), 0.0)
    directions = np.einsum("gij,gj,gkj,k->gi", vectors, factors, vectors, root[0], optimize=True)
    weights: Floats = (projected * np.repeat(directions, sizes, 0)).sum(axis=1)
    return weights


def _independent(columns: Floats) -> Floats | None:
    """Drop the columns that the earlier ones explain; None if the first is explained by all the others."""
    others = columns[:, 1:]
    kept: list[int] = []
    for number in range(others.shape[1]):
        if not _explained(others[:, number], others[:, kept]):
            kept.append(number)
    if _explained(columns[:, 0], others[:, kept]):
        return None
    return np.column_stack([columns[:, 0], others[:, kept]])


def _explained(column: Floats, by: Floats) -> bool:
    total = float(column @ column)
    if total <= _NEGLIGIBLE:
        return True
    rest = column - by @ np.linalg.lstsq(by, column, rcond=None)[0] if by.shape[1] else column
    return float(rest @ rest) <= 1e-8 * total


def _sums(values: Floats, starts: Codes) -> Floats:
    sums: Floats = np.add.reduceat(values, starts, axis=0)
    return sums


def _like(sizes: Codes, values: Floats) -> Floats:
    result: Floats = sizes.astype(float).reshape(-1, *[1] * (values.ndim - 1))
    return result

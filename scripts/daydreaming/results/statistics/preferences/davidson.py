"""The model of Davidson: how likely is a win, a tie, a loss, given how strong two texts are and which stood first.

    P(first wins) : P(tie) : P(second wins) = exp(eta / 2) : exp(tau) : exp(-eta / 2)

eta is linear in the columns of a design: the difference of strengths, the position effect (a constant), and others such
as a difference in length. Without ties it is the model of Bradley and Terry (1952), a logistic regression. With them it
is that of Davidson (1970, On extending the Bradley-Terry model to accommodate ties in paired comparison experiments,
JASA 65), its nu = exp(tau); with a position effect that of Davidson and Beaver (1977, On extending the Bradley-Terry
model to incorporate within-pair order effects, Biometrics 33), their gamma = exp(-delta).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from daydreaming.results.statistics.intervals import Floats
from daydreaming.results.statistics.observations import Codes

_NEGLIGIBLE = 1e-7
_FLAT = 1e-6
_MOST_LAST_STEPS = 4
# With columns from -1 to 1 a slope below the tolerance along a separated direction takes an estimate beyond this.
_FAR_AWAY = 3.0


class NotEstimableError(ValueError):
    """A design or verdicts that do not determine the coefficients; `reason` and `needed` are for the reader."""

    def __init__(self, reason: str, needed: str):
        self.reason = reason
        self.needed = needed
        super().__init__(f"{reason}; it would take {needed}")


@dataclass(frozen=True, slots=True)
class Fit:
    """The estimates: `coefficients` of the design's columns, `tie` (tau, -inf where there is no tie).

    `without` and `tie_without` are the same with one combo left out, a row for each entry of `combos`; NaN where
    nothing is determined then. `errors` are the standard errors if all verdicts were independent of each other: for
    comparisons with other programs alone.
    """

    coefficients: Floats
    tie: float
    combos: Codes
    without: Floats
    tie_without: Floats
    errors: Floats


def fit_davidson(design: Floats, points: Floats, combo: Codes) -> Fit:
    """Estimate by maximum likelihood; `points` is 1, 0.5 or 0 for the first text of each comparison.

    The design's columns lie between -1 and 1.

    Leaving out a combo takes one Newton step from the estimate on all (the linearised cluster jackknife of MacKinnon,
    Nielsen, Webb 2024), so that a sample whose remainder is separated still has an interval.

    Raises:
        NotEstimableError: columns explain each other, or the verdicts are separated, so that an estimate is infinite.
    """
    if not len(points) or np.linalg.matrix_rank(design) < design.shape[1]:
        raise NotEstimableError("the comparisons do not tell the effects apart", "other pairs, in both orders")
    model = _Likelihood(design, points)
    if model.all_tied:
        raise NotEstimableError("all verdicts are ties", "verdicts that differ")
    theta, converged = _maximum(model)
    # Where a finite estimate is small, it is the only maximum; of infinite ones the search ends far away.
    if (not converged or np.abs(theta).max() > _FAR_AWAY) and model.is_separated():
        raise NotEstimableError("the verdicts are separated, and an estimate would be infinite", "more comparisons")
    if not converged:
        raise NotEstimableError("the estimation did not come to an end", "more comparisons")
    scores, total = model.scores(theta), model.information(theta)
    used, sizes = np.unique(combo, return_counts=True)
    by_combo = np.split(np.argsort(combo, kind="stable"), np.cumsum(sizes)[:-1])
    without = np.full((len(used), len(theta)), np.nan)
    for number, own in enumerate(by_combo):
        rest = total - model.information(theta, own)
        if np.linalg.matrix_rank(rest, hermitian=True) == len(theta):
            without[number] = theta - np.linalg.solve(rest, scores[own].sum(axis=0))
    p = design.shape[1]
    return Fit(
        coefficients=theta[:p],
        tie=float(theta[p]) if model.has_ties else -np.inf,
        combos=used,
        without=without[:, :p],
        tie_without=without[:, p] if model.has_ties else np.full(len(used), -np.inf),
        errors=np.sqrt(np.diag(np.linalg.inv(total)))[:p],
    )


def expected_points(eta: Any, tie: Any) -> Any:
    """What the first text gets on average: P(win) + P(tie) / 2."""
    win, tied, loss = _probabilities(np.asarray(eta, dtype=float), tie)
    return (win + tied / 2) / (win + tied + loss)


def _probabilities(eta: Floats, tie: Any) -> tuple[Floats, Floats, Floats]:
    """Three numbers in the ratio of the probabilities, none of them too large for a float."""
    largest = np.maximum(np.abs(eta) / 2, tie)
    return np.exp(eta / 2 - largest), np.exp(tie - largest), np.exp(-eta / 2 - largest)


class _Likelihood:
    """The log-likelihood with its derivatives, observation by observation; the last parameter is tau."""

    def __init__(self, design: Floats, points: Floats):
        self.design = design
        self.points = points
        self.has_ties = bool((points == 0.5).any())
        self.all_tied = bool((points == 0.5).all())
        self.size = design.shape[1] + self.has_ties

    def _probabilities(self, theta: Floats, which: Codes | slice = slice(None)) -> tuple[Floats, Floats, Floats]:
        eta = self.design[which] @ theta[: self.design.shape[1]]
        win, tied, loss = _probabilities(eta, theta[-1] if self.has_ties else -np.inf)
        total = win + tied + loss
        return win / total, tied / total, loss / total

    def value(self, theta: Floats) -> float:
        """Minus the log-likelihood."""
        win, tied, loss = self._probabilities(theta)
        own = np.select([self.points == 1.0, self.points == 0.5], [win, tied], loss)
        return float(-np.log(np.maximum(own, 1e-300)).sum())

    def scores(self, theta: Floats) -> Floats:
        """The derivatives of the log-likelihood, a row for each observation."""
        win, tied, loss = self._probabilities(theta)
        by_eta = (self.points - 0.5) - (win - loss) / 2
        columns = self.design * by_eta[:, None]
        if not self.has_ties:
            return columns
        return np.column_stack([columns, (self.points == 0.5) - tied])

    def information(self, theta: Floats, which: Codes | slice = slice(None)) -> Floats:
        """Minus the second derivatives of the log-likelihood of some of the observations."""
        win, tied, loss = self._probabilities(theta, which)
        design = self.design[which]
        lead = (win - loss) / 2
        by_eta = (win + loss) / 4 - lead**2
        p = design.shape[1]
        matrix = np.empty((self.size, self.size))
        matrix[:p, :p] = design.T @ (by_eta[:, None] * design)
        if self.has_ties:
            matrix[:p, p] = matrix[p, :p] = -(lead * tied) @ design
            matrix[p, p] = (tied * (1 - tied)).sum()
        return matrix

    def is_separated(self) -> bool:
        """Whether the likelihood has no finite maximum, by a linear programme (Albert and Anderson 1984).

        It looks for a direction in which no verdict becomes less likely and some become more.
        """
        from scipy.optimize import linprog

        wins, ties, losses = (self.design[self.points == value] for value in (1.0, 0.5, 0.0))
        if self.has_ties:
            half = [(wins, -1.0), (-losses, -1.0), (ties, 1.0), (-ties, 1.0)]
            rows = np.concatenate([np.column_stack([part / 2, np.full(len(part), sign)]) for part, sign in half])
            decided = np.concatenate([wins, -losses])
            rows = np.concatenate([rows, np.column_stack([decided, np.zeros(len(decided))])])
        else:
            rows = np.concatenate([wins, -losses])
        rows = np.unique(rows, axis=0)
        found = linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=(-1, 1), method="highs")
        return bool(rows.sum(axis=0) @ found.x > _NEGLIGIBLE)


def _maximum(model: _Likelihood) -> tuple[Floats, bool]:
    """The parameters where the search ended, and whether the likelihood is flat there."""
    from scipy.optimize import minimize

    def gradient_at(theta: Floats) -> Floats:
        slope: Floats = -model.scores(theta).sum(axis=0)
        return slope

    def curvature_at(theta: Floats) -> Floats:
        return model.information(theta)

    start: Any = np.zeros(model.size)
    found = minimize(
        model.value,
        start,
        jac=gradient_at,
        hess=curvature_at,
        method="trust-exact",
        options={"gtol": _NEGLIGIBLE},
    )
    theta = np.asarray(found.x, dtype=np.float64)
    # The search compares values of the likelihood, which of many verdicts are told apart only so far; slopes are finer.
    for _ in range(_MOST_LAST_STEPS):
        if np.abs(gradient_at(theta)).max() <= _FLAT:
            return theta, True
        theta = theta - np.linalg.lstsq(curvature_at(theta), gradient_at(theta), rcond=None)[0]
    return theta, False

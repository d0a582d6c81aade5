"""Davidson's model of the verdicts of a scope: which effects can be told, and their estimates by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from daydreaming.results.statistics.intervals import Floats
from daydreaming.results.statistics.observations import Codes
from daydreaming.results.statistics.preferences.davidson import (
    Fit,
    NotEstimableError,
    expected_points,
    fit_davidson,
)
from daydreaming.results.statistics.preferences.verdicts import Comparisons


@dataclass(frozen=True, slots=True)
class ModelFit:
    """Estimates with those that leave out a combo each (rows of `..._without`, in the order of `combos`).

    `strengths` are log-odds around a mean of 0, an entry for each of `levels`; `position` is what standing first adds,
    and `length` what each unit of the length term adds (NaN where it is no part of the model), both in log-odds; `tie`
    is log(nu), -inf where there is no tie. `length_unit` is the standard deviation of the differences in length.
    """

    levels: Codes
    strengths: Floats
    strengths_without: Floats
    position: float
    position_without: Floats
    length: float
    length_without: Floats
    length_unit: float
    tie: float
    tie_without: Floats
    combos: Codes

    def points_at_equal_length(self, level: Codes, opponent: Codes, combo: Codes) -> tuple[float, Floats]:
        """What `level` gets on average against `opponent` in these comparisons, and the same without each combo.

        It is predicted with texts of equal length, as the mean over both orders. A combo's own comparisons are left out
        with it. NaN without a combo that has all of them.
        """
        mine, theirs = np.searchsorted(self.levels, level), np.searchsorted(self.levels, opponent)
        kinds, kind = np.unique(mine * len(self.levels) + theirs, return_inverse=True)
        ours, others = np.divmod(kinds, len(self.levels))
        counts = np.bincount(kind, minlength=len(kinds))
        own = np.zeros((len(self.combos), len(kinds)))
        np.add.at(own, (np.searchsorted(self.combos, combo), kind), 1.0)
        points = _mean_points(self.strengths[ours] - self.strengths[others], self.position, self.tie)
        points_without = _mean_points(
            self.strengths_without[:, ours] - self.strengths_without[:, others],
            self.position_without[:, None],
            self.tie_without[:, None],
        )
        kept = counts - own
        with np.errstate(invalid="ignore"):
            without: Floats = (points_without * kept).sum(axis=1) / kept.sum(axis=1)
        return float((points * counts).sum() / counts.sum()), without


def fit_models(comparisons: Comparisons, level: Codes, *, with_length: bool) -> ModelFit:
    """Fit the strengths of the levels (a code for each essay: its model, or itself) to judged comparisons.

    With `with_length` eta has the further term tanh((length of the first - of the second) / s), s the standard
    deviation of these differences: the length term of AlpacaEval's length-controlled win rate (Dubois, Galambosi,
    Liang, Hashimoto 2024, Length-Controlled AlpacaEval: A Simple Way to Debias Automatic Evaluators).

    Raises:
        NotEstimableError: too few levels, unconnected levels, effects that cannot be told apart, separated verdicts,
            or lengths that are not known or do not differ.
    """
    first, second = level[comparisons.first], level[comparisons.second]
    levels = np.unique(np.concatenate([first, second]))
    _check_connected(first, second, levels)
    n_levels = len(levels)
    one_hot = (first[:, None] == levels).astype(float) - (second[:, None] == levels)
    columns = [one_hot[:, 1:], np.ones((len(first), 1))]
    unit = np.nan
    if with_length:
        difference = comparisons.length[comparisons.first] - comparisons.length[comparisons.second]
        unit = _length_unit(difference)
        columns.append(np.tanh(difference / unit)[:, None])
    design = np.column_stack(columns)
    if np.linalg.matrix_rank(design[:, :n_levels]) < n_levels:
        raise NotEstimableError(
            "which text stood first goes with whose text it is, so that strength and position cannot be told apart",
            "both orders of the pairs",
        )
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise NotEstimableError("the difference in length goes with whose text it is", "texts of other lengths")
    fit = fit_davidson(design, comparisons.points, comparisons.combo)
    return _named(fit, levels, unit)


def _named(fit: Fit, levels: Codes, unit: float) -> ModelFit:
    n = len(levels)
    against_first = np.concatenate([[0.0], fit.coefficients[: n - 1]])
    without = np.column_stack([np.zeros(len(fit.combos)), fit.without[:, : n - 1]])
    without[np.isnan(fit.without).any(axis=1)] = np.nan
    has_length = fit.without.shape[1] > n
    return ModelFit(
        levels=levels,
        strengths=against_first - against_first.mean(),
        strengths_without=without - without.mean(axis=1, keepdims=True),
        position=float(fit.coefficients[n - 1]),
        position_without=fit.without[:, n - 1],
        length=float(fit.coefficients[n]) if has_length else np.nan,
        length_without=fit.without[:, n] if has_length else np.full(len(fit.combos), np.nan),
        length_unit=unit,
        tie=fit.tie,
        tie_without=fit.tie_without,
        combos=fit.combos,
    )


def _mean_points(lead: Floats, position: Any, tie: Any) -> Floats:
    """What a text with this lead in strength gets, shown first and shown second alike often."""
    points: Floats = (expected_points(lead + position, tie) + expected_points(lead - position, tie)) / 2
    return points


def _check_connected(first: Codes, second: Codes, levels: Codes) -> None:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if len(levels) < 2 or not (first != second).any():
        raise NotEstimableError("no two of them were compared with each other", "comparisons of different ones")
    ends = (np.searchsorted(levels, first), np.searchsorted(levels, second))
    graph = coo_array((np.ones(len(first)), ends), shape=(len(levels), len(levels)))
    parts, _ = connected_components(graph, directed=False)
    if parts > 1:
        raise NotEstimableError(
            f"they fall into {parts} groups that were never compared with each other",
            "comparisons between the groups",
        )


def _length_unit(difference: Floats) -> float:
    if np.isnan(difference).any():
        raise NotEstimableError("the lengths of some texts are not known", "all lengths")
    unit = float(difference.std())
    if unit == 0:
        raise NotEstimableError("no two texts that were compared differ in length as others do", "such texts")
    return unit

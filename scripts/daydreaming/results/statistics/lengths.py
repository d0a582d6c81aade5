"""Scores against the essays' length: does a judge reward long texts?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from daydreaming.results.statistics.clustered import dummies, first_coefficient
from daydreaming.results.statistics.intervals import FEWEST_COMBOS, Floats, combo_values, mean_of
from daydreaming.results.statistics.observations import Observations
from daydreaming.results.statistics.pairing import choose, difference_cells
from daydreaming.results.statistics.tables import Scope, scopes

_UNIT_OF_LENGTH = 1000.0


@dataclass(frozen=True, slots=True)
class LengthSlope:
    """Points for each 1,000 characters more, with its interval, among essays of one combo and of one path."""

    value: float
    low: float
    high: float
    n_combos: int


def length_slopes(observations: Observations) -> dict[Scope, LengthSlope | None]:
    """The slope for each rubric and judge, and over all; None where it cannot be told. {} if no length is known."""
    lengths = _lengths(observations)
    if lengths is None:
        return {}
    found: dict[Scope, LengthSlope | None] = {}
    for scope in scopes(observations):
        effective = scope.effective(observations)
        if effective not in found:
            found[effective] = _slope(observations, lengths, effective)
    return found


def length_difference(observations: Observations, factor: str, level_a: int, level_b: int) -> float:
    """By how many thousand characters level_a's essays are longer than level_b's, paired as their scores are."""
    lengths = _lengths(observations)
    if lengths is None:
        return np.nan
    cells = difference_cells(lengths[None, ..., None, None], observations.paths, factor, level_a, level_b)
    return float(mean_of(combo_values(cells), -1)[0])


def _lengths(observations: Observations) -> Floats | None:
    """Thousands of characters by `(combo, path, essay)`."""
    essays = observations.essays
    if essays.characters is None or np.isnan(essays.characters).all():
        return None
    lengths = np.full(observations.scores.shape[:3], np.nan)
    lengths[essays.combo, essays.path, essays.place] = essays.characters / _UNIT_OF_LENGTH
    return lengths


def _slope(observations: Observations, lengths: Floats, scope: Scope) -> LengthSlope | None:
    scores = choose(observations.scores, scope.rubric, scope.judge)
    there = ~np.isnan(scores) & ~np.isnan(lengths)[..., None, None]
    combo, path, essay, rubric, judge = np.nonzero(there)
    if not len(combo):
        return None
    regressors = np.column_stack(
        [lengths[combo, path, essay], dummies(path), dummies(rubric * scores.shape[-1] + judge)]
    )
    found = first_coefficient(scores[there], regressors, combo, within=True)
    if found is None or found.n_combos < FEWEST_COMBOS:
        return None
    return LengthSlope(found.value, *found.interval, found.n_combos)

"""The difference between two levels of a factor with its interval, by the method that the design allows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from daydreaming.results.statistics.clustered import Coefficient, dummies, first_coefficient
from daydreaming.results.statistics.intervals import (
    FEWEST_COMBOS,
    RARE,
    Floats,
    combo_values,
    mean_of,
    near_end,
    student,
)
from daydreaming.results.statistics.observations import Codes
from daydreaming.results.statistics.pairing import difference_cells, level_cells
from daydreaming.results.statistics.score_columns import ESSAY_FACTORS

# With fewer of the two levels' essays having a partner, regression finds more: docs/results.md.
_FEWEST_PARTNERED = 0.5


class Method(StrEnum):
    """How a difference was estimated; the text goes into the tables."""

    PAIRED = "paired Student's t on the combos' differences"
    NEAR_END = "paired Student's t on the combos' differences, with room for rarer ones at the end of the scale"
    EQUAL = "all combos differ by the same: sign test, interval from the resolution of the scores"
    WITHIN = "least squares within combos, adjusted for the other factors, cluster-robust (CR2, Satterthwaite)"
    BETWEEN = "least squares between combos, adjusted for the other factors, cluster-robust (CR2, Satterthwaite)"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Differences of two levels in one or many cohorts: arrays with an entry for each cohort.

    `low`, `high` and `p` are NaN where fewer than four combos tell; `difference` is NaN where no combo does.
    `deviation` is the standard deviation of the combos' differences, or what corresponds to it.
    """

    difference: Floats
    low: Floats
    high: Floats
    p: Floats
    deviation: Floats
    n_combos: Codes
    method: npt.NDArray[np.object_]


def compare(
    scores: Floats,
    paths: Codes,
    factor: str,
    level_a: int,
    level_b: int,
    step: float,
    scale: tuple[float, float] | None,
) -> Comparison:
    """Compare two levels in each cohort of `(cohorts, combos, paths, essays, rubrics, judges)`: level_a - level_b.

    The first of these that the design allows, whatever the scores are: differences within combos between essays that
    share all other factors; differences within combos adjusted for the other factors; differences between combos.
    """
    cells = difference_cells(scores, paths, factor, level_a, level_b)
    near = np.zeros(len(scores), bool)
    for level in (level_a, level_b):
        near |= near_end(mean_of(level_cells(scores, paths, factor, level), (-1, -2)), step, scale)
    paired = student(combo_values(cells), step, rare=np.where(near, RARE, 0.0))
    method = np.where(near, Method.NEAR_END, Method.PAIRED).astype(object)
    method[paired.equal] = Method.EQUAL
    method[paired.n < FEWEST_COMBOS] = Method.NONE
    result = Comparison(paired.mean, paired.low, paired.high, paired.p, paired.deviation, paired.n, method)
    if factor in ESSAY_FACTORS:
        position = ESSAY_FACTORS.index(factor)
        ours, theirs = (np.flatnonzero(paths[:, position] == level) for level in (level_a, level_b))
        lonely = (paired.n < FEWEST_COMBOS) | (_partnered(scores, cells, ours, theirs) < _FEWEST_PARTNERED)
        for cohort in np.flatnonzero(lonely):
            _regress(result, int(cohort), scores[cohort], paths, position, ours, theirs)
    return result


def _partnered(scores: Floats, cells: Floats, ours: Codes, theirs: Codes) -> Floats:
    """The share of the two levels' cells that have a partner, by cohort."""
    both = scores[:, :, np.concatenate([ours, theirs])]
    n = (~np.isnan(both)).any(axis=3).sum(axis=(1, 2, 3, 4))
    share: Floats = 2 * (~np.isnan(cells)).sum(axis=(1, 2)) / np.maximum(n, 1)
    return share


def _regress(
    result: Comparison, cohort: int, scores: Floats, paths: Codes, position: int, ours: Codes, theirs: Codes
) -> None:
    """Replace the cohort's entries of `result` by a regression on the scores of both levels, where there is one."""
    chosen = np.concatenate([ours, theirs])
    combo, path, _, rubric, judge = np.nonzero(~np.isnan(scores[:, chosen]))
    response = scores[:, chosen][~np.isnan(scores[:, chosen])]
    path = chosen[path]
    is_a = np.isin(path, ours)
    others = [dummies(paths[path, other]) for other in range(paths.shape[1]) if other != position]
    judged = dummies(rubric * scores.shape[-1] + judge)
    regressors = np.column_stack([is_a.astype(float), *others, judged])
    of_a, of_b = np.unique(combo[is_a]), np.unique(combo[~is_a])
    informing = len(np.intersect1d(of_a, of_b, assume_unique=True))
    for method, within, enough in (
        (Method.WITHIN, True, informing >= FEWEST_COMBOS),
        (Method.BETWEEN, False, min(len(of_a), len(of_b)) >= FEWEST_COMBOS),
    ):
        found = first_coefficient(response, regressors, combo, within=within) if enough else None
        if found is not None and found.n_combos >= FEWEST_COMBOS:
            _enter(result, cohort, found, method)
            return


def _enter(result: Comparison, cohort: int, found: Coefficient, method: Method) -> None:
    result.difference[cohort] = found.value
    result.low[cohort], result.high[cohort] = found.interval
    result.p[cohort] = found.p
    result.deviation[cohort] = found.error * found.n_combos**0.5
    result.n_combos[cohort] = found.n_combos
    result.method[cohort] = method

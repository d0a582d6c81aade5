"""Differences within combos: which cells two levels share, and what their scores differ by there.

The arrays are those of `Observations.scores`, `(..., combos, paths, essays, rubrics, judges)`; a simulation has many
cohorts on the leading axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from daydreaming.results.statistics.intervals import Floats, mean_of
from daydreaming.results.statistics.observations import Codes
from daydreaming.results.statistics.score_columns import ESSAY_FACTORS

_Array = TypeVar("_Array", bound=npt.NDArray[Any])
_JUDGING_AXIS = {"evaluation_template": -2, "evaluation_llm_model": -1}


def choose(scores: _Array, rubric: int | None, judge: int | None) -> _Array:
    """What an array that ends in rubrics and judges has of one rubric, one judge, or both; None takes all."""
    rubrics = slice(None) if rubric is None else slice(rubric, rubric + 1)
    judges = slice(None) if judge is None else slice(judge, judge + 1)
    chosen: Any = scores[..., rubrics, judges]
    return chosen  # type: ignore[no-any-return]


def level_cells(scores: Floats, paths: Codes, factor: str, level: int) -> Floats:
    """The scores of one level, `(..., combos, cells)`: a cell is a path, a rubric and a judge."""
    if factor in ESSAY_FACTORS:
        members = np.flatnonzero(paths[:, ESSAY_FACTORS.index(factor)] == level)
        return _flat(mean_of(scores[..., members, :, :, :], -3), 3)
    axis = _JUDGING_AXIS[factor]
    return _flat(mean_of(np.take(scores, [level], axis=axis), -3), 3)


def difference_cells(scores: Floats, paths: Codes, factor: str, level_a: int, level_b: int) -> Floats:
    """The differences level_a - level_b, `(..., combos, cells)`, NaN where one of the two is missing.

    Levels of an essay factor are compared between essays of one combo that share the other two factors, under the same
    rubric and judge; rubrics and judges are compared on the same essay.
    """
    if factor in ESSAY_FACTORS:
        ours, theirs = matching_paths(paths, ESSAY_FACTORS.index(factor), level_a, level_b)
        return _flat(mean_of(scores[..., ours, :, :, :], -3) - mean_of(scores[..., theirs, :, :, :], -3), 3)
    axis = _JUDGING_AXIS[factor]
    difference = np.take(scores, level_a, axis=axis) - np.take(scores, level_b, axis=axis)
    return _flat(mean_of(difference, -2), 2)


def matching_paths(paths: Codes, position: int, level_a: int, level_b: int) -> tuple[Sequence[int], Sequence[int]]:
    """The paths of level_a, and beside each the path of level_b that shares the other factors."""
    others = [column for column in range(paths.shape[1]) if column != position]
    by_rest = {tuple(row[others]): number for number, row in enumerate(paths) if row[position] == level_b}
    pairs = [
        (number, by_rest[tuple(row[others])])
        for number, row in enumerate(paths)
        if row[position] == level_a and tuple(row[others]) in by_rest
    ]
    return [ours for ours, _ in pairs], [theirs for _, theirs in pairs]


def _flat(values: Floats, axes: int) -> Floats:
    """Join the last axes into one."""
    return values.reshape(*values.shape[:-axes], -1)

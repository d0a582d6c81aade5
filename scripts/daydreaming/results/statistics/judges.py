"""Each judge by itself: its failures, its use of the scale, whether it repeats itself, prefers its own or the long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from daydreaming.results.statistics.comparison import Method
from daydreaming.results.statistics.intervals import Floats, combo_values, level_mean, mean_of, student
from daydreaming.results.statistics.lengths import LengthSlope, length_slopes
from daydreaming.results.statistics.levels import OUTSIDE, interval_columns, mean_bounds
from daydreaming.results.statistics.observations import Observations
from daydreaming.results.statistics.pairing import choose, difference_cells, level_cells
from daydreaming.results.statistics.ranking import within_variance
from daydreaming.results.statistics.tables import POINTS, Scope, as_frame, cannot_tell, too_few_combos

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "judge",
    "rubric",
    "figure",
    "value",
    "low",
    "high",
    "n_combos",
    "n_scores",
    "n_failed",
    "unit",
    "method",
    "note",
)
_SHARE = "share"
_COUNTED = "counted"
_CLUSTERED = "least squares within combos, cluster-robust (CR2, Satterthwaite)"

Row = dict[str, Any]


def judges(observations: Observations) -> pd.DataFrame:
    """One row for each figure of each judge under each rubric; `value` has it, in `unit`."""
    rows: list[Row] = []
    slopes = length_slopes(observations)
    for judge, judge_name in enumerate(observations.judges):
        for rubric, rubric_name in enumerate(observations.rubrics):
            scope = Scope(rubric, judge)
            counts = choose(observations.counts, rubric, judge)
            names = {
                "judge": judge_name,
                "rubric": rubric_name,
                "n_scores": int(counts.sum()),
                "n_failed": int(choose(observations.failures, rubric, judge).sum()),
            }
            slope = slopes.get(scope.effective(observations))
            figures = (
                *_mean(observations, scope),
                *_failures(observations, scope),
                *_scale_use(observations, scope),
                *_repeats(observations, scope),
                _bias(observations, scope),
                _own_model(observations, scope),
                _length(observations, slope),
            )
            rows += [names | row for row in figures]
    return as_frame(rows, COLUMNS)


def _figure(figure: str, value: float, unit: str, **more: Any) -> Row:
    return {
        "figure": figure,
        "value": value,
        "low": np.nan,
        "high": np.nan,
        "unit": unit,
        "method": _COUNTED,
        "note": "",
    } | more


def _untold(figure: str, unit: str, reason: str, needed: str) -> Row:
    return _figure(figure, np.nan, unit, method=Method.NONE.value, note=cannot_tell(reason, needed))


def _mean(observations: Observations, scope: Scope) -> Iterator[Row]:
    scores, scale = choose(observations.scores, scope.rubric, scope.judge), observations.scale_of(scope.rubric)
    cells = level_cells(scores, observations.paths, "evaluation_llm_model", 0)
    columns = interval_columns(level_mean(combo_values(cells), observations.step, scale), scale)
    yield _figure("mean", columns.pop("mean"), POINTS, **columns)
    n_scores = int(choose(observations.counts, scope.rubric, scope.judge).sum())
    n_dependent = int(choose(observations.dependent_failures, scope.rubric, scope.judge).sum())
    mean = float(np.nanmean(scores)) if n_scores else np.nan
    bounds = mean_bounds(mean, n_scores, n_dependent, scale)
    for name, value in zip(("lowest", "highest"), bounds, strict=True):
        note = f"had the {n_dependent} failures that may depend on the text all got the {name} score"
        yield _figure(f"mean had failures scored {name}", value, POINTS, note=note)


def _failures(observations: Observations, scope: Scope) -> Iterator[Row]:
    """Of the essays that there were to judge; those that were never written are counted apart."""
    records = observations.records
    own = (records.rubric == scope.rubric) & (records.judge == scope.judge)
    judged = own & ~records.unwritten
    n = int(judged.sum())
    kinds = Counter(records.error[judged & np.isnan(records.score)])
    yield _figure("failed", kinds.total() / n if n else np.nan, _SHARE, note="" if n else "no essay was written")
    for kind, count in sorted(kinds.items()):
        yield _figure(f"failed: {kind}", count / n, _SHARE)
    yield _figure("essay or draft missing", float(records.unwritten[own].mean()) if own.any() else np.nan, _SHARE)


def _scale_use(observations: Observations, scope: Scope) -> Iterator[Row]:
    scores = _single_scores(observations, scope)[1]
    if not len(scores):
        yield _untold("scale", _SHARE, "it has no score of this judge", "evaluations that succeed")
        return
    deviation = float(np.std(scores, ddof=1)) if len(scores) > 1 else np.nan
    yield _figure("standard deviation of scores", deviation, POINTS)
    for name, end in zip(("lowest", "highest"), observations.scale_of(scope.rubric) or (np.nan, np.nan), strict=True):
        share = float(np.mean(scores == end)) if not np.isnan(end) else np.nan
        yield _figure(f"{name} score of the scale", share, _SHARE, note=OUTSIDE if np.isnan(end) else "")
    yield _figure("whole numbers", float(np.mean(scores == np.round(scores))), _SHARE)
    yield _figure("different scores used", float(len(np.unique(scores))), "scores")


def _repeats(observations: Observations, scope: Scope) -> Iterator[Row]:
    """Test-retest: the deviation between judgements of one essay, and the intraclass correlation ICC(1) of them."""
    essay, scores = _single_scores(observations, scope)
    names = ("deviation of repeated judgements", "agreement of repeated judgements")
    repeated = np.isin(essay, np.flatnonzero(np.bincount(essay, minlength=1) > 1)) if len(essay) else np.zeros(0, bool)
    if not repeated.any():
        for name in names:
            yield _untold(name, POINTS, "no essay was judged twice by this judge", "replicates of evaluations")
        return
    chosen, values = np.unique(essay[repeated], return_inverse=True)[1].reshape(-1), scores[repeated]
    within = within_variance(chosen, values)[0]
    deviation = 0.0 if np.isnan(within) else float(np.sqrt(within))
    method = f"pooled within essays, {len(values) - int(chosen.max()) - 1} degrees of freedom"
    yield _figure(names[0], deviation, POINTS, method=method)
    yield _figure(
        names[1],
        _intraclass(chosen, values, deviation**2),
        "ICC(1)",
        method="one-way analysis of variance (Shrout and Fleiss 1979)",
    )


def _intraclass(group: Any, values: Any, within: float) -> float:
    """(MSB - MSW) / (MSB + (k - 1) MSW), k the adjusted mean number of judgements; NaN where nothing varies."""
    n = np.bincount(group)
    if len(n) < 2:
        return np.nan
    means = np.bincount(group, weights=values) / n
    between = float((n * (means - values.mean()) ** 2).sum() / (len(n) - 1))
    k = (len(values) - (n**2).sum() / len(values)) / (len(n) - 1)
    total = between + (k - 1) * within
    return float((between - within) / total) if total > 0 else np.nan


def _bias(observations: Observations, scope: Scope) -> Row:
    """This judge less the mean of the others, on the same essays."""
    name = "difference from the other judges"
    scores = choose(observations.scores, scope.rubric, None)
    if scores.shape[-1] < 2:
        return _untold(name, POINTS, "it has one judge", "a second judge of the same essays")
    difference = _beside_others(scores, scope)
    return _from_cells(observations, name, mean_of(difference, -2).reshape(len(observations.combos), -1))


def _own_model(observations: Observations, scope: Scope) -> Row:
    """What a judge adds for essays of its own model, beside what the other judges see in them, paired within combo."""
    name = "preference for its own model's essays"
    judge = observations.judges[scope.judge or 0]
    models = observations.levels["generation_model"]
    if judge not in models or len(models) < 2:
        return _untold(
            name, POINTS, f"{judge!r} is not one of several models that wrote essays", "essays by it and another"
        )
    if len(observations.judges) < 2:
        return _untold(name, POINTS, "without another judge a preference cannot be told from quality", "a second judge")
    scores = choose(observations.scores, scope.rubric, None)
    extra = _beside_others(scores, scope)[..., None]
    own = models.index(judge)
    cells = [
        difference_cells(extra, observations.paths, "generation_model", own, other)
        for other in range(len(models))
        if other != own
    ]
    return _from_cells(observations, name, np.concatenate(cells, axis=-1))


def _beside_others(scores: Floats, scope: Scope) -> Floats:
    """A judge's score less the mean of all others' of the same essay; NaN where one of them is missing."""
    own = scope.judge or 0
    others: Floats = np.delete(scores, own, axis=-1).mean(axis=-1)
    difference: Floats = scores[..., own] - others
    return difference


def _from_cells(observations: Observations, name: str, cells: Floats) -> Row:
    estimates = student(combo_values(cells), observations.step)
    n, told = int(estimates.n), not np.isnan(estimates.low)
    return _figure(
        name,
        float(estimates.mean),
        POINTS,
        low=float(estimates.low),
        high=float(estimates.high),
        n_combos=n,
        method=(Method.EQUAL if estimates.equal else Method.PAIRED).value if told else Method.NONE.value,
        note="" if told else too_few_combos(n, "essays that all judges scored"),
    )


def _length(observations: Observations, slope: LengthSlope | None) -> Row:
    name = "score for 1,000 characters more"
    unit = "points for 1,000 characters"
    if observations.essays.characters is None:
        return _untold(name, unit, "the table has no essay_chars", "that column")
    if slope is None:
        return _untold(name, unit, "too few combos have essays of different lengths", "4 combos with several essays")
    return _figure(name, slope.value, unit, low=slope.low, high=slope.high, n_combos=slope.n_combos, method=_CLUSTERED)


def _single_scores(observations: Observations, scope: Scope) -> tuple[Any, Any]:
    records = observations.records
    own = (records.rubric == scope.rubric) & (records.judge == scope.judge) & ~np.isnan(records.score)
    return records.essay[own], records.score[own]

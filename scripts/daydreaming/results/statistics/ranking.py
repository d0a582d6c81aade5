"""Essays and paths in the order of their means, with intervals; what cannot be told apart has no order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from daydreaming.results.statistics.intervals import (
    CONFIDENCE,
    FEWEST_COMBOS,
    Floats,
    combo_values,
    holm,
    level_mean,
    mean_of,
    student,
    student_factor,
    within_scale,
)
from daydreaming.results.statistics.observations import Observations
from daydreaming.results.statistics.pairing import choose
from daydreaming.results.statistics.score_columns import ESSAY_FACTORS
from daydreaming.results.statistics.tables import POINTS, Scope, cannot_tell, too_few_combos

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "kind",
    "rubric",
    "judge",
    "rank",
    "essay",
    "combo_id",
    *ESSAY_FACTORS,
    "mean",
    "low",
    "high",
    "may_be_best",
    "n_combos",
    "n_scores",
    "n_failed",
    "unit",
    "method",
    "note",
)
PATH_METHOD = "as in levels; told from the best by paired differences (Holm)"
ESSAY_METHOD = "Student's t with the deviation of repeated judgements of one essay, pooled; Bonferroni against the best"
POOLED = "rubrics and judges put together: each one's mean taken off, and the mean of all added"
_NO_REPEATS = cannot_tell("no essay was judged twice by one judge", "replicates of evaluations")
_SIGNIFICANCE = 0.05


def ranking(observations: Observations, *, pool: bool) -> pd.DataFrame:
    """Rank essays and paths under each rubric and judge; with `pool` also over all, after centring (rubric, judge "").

    Equal means share a rank. `may_be_best` marks the first and what cannot be told from it. An essay's interval says
    how well its score under this judge is known (other judgements of the same text); a path's, how well its mean over
    combos is known (other combos).
    """
    import pandas as pd

    parts = [part for scope in _ranked(observations, pool) for part in _of_scope(observations, scope, pd)]
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _ranked(observations: Observations, pool: bool) -> Iterator[Scope]:
    if pool:
        yield Scope(None, None)
    for rubric in range(len(observations.rubrics)):
        for judge in range(len(observations.judges)):
            yield Scope(rubric, judge)


def _of_scope(observations: Observations, scope: Scope, pd: Any) -> Iterator[pd.DataFrame]:
    """The paths, then the essays, of one rubric and judge, or over all after centring."""
    scores = choose(observations.scores, scope.rubric, scope.judge)
    note = ""
    if scope.rubric is None:
        centre = np.array(
            [[np.nanmean(part) if not np.isnan(part).all() else np.nan for part in row] for row in _cells(scores)]
        )
        scores = scores - centre + (np.nanmean(centre) if not np.isnan(centre).all() else np.nan)
        note = POOLED
    for frame in (_paths(observations, scores, scope), _essays(observations, scores, scope)):
        frame["note"] = [f"{text}; {note}".strip("; ") for text in frame["note"]]
        yield frame.assign(**scope.names(observations), unit=POINTS)


def _cells(scores: Floats) -> Iterator[Iterator[Floats]]:
    return ((scores[..., rubric, judge] for judge in range(scores.shape[-1])) for rubric in range(scores.shape[-2]))


def _paths(observations: Observations, scores: Floats, scope: Scope) -> pd.DataFrame:
    import pandas as pd

    cells = np.moveaxis(mean_of(scores, -3), 1, 0).reshape(len(observations.paths), len(observations.combos), -1)
    scale = observations.scale_of(scope.rubric)
    estimates = level_mean(combo_values(cells), observations.step, scale)
    low, high = within_scale(estimates, scale)
    may_be_best = _told_paths(cells, estimates.mean, observations.step)
    counts, failures = (
        choose(values, scope.rubric, scope.judge).sum(axis=(0, 2, 3, 4))
        for values in (observations.counts, observations.failures)
    )
    names = {
        factor: [observations.levels[factor][code] for code in observations.path_levels(factor)]
        for factor in ESSAY_FACTORS
    }
    frame = pd.DataFrame(
        {
            "kind": "path",
            "rank": _ranks(estimates.mean),
            "essay": "",
            "combo_id": "",
            **names,
            "mean": estimates.mean,
            "low": low,
            "high": high,
            "may_be_best": may_be_best,
            "n_combos": estimates.n,
            "n_scores": counts,
            "n_failed": failures,
            "method": np.where(np.isnan(low), "none", PATH_METHOD),
            "note": ["" if n >= FEWEST_COMBOS else too_few_combos(int(n), "a score") for n in estimates.n],
        }
    )
    return frame.sort_values("rank", kind="stable")


def _told_paths(cells: Floats, means: Floats, step: float) -> Any:
    """Which paths may be the best one: all that paired differences do not tell from the highest mean."""
    if np.isnan(means).all():
        return np.zeros(len(means), bool)
    best = int(np.nanargmax(means))
    p = student(combo_values(cells[best] - cells), step).p
    p[best] = np.nan
    told = holm(p) < _SIGNIFICANCE
    return ~told & ~np.isnan(means)


def _essays(observations: Observations, scores: Floats, scope: Scope) -> pd.DataFrame:
    import pandas as pd

    essays = observations.essays
    where = (essays.combo, essays.path, essays.place)
    own = scores[where].reshape(len(essays.ids), -1)
    counts, failures = (
        choose(values, scope.rubric, scope.judge)[where].reshape(len(essays.ids), -1)
        for values in (observations.counts, observations.failures)
    )
    mean = mean_of(own, -1)
    n = counts.sum(axis=1)
    variance, freedom = _judgement_variance(observations, own, scope)
    error = np.sqrt(variance / np.maximum((~np.isnan(own)).sum(axis=1) if scope.rubric is None else n, 1))
    half = student_factor(freedom) * error if freedom else np.full(len(mean), np.nan)
    told = ~np.isnan(mean) & (freedom > 0)
    bounds = observations.scale_of(scope.rubric) or (-np.inf, np.inf)
    names = {
        factor: np.array(observations.levels[factor], dtype=object)[observations.path_levels(factor)[essays.path]]
        for factor in ESSAY_FACTORS
    }
    frame = pd.DataFrame(
        {
            "kind": "essay",
            "rank": _ranks(mean),
            "essay": essays.ids,
            "combo_id": np.array(observations.combos, dtype=object)[essays.combo],
            **names,
            "mean": mean,
            "low": np.where(told, np.clip(mean - half, *bounds), np.nan),
            "high": np.where(told, np.clip(mean + half, *bounds), np.nan),
            "may_be_best": _told_essays(mean, error, freedom),
            "n_combos": 1,
            "n_scores": n,
            "n_failed": failures.sum(axis=1),
            "method": np.where(told, ESSAY_METHOD, "none"),
            "note": np.where(np.isnan(mean), "no score", "" if freedom else _NO_REPEATS),
        }
    )
    return frame.sort_values("rank", kind="stable")


def _judgement_variance(observations: Observations, own: Floats, scope: Scope) -> tuple[float, int]:
    """The variance of one judgement of a given essay, and its degrees of freedom: replicates, or pooled judges."""
    if scope.rubric is None:
        there = ~np.isnan(own)
        freedom = int(there.sum() - there.any(axis=1).sum() - (there.any(axis=0).sum() - 1))
        residuals = own - mean_of(own, -1)[:, None]
        residuals -= mean_of(residuals, 0)
        return (float(np.nansum(residuals**2)) / freedom, freedom) if freedom > 0 else (np.nan, 0)
    records = observations.records
    chosen = (records.rubric == scope.rubric) & (records.judge == scope.judge) & ~np.isnan(records.score)
    return within_variance(records.essay[chosen], records.score[chosen])


def within_variance(group: Any, values: Floats) -> tuple[float, int]:
    """The pooled variance within groups and its degrees of freedom; (NaN, 0) where no group has two values.

    Replicates that are all equal tell of a variance below what the scale resolves, not of none: it counts as NaN too.
    """
    if not len(values):
        return np.nan, 0
    n = np.bincount(group)
    means = np.bincount(group, weights=values) / np.maximum(n, 1)
    freedom = int(len(values) - (n > 0).sum())
    squares = float(((values - means[group]) ** 2).sum())
    return (squares / freedom, freedom) if freedom > 0 and squares > 0 else (np.nan, 0)


def _told_essays(mean: Floats, error: Floats, freedom: int) -> Any:
    """Which essays may be the best one; all of them where judgements were not repeated."""
    there = ~np.isnan(mean)
    if not freedom or not there.any():
        return there
    from scipy.special import stdtrit

    best = int(np.nanargmax(mean))
    factor = stdtrit(freedom, 1 - (1 - CONFIDENCE) / 2 / max(int(there.sum()) - 1, 1))
    return there & (mean[best] - mean <= factor * np.sqrt(error**2 + error[best] ** 2))


def _ranks(means: Floats) -> Any:
    """1 for the highest; equal means share the best rank of theirs; what has no mean comes last."""
    import pandas as pd

    return pd.Series(means).round(9).rank(method="min", ascending=False, na_option="bottom").astype(int).to_numpy()

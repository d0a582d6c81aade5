"""The scores of a cohort as an array: made from the data frame of a `parsed_scores.csv`, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daydreaming.base.errors import Fault, InputError
from daydreaming.results.statistics.intervals import Floats, mean_of
from daydreaming.results.statistics.score_columns import (
    ESSAY_FACTORS,
    FACTORS,
    JUDGING_FACTORS,
    REQUIRED,
    TABLE,
    check_columns,
    check_essays,
    check_rows,
    numbers_of,
    texts_of,
)

if TYPE_CHECKING:
    import pandas as pd

_OPTIONAL = ("essay_chars", "essay_cost_usd", "evaluation_cost_usd")
_USUAL_SCALE = (0.0, 10.0)
_SCALE_COLUMNS = ("score_min", "score_max")
_MOST_CELLS = 50_000_000

# Kinds of failure that say something of the network, the provider or the machine, and nothing of the text.
_CIRCUMSTANCES = (
    "missing_key",
    "api",
    "rate_limit",
    "timeout",
    "connection",
    "budget",
    "offline",
    "storage",
    "internal",
)

Codes = npt.NDArray[np.int64]
Scale = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Essays:
    """The essays of a cohort, an entry of each array for each: where they lie in the array of scores, what is known.

    `derived` marks those that were made from another one of them, as revisions are.
    """

    ids: tuple[str, ...]
    combo: Codes
    path: Codes
    place: Codes
    characters: Floats | None
    cost_usd: Floats | None
    derived: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Observations:
    """Scores by `(combo, path, essay, rubric, judge)`, replicates averaged; NaN where there is none.

    A path is a draft template, an essay template and a generation model; `paths` has their codes, one row each. The
    axis of essays numbers those of the same combo and path. `levels` has the names of each factor's levels, sorted.
    `counts` and `failures` have how many evaluations have a score, and have none; `dependent_failures` those of the
    latter whose essay was judged and that may depend on it (refusals, cut or unreadable replies: all kinds but those of
    network, provider and machine). `records` has each single evaluation. `step` is how far two scores lie apart at
    least. `scales` has the lowest and the highest score of each rubric; None where scores lie outside of them.
    """

    combos: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]
    paths: Codes
    scores: Floats
    counts: Codes
    failures: Codes
    dependent_failures: Codes
    essays: Essays
    records: Records
    step: float
    scales: tuple[Scale | None, ...]

    @property
    def rubrics(self) -> tuple[str, ...]:
        """The rubrics' ids (`evaluation_template`)."""
        return self.levels["evaluation_template"]

    @property
    def judges(self) -> tuple[str, ...]:
        """The judges' ids (`evaluation_llm_model`)."""
        return self.levels["evaluation_llm_model"]

    @cached_property
    def cells(self) -> Floats:
        """The scores by `(combo, path, rubric, judge)`: essays of the same combo and path averaged."""
        return mean_of(self.scores, -3)

    def scale_of(self, rubric: int | None) -> Scale | None:
        """The scale of a rubric; of all of them (None) the one that they share. None where there is none."""
        if rubric is not None:
            return self.scales[rubric]
        return self.scales[0] if len(set(self.scales)) == 1 else None

    def path_levels(self, factor: str) -> Codes:
        """The level of an essay factor for each path."""
        return self.paths[:, ESSAY_FACTORS.index(factor)]


@dataclass(frozen=True, slots=True)
class Records:
    """One entry for each evaluation: its essay, rubric, judge, score (NaN if it failed), kind of failure, price.

    `unwritten` marks those that failed because their essay or its draft did: no judge has seen them.
    """

    essay: Codes
    rubric: Codes
    judge: Codes
    score: Floats
    error: npt.NDArray[np.object_]
    unwritten: npt.NDArray[np.bool_]
    cost_usd: Floats | None


def read_observations(scores: pd.DataFrame) -> Observations:
    """Check a table of scores and arrange it.

    Raises InputError for a missing column, a row with neither or both of a score and an error, a score that is no
    number, an essay that is said to be of two combos or templates, and a table with no row.
    """
    import pandas as pd

    check_columns(scores)
    text = {column: texts_of(scores[column]) for column in REQUIRED if column != "score"}
    # Which generation failed: the evaluation, or its essay or draft. A table from elsewhere need not say.
    text["failed_gen_id"] = texts_of(scores["failed_gen_id"]) if "failed_gen_id" in scores else text["gen_id"]
    value = numbers_of(scores, "score")
    text["made_from"] = texts_of(scores["made_from"]) if "made_from" in scores else np.full(len(scores), "", object)
    check_rows(scores, text, value)
    value = np.where(text["error"] == "", value, np.nan)
    keys = pd.DataFrame({c: text[c] for c in ("gen_id", "parent_gen_id", *JUDGING_FACTORS)})
    if "stage" in scores:
        keys["stage"] = texts_of(scores["stage"])
    keep = np.flatnonzero(~keys.duplicated().to_numpy())
    text, value = {column: values[keep] for column, values in text.items()}, value[keep]
    optional = {
        column: numbers_of(scores, column)[keep] if column in scores else None for column in _OPTIONAL + _SCALE_COLUMNS
    }
    return _arrange(text, value, optional)


def _arrange(text: dict[str, Any], value: Floats, optional: dict[str, Floats | None]) -> Observations:
    codes: dict[str, Codes] = {}
    levels: dict[str, tuple[str, ...]] = {}
    for column in ("parent_gen_id", "combo_id", *FACTORS):
        names, codes[column] = _codes(text[column])
        levels[column] = names
    essay = codes["parent_gen_id"]
    first = np.unique(essay, return_index=True)[1]
    check_essays(text, essay, first)
    combo = codes["combo_id"][first]
    paths, path = np.unique(
        np.stack([codes[factor][first] for factor in ESSAY_FACTORS], axis=1), axis=0, return_inverse=True
    )
    place = _numbered(combo * len(paths) + path)
    shape = (len(levels["combo_id"]), len(paths), int(place.max()) + 1, *(len(levels[f]) for f in JUDGING_FACTORS))
    if np.prod(shape, dtype=float) > _MOST_CELLS:
        cure = "Analyse fewer cohorts at a time."
        raise InputError(
            Fault(TABLE, f"its design {shape} (combos, paths, essays, rubrics, judges) is too large.", cure)
        )
    rubric, judge = (codes[factor] for factor in JUDGING_FACTORS)
    where = np.ravel_multi_index((combo[essay], path[essay], place[essay], rubric, judge), shape)
    scored = ~np.isnan(value)
    size = int(np.prod(shape))
    counts = np.bincount(where[scored], minlength=size)
    sums = np.bincount(where[scored], weights=value[scored], minlength=size)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    failures = np.bincount(where[~scored], minlength=size)
    unwritten = ~scored & (text["failed_gen_id"] != "") & (text["failed_gen_id"] != text["gen_id"])
    dependent = ~scored & ~unwritten & ~np.isin(text["error"], _CIRCUMSTANCES)
    characters, essay_cost = optional["essay_chars"], optional["essay_cost_usd"]
    return Observations(
        combos=levels["combo_id"],
        levels={factor: levels[factor] for factor in FACTORS},
        paths=paths,
        scores=means.reshape(shape),
        counts=counts.reshape(shape),
        failures=failures.reshape(shape),
        dependent_failures=np.bincount(where[dependent], minlength=size).reshape(shape),
        essays=Essays(
            ids=levels["parent_gen_id"],
            combo=combo,
            path=path.reshape(-1),
            place=place,
            characters=None if characters is None else characters[first],
            cost_usd=None if essay_cost is None else essay_cost[first],
            derived=np.isin(text["made_from"][first], levels["parent_gen_id"]),
        ),
        records=Records(essay, rubric, judge, value, text["error"], unwritten, optional["evaluation_cost_usd"]),
        step=_step(value[scored]),
        scales=_scales(rubric, len(levels["evaluation_template"]), value, [optional[c] for c in _SCALE_COLUMNS]),
    )


def _codes(values: Any) -> tuple[tuple[str, ...], Codes]:
    names: Sequence[str] = sorted(set(values))
    number = {name: code for code, name in enumerate(names)}
    return tuple(names), np.fromiter((number[value] for value in values), np.int64, len(values))


def _numbered(groups: Codes) -> Codes:
    """Number the members of each group from 0, in their order."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.r_[0, np.flatnonzero(np.diff(ordered)) + 1]
    begins = np.repeat(starts, np.diff(np.r_[starts, len(ordered)]))
    numbers = np.empty(len(groups), np.int64)
    numbers[order] = np.arange(len(groups)) - begins
    return numbers


def _scales(rubric: Codes, rubrics: int, value: Floats, ends: Sequence[Floats | None]) -> tuple[Scale | None, ...]:
    """The scale of each rubric as its rows say it; 0 to 10 where the table, which may be from elsewhere, does not."""
    found: list[Scale | None] = []
    for code in range(rubrics):
        own = rubric == code
        given = [set(end[own & ~np.isnan(end)]) if end is not None else set() for end in ends]
        if any(len(values) > 1 for values in given):
            found.append(None)
            continue
        lowest, highest = (
            float(values.pop()) if values else usual for values, usual in zip(given, _USUAL_SCALE, strict=True)
        )
        scores = value[own & ~np.isnan(value)]
        is_within = lowest < highest and bool(((scores >= lowest) & (scores <= highest)).all())
        found.append((lowest, highest) if is_within else None)
    return tuple(found)


def _step(values: Floats) -> float:
    """How far two scores lie apart at least: 1 for whole numbers; where all scores are equal, 1 if they are whole."""
    distinct = np.unique(values)
    if len(distinct) == 0:
        return 1.0
    whole = bool(np.all(distinct == np.round(distinct)))
    if whole:
        return 1.0
    return float(np.min(np.diff(distinct))) if len(distinct) > 1 else 0.1

"""Where the differences between scores come from: variance components from a crossed mixed model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from daydreaming.results.statistics.comparison import Method
from daydreaming.results.statistics.interactions import interaction_variance
from daydreaming.results.statistics.intervals import Floats
from daydreaming.results.statistics.observations import Codes, Observations
from daydreaming.results.statistics.score_columns import ESSAY_FACTORS, FACTORS, JUDGING_FACTORS
from daydreaming.results.statistics.tables import as_frame, cannot_tell, joined

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "component",
    "kind",
    "variance",
    "deviation",
    "share",
    "n_levels",
    "n_scores",
    "n_failed",
    "unit",
    "method",
    "note",
)
REST = "rest"
FIXED, RANDOM = "among these levels", "random"
_MIXED = "crossed mixed model, REML (mixedlm); factors fixed, combos and what is made from them random"
_PAIRS = "mean square of the differences between levels, less their sampling error"
_NO_INTERVAL = "no interval: none is offered whose coverage was shown"
_REPEATED = "between judgements of one essay by one judge"
_NOT_REPEATED = "no essay was judged twice by one judge, so that judgements and what is made from essays are one"
_FEWEST_COMBOS = 2
# A fit's time grows faster than its scores: 2.3 s for 2,700, 40 s for 50,000.
_SCORES_OF_ONE_FIT = 3000
_SCORES_OF_PART = 1500
_FEWEST_IN_PART = 8
_MOST_PARTS = 6
# Pairs of pairs of levels grow with the fourth power.
_MOST_LEVELS = 12


@dataclass(frozen=True, slots=True)
class MixedFit:
    """The random components of a cohort by name; a name joins with " + " what the design cannot separate.

    `n_combos` says how many combos were fitted, in `n_parts` parts.
    """

    variances: Mapping[str, float]
    n_levels: Mapping[str, int]
    n_combos: int
    n_parts: int


def fit_components(observations: Observations) -> MixedFit | None:
    """Fit combos and what is made from them as crossed random effects; None if the cohort does not determine them.

    Templates, models, rubrics and judges are fixed, with the interactions of essay factors and judging: they are these
    ones, not a sample. Texts that were made from others of the table (revisions) share the accidents of these, which
    would pass for those of drafts and combos: they are left out. A large cohort is fitted in parts of whole combos,
    which are independent of each other, and the variances are averaged.
    """
    records = observations.records
    scored = np.flatnonzero(~np.isnan(records.score) & ~observations.essays.derived[records.essay])
    combo = observations.essays.combo[records.essay[scored]]
    parts = [part for part in _parts(combo) if np.ptp(records.score[scored[part]]) > 0]
    codes = _codes(observations, scored)
    groups = _separable(_groupings(observations, codes), len(scored)) if len(scored) > 2 else {}
    if not parts or not groups or len(np.unique(combo)) < _FEWEST_COMBOS:
        return None
    fits = [fit for part in parts if (fit := _fit(records.score[scored], codes, groups, part)) is not None]
    if not fits:
        return None
    variances = {name: float(np.mean([fit[name] for fit in fits])) for name in fits[0]}
    n_levels = {name: int(group.max()) + 1 for name, group in groups.items()} | {REST: len(scored)}
    n_combos = len(np.unique(combo[np.concatenate(parts)]))
    return MixedFit(variances, n_levels, n_combos, len(fits))


def _parts(combo: Codes) -> list[Codes]:
    """The scores of all combos as one part, or, of many, in some parts of whole combos drawn evenly from the cohort."""
    n = len(combo)
    if n <= _SCORES_OF_ONE_FIT:
        return [np.arange(n)] if n else []
    numbers = np.unique(combo, return_inverse=True)[1].reshape(-1)
    n_combos = int(numbers.max()) + 1
    size = max(_FEWEST_IN_PART, round(_SCORES_OF_PART * n_combos / n))
    n_parts = max(1, n_combos // size)
    part_of = numbers % n_parts
    return [np.flatnonzero(part_of == part) for part in range(min(n_parts, _MOST_PARTS))]


def _fit(score: Floats, codes: dict[str, Codes], groups: dict[str, Codes], part: Codes) -> dict[str, float] | None:
    import mixedlm
    import pandas as pd

    table = pd.DataFrame({"score": score[part]} | {factor: codes[factor][part].astype(str) for factor in FACTORS})
    random = {f"g{number}": name for number, name in enumerate(groups)}
    for column, name in random.items():
        table[column] = groups[name][part].astype(str)
    fixed = _fixed({factor: codes[factor][part] for factor in FACTORS})
    formula = f"score ~ {fixed} + " + " + ".join(f"(1|{column})" for column in random)
    control = mixedlm.lmerControl(optimizer="L-BFGS-B", calc_derivs=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few levels and components at zero are said in the table
        try:
            fit = mixedlm.lmer(formula, table, control=control)
            found = fit.VarCorr().as_dict()
        except (ValueError, ArithmeticError, RuntimeError):
            return None
    variances = {name: max(0.0, float(found[column]["(Intercept)"])) for column, name in random.items()}
    return variances | {REST: float(fit.sigma) ** 2}


def components(observations: Observations, contrasts: pd.DataFrame, fit: MixedFit | None) -> pd.DataFrame:
    """All components: of the factors among the cohort's own levels, and of combos, drafts, essays and judgements."""
    rows = [_factor_row(observations, contrasts, factor) for factor in FACTORS]
    rows += [_interaction_row(observations, *pair) for pair in _interacting(observations)]
    if fit is None:
        note = cannot_tell(
            "its scores do not vary, or too few combos have any", "scores that differ on 2 combos and more"
        )
        rows.append(
            {"component": "combo", "kind": RANDOM, "variance": np.nan, "method": Method.NONE.value, "note": note}
        )
    else:
        rows += [_random_row(fit, name) for name in fit.variances]
        repeated = int(observations.counts.max()) > 1
        rows[-1]["note"] = joined(_REPEATED if repeated else _NOT_REPEATED, rows[-1]["note"])
    for row in rows:
        if row["kind"] == RANDOM:
            row["note"] = joined(_left_out(observations), row["note"])
    total = sum(row["variance"] for row in rows if not np.isnan(row["variance"]))
    counts = {"n_scores": int(observations.counts.sum()), "n_failed": int(observations.failures.sum())}
    for row in rows:
        row |= counts | {"unit": "points squared", "deviation": np.sqrt(row["variance"])}
        row["share"] = row["variance"] / total if total > 0 else np.nan
    return as_frame(rows, COLUMNS)


def _random_row(fit: MixedFit, name: str) -> dict[str, Any]:
    variance = fit.variances[name]
    at_zero = "at zero: none can be seen" if variance <= 1e-8 else ""
    row = {"component": name, "kind": RANDOM, "variance": variance, "n_levels": fit.n_levels[name], "method": _MIXED}
    in_parts = f"mean of {fit.n_parts} fits, of {fit.n_combos} combos together" if fit.n_parts > 1 else ""
    return row | {"note": joined(at_zero, in_parts, _NO_INTERVAL)}


def _left_out(observations: Observations) -> str:
    """Say of how many scores the random components are not."""
    records = observations.records
    number = int((~np.isnan(records.score) & observations.essays.derived[records.essay]).sum())
    return f"without {number} scores of texts that were made from judged ones" if number else ""


def _factor_row(observations: Observations, contrasts: pd.DataFrame, factor: str) -> dict[str, Any]:
    """The variance among a factor's levels: (difference squared - squared standard error) / 2, over all pairs."""
    n = len(observations.levels[factor])
    row: dict[str, Any] = {"component": factor, "kind": FIXED, "variance": np.nan, "n_levels": n}
    own = contrasts[(contrasts.factor == factor) & (contrasts.rubric == "") & (contrasts.judge == "")]
    estimates = ((own.difference**2 - own.standard_error**2) / 2).dropna()
    if estimates.empty:
        reason = f"it has one {factor}" if n == 1 else "too few combos have two levels of it"
        return row | {"method": Method.NONE.value, "note": cannot_tell(reason, "two levels on the same 4 combos")}
    return row | {"variance": max(0.0, float(estimates.mean())), "method": _PAIRS, "note": _NO_INTERVAL}


def _interacting(observations: Observations) -> list[tuple[str, str]]:
    """The pairs of factors of two levels and more: essay factors with each other, and with the judge."""
    several = [factor for factor in FACTORS if 1 < len(observations.levels[factor]) <= _MOST_LEVELS]
    return [
        (factor, other)
        for factor, other in combinations(several, 2)
        if factor in ESSAY_FACTORS and other != "evaluation_template"
    ]


def _interaction_row(observations: Observations, factor: str, other: str) -> dict[str, Any]:
    variance = interaction_variance(observations, factor, other)
    n = len(observations.levels[factor]) * len(observations.levels[other])
    row = {"component": f"{factor} x {other}", "kind": FIXED, "variance": variance, "n_levels": n}
    if np.isnan(variance):
        note = cannot_tell("fewer than 4 combos have two levels of both", "these on the same 4 combos")
        return row | {"method": Method.NONE.value, "note": note}
    return row | {"method": _PAIRS, "note": _NO_INTERVAL}


def _codes(observations: Observations, scored: Codes) -> dict[str, Codes]:
    essay = observations.records.essay[scored]
    path = observations.essays.path[essay]
    codes = {factor: observations.path_levels(factor)[path] for factor in ESSAY_FACTORS}
    codes |= {
        "evaluation_template": observations.records.rubric[scored],
        "evaluation_llm_model": observations.records.judge[scored],
        "combo": observations.essays.combo[essay],
        "essay": essay,
    }
    return codes


def _groupings(observations: Observations, codes: dict[str, Codes]) -> dict[str, Codes]:
    """The candidates for random effects, the coarse ones first; a factor of one level divides nothing."""
    combo, essay = codes["combo"], codes["essay"]
    several = [factor for factor in FACTORS if len(np.unique(codes[factor])) > 1]
    groups = {"combo": combo}
    for factor in several:
        groups[f"combo x {factor}"] = _crossed(combo, codes[factor])
    if {"draft_template", "generation_model"} & set(several):
        groups["draft"] = _crossed(_crossed(combo, codes["draft_template"]), codes["generation_model"])
    groups["essay"] = essay
    for factor in (factor for factor in several if factor in JUDGING_FACTORS):
        groups[f"essay x {factor}"] = _crossed(essay, codes[factor])
    return groups


def _separable(groups: dict[str, Codes], n: int) -> dict[str, Codes]:
    """Join the groupings that are the same in this cohort, and drop those that have a group for each score."""
    kept: dict[bytes, tuple[str, Codes]] = {}
    for name, group in groups.items():
        canonical = _canonical(group)
        key = canonical.tobytes()
        if int(canonical.max()) + 1 == n or int(canonical.max()) == 0:
            continue
        label = f"{kept[key][0]} + {name}" if key in kept else name
        kept[key] = (label, canonical)
    return dict(kept.values())


def _canonical(group: Codes) -> Codes:
    """The same grouping, numbered in order of first appearance."""
    first, inverse = np.unique(group, return_index=True, return_inverse=True)[1:]
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    result: Codes = rank[inverse.reshape(-1)]
    return result


def _crossed(left: Codes, right: Codes) -> Codes:
    return left * (int(right.max()) + 1) + right


def _fixed(codes: dict[str, Codes]) -> str:
    """Main effects, and the interactions of essay factors with rubric and judge, of what has more than one level."""
    several = [factor for factor in FACTORS if len(np.unique(codes[factor])) > 1]
    terms = list(several)
    for essay_factor in (f for f in several if f in ESSAY_FACTORS):
        for judging in (f for f in several if f in JUDGING_FACTORS):
            pairs = len(np.unique(_crossed(codes[essay_factor], codes[judging])))
            if pairs == len(np.unique(codes[essay_factor])) * len(np.unique(codes[judging])):
                terms.append(f"{essay_factor}:{judging}")
    return " + ".join(terms) or "1"

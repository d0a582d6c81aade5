"""The design study of a cohort: what it has, what its own scores say of chance, and what its own calls cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daydreaming.results.statistics.comparison import Method
from daydreaming.results.statistics.components import REST, MixedFit
from daydreaming.results.statistics.design_study import (
    COLUMNS,
    METHOD,
    Components,
    Option,
    Plan,
    Prices,
    Study,
    scaled,
)
from daydreaming.results.statistics.observations import Observations
from daydreaming.results.statistics.score_columns import ESSAY_FACTORS
from daydreaming.results.statistics.tables import POINTS, as_frame, cannot_tell, joined

if TYPE_CHECKING:
    import pandas as pd

_STAGES = ("draft", "essay", "evaluation")


def design(observations: Observations, contrasts: pd.DataFrame, fit: MixedFit | None, prices: Prices) -> pd.DataFrame:
    """For each essay factor: the mean half-width of its comparisons now, and for more of everything.

    The components say in which proportions chance averages out; their level is that of the contrasts' own deviations,
    so that the first row is what the contrasts show.
    """
    plan = plan_of(observations)
    rows = []
    for factor in ESSAY_FACTORS:
        observed = _observed_variance(contrasts, factor)
        if observed is None:
            note = cannot_tell(f"no two levels of {factor} share 4 combos", "two levels on the same 4 combos")
            rows.append(_blank(factor, "as it is", plan, note))
            continue
        known = _components(fit, factor)
        study = Study(factor, plan, scaled(known, plan, factor, observed), prices)
        for option in study.options():
            note = _untold(observations, fit, option)
            rows.append(_blank(factor, option.change, option.plan, note) if note else _row(option, prices))
    counts = {"n_scores": int(observations.counts.sum()), "n_failed": int(observations.failures.sum())}
    return as_frame([row | counts for row in rows], COLUMNS)


def plan_of(observations: Observations) -> Plan:
    """How much of everything a cohort has; replicates rounded from their mean where they differ."""
    levels = observations.levels
    essays = observations.essays
    cells = len(np.unique(essays.combo * len(observations.paths) + essays.path))
    judged = observations.counts + observations.failures
    return Plan(
        combos=len(observations.combos),
        draft_templates=len(levels["draft_template"]),
        essay_templates=len(levels["generation_template"]),
        models=len(levels["generation_model"]),
        rubrics=len(observations.rubrics),
        judges=len(observations.judges),
        essays=max(1, round(len(essays.ids) / cells)),
        evaluations=max(1, round(float(judged.sum()) / max(int((judged > 0).sum()), 1))),
    )


def prices_of(observations: Observations, costs: Mapping[str, float] | None) -> Prices:
    """The mean price of a generation of each stage: `costs` by stage where given, else from the table's columns."""
    from_table = {"essay": _mean(observations.essays.cost_usd), "evaluation": _mean(observations.records.cost_usd)}
    if unknown := set(costs or {}) - set(_STAGES):
        raise ValueError(f"costs has {sorted(unknown)[0]!r}; it takes the mean price in USD of: {', '.join(_STAGES)}.")
    return Prices(**{**from_table, **(costs or {})})


def _mean(values: npt.NDArray[np.float64] | None) -> float | None:
    return None if values is None or np.isnan(values).all() else float(np.nanmean(values))


def _observed_variance(contrasts: pd.DataFrame, factor: str) -> float | None:
    """The mean variance of combos' differences between two levels of a factor, over all rubrics and judges."""
    own = contrasts[(contrasts.factor == factor) & (contrasts.rubric == "") & (contrasts.judge == "")]
    told = own[(own.method != Method.NONE.value) & own.low.notna()]
    if told.empty:
        return None
    deviation = (told.high - told.low) / 2 * np.sqrt(told.n_combos) / _factors(told.n_combos)
    return float((deviation**2).mean())


def _factors(n: pd.Series[Any]) -> Any:
    from daydreaming.results.statistics.intervals import student_factor

    return student_factor(n.to_numpy() - 1)


def _components(fit: MixedFit | None, factor: str) -> Components:
    """The components that make the differences of one factor vary. What the design joins is not averaged out."""
    values = dict.fromkeys(Components.__dataclass_fields__, 0.0)
    for name, variance in (fit.variances if fit else {}).items():
        parts = name.split(" + ")
        for part, component in (
            (f"combo x {factor}", "combo_by_level"),
            ("draft", "draft"),
            ("essay", "essay"),
            ("essay x evaluation_llm_model", "essay_by_judge"),
            ("essay x evaluation_template", "essay_by_rubric"),
            (REST, "evaluation"),
        ):
            if part in parts:
                values[component] += variance
                break
    return Components(**values)


def _untold(observations: Observations, fit: MixedFit | None, option: Option) -> str:
    """Why an option cannot be told; "" if it can."""
    if "combo" in option.change or option.change == "as it is":
        return ""
    if fit is None:
        return cannot_tell("its variance components are not determined", "scores that differ")
    if "evaluation" in option.change and int(observations.counts.max()) < 2:
        return cannot_tell("no essay was judged twice by one judge", "replicates of evaluations")
    if "judge" in option.change and len(observations.judges) < 2:
        return cannot_tell("it has one judge", "a second judge of the same essays")
    if "each essay" in option.change and not any(name == "essay" for name in fit.variances):
        return cannot_tell("chance of essays cannot be separated from other chance", "replicates of essays")
    return ""


def _blank(factor: str, change: str, plan: Plan, note: str) -> dict[str, Any]:
    blank = dict.fromkeys(("half_width", "smallest_difference", "price_usd"), np.nan)
    return (
        _sizes(plan)
        | blank
        | {
            "factor": factor,
            "change": change,
            "text": f"{change}: {note}",
            "unit": POINTS,
            "method": Method.NONE.value,
            "note": note,
        }
    )


def _sizes(plan: Plan) -> dict[str, int]:
    return {
        "combos": plan.combos,
        "essays": plan.combos * plan.essays_of_combo,
        "evaluations": plan.combos * plan.evaluations_of_combo,
        "judges": plan.judges,
    }


def _row(option: Option, prices: Prices) -> dict[str, Any]:
    no_price = (
        "" if option.price_usd is not None else cannot_tell("it has no costs", "essay_cost_usd, evaluation_cost_usd")
    )
    no_drafts = "the price leaves out drafts" if option.price_usd is not None and prices.draft is None else ""
    return _sizes(option.plan) | {
        "factor": option.factor,
        "change": option.change,
        "half_width": option.half_width,
        "smallest_difference": option.smallest_difference,
        "price_usd": np.nan if option.price_usd is None else option.price_usd,
        "text": option.text,
        "unit": POINTS,
        "method": METHOD,
        "note": joined(
            f"price {no_price}" if no_price else "",
            no_drafts if "combo" in option.change or option.change == "as it is" else "",
        ),
    }

"""What more would buy: the interval of a comparison, and its price, for more combos, essays, judgements and judges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from daydreaming.results.statistics.intervals import FEWEST_COMBOS, student_factor

POWER = 0.8
COLUMNS = (
    "factor",
    "change",
    "combos",
    "essays",
    "evaluations",
    "judges",
    "half_width",
    "smallest_difference",
    "price_usd",
    "text",
    "n_scores",
    "n_failed",
    "unit",
    "method",
    "note",
)
METHOD = "Student's t from the variance components; noncentral t for the power of 80%"


@dataclass(frozen=True, slots=True)
class Components:
    """Variances, in points squared, of what makes the difference between two levels vary from combo to combo.

    `combo_by_level` is how differently the two levels do on different combos; `draft`, `essay`, `essay_by_judge`,
    `essay_by_rubric` and `evaluation` are chance, which more of the same averages out.
    """

    combo_by_level: float
    draft: float = 0.0
    essay: float = 0.0
    essay_by_judge: float = 0.0
    essay_by_rubric: float = 0.0
    evaluation: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything a cohort has. `essays` and `evaluations` are replicates."""

    combos: int
    draft_templates: int = 1
    essay_templates: int = 1
    models: int = 1
    rubrics: int = 1
    judges: int = 1
    essays: int = 1
    evaluations: int = 1

    @property
    def drafts_of_combo(self) -> int:
        """Drafts made from one combo."""
        return self.draft_templates * self.models

    @property
    def essays_of_combo(self) -> int:
        """Essays made from one combo."""
        return self.drafts_of_combo * self.essay_templates * self.essays

    @property
    def evaluations_of_combo(self) -> int:
        """Judgements paid for one combo."""
        return self.essays_of_combo * self.rubrics * self.judges * self.evaluations


@dataclass(frozen=True, slots=True)
class Prices:
    """What one generation of each stage costs in USD on average; None is unknown."""

    draft: float | None = None
    essay: float | None = None
    evaluation: float | None = None

    def of(self, plan: Plan) -> float | None:
        """What a whole plan costs; None if that is unknown. An unknown price of drafts counts as nothing."""
        if self.essay is None or self.evaluation is None:
            return None
        combo: float = plan.drafts_of_combo * (self.draft or 0.0) + plan.essays_of_combo * self.essay
        return plan.combos * (combo + plan.evaluations_of_combo * self.evaluation)


_LEVELS_OF = {
    "draft_template": "draft_templates",
    "generation_template": "essay_templates",
    "generation_model": "models",
}


def difference_variance(components: Components, plan: Plan, factor: str) -> float:
    """The variance from combo to combo of the difference between two levels of an essay factor, in points squared."""
    levels: int = getattr(plan, _LEVELS_OF[factor])
    essays = max(1, plan.essays_of_combo // levels)
    drafts = max(1, plan.drafts_of_combo // levels) if factor != "generation_template" else plan.drafts_of_combo
    draft = 0.0 if factor == "generation_template" else components.draft / drafts  # both templates use the same drafts
    judged = essays * plan.rubrics * plan.judges * plan.evaluations
    return 2 * (
        components.combo_by_level
        + draft
        + components.essay / essays
        + components.essay_by_judge / (essays * plan.judges)
        + components.essay_by_rubric / (essays * plan.rubrics)
        + components.evaluation / judged
    )


def half_width(variance: float, combos: int) -> float:
    """The half-width of the 95% interval from n combos' differences: t(0.975; n - 1) s / sqrt(n); NaN below four."""
    if combos < FEWEST_COMBOS:
        return math.nan
    return float(student_factor(combos - 1)) * math.sqrt(variance / combos)


def smallest_difference(variance: float, combos: int) -> float:
    """The true difference that a paired t test at 5% finds with 80% power; NaN below four combos.

    The noncentrality at which the noncentral t exceeds the critical value with that probability (Cohen 1988).
    """
    from scipy.special import nctdtrinc

    if combos < FEWEST_COMBOS:
        return math.nan
    noncentrality = float(nctdtrinc(combos - 1, 1 - POWER, float(student_factor(combos - 1))))
    return noncentrality * math.sqrt(variance / combos)


@dataclass(frozen=True, slots=True)
class Option:
    """A change of a plan and what it would bring for the comparison of one factor's levels."""

    factor: str
    change: str
    plan: Plan
    half_width: float
    smallest_difference: float
    price_usd: float | None

    @property
    def text(self) -> str:
        """The option in a sentence: "12 more combos: ±0.31 for 4.20 USD"."""
        if math.isnan(self.half_width):
            return f"{self.change}: no interval below {FEWEST_COMBOS} combos"
        price = "" if self.price_usd is None else f" for {self.price_usd:.2f} USD"
        return f"{self.change}: ±{self.half_width:.2f}{price}"


@dataclass(frozen=True, slots=True)
class Changes:
    """By how much each part of a plan is enlarged in a design study."""

    combos: tuple[int, ...] = (4, 12, 24)
    essays: tuple[int, ...] = (1, 2)
    evaluations: tuple[int, ...] = (1, 2)
    judges: tuple[int, ...] = (1, 2)


@dataclass(frozen=True, slots=True)
class Study:
    """What a design study needs to know: a plan, its factor's components, prices, and how much is to be added."""

    factor: str
    plan: Plan
    components: Components
    prices: Prices = field(default_factory=Prices)
    changes: Changes = field(default_factory=Changes)

    def options(self) -> Iterator[Option]:
        """The plan as it is, with its price, then each change of it alone, with what that costs more."""
        yield self._option("as it is", self.plan, whole=True)
        for part, singular in (
            ("combos", "combo"),
            ("essays", "replicate of each essay"),
            ("evaluations", "replicate of each evaluation"),
            ("judges", "judge"),
        ):
            for more in getattr(self.changes, part):
                plural = singular if more == 1 else singular.replace("replicate", "replicates", 1)
                noun = plural if more == 1 or "replicate" in singular else f"{singular}s"
                plan = replace(self.plan, **{part: getattr(self.plan, part) + more})
                yield self._option(f"{more} more {noun}", plan, whole=False)

    def _option(self, change: str, plan: Plan, *, whole: bool) -> Option:
        variance = difference_variance(self.components, plan, self.factor)
        price, paid = self.prices.of(plan), self.prices.of(self.plan)
        if price is not None and paid is not None and not whole:
            price -= paid
        return Option(
            self.factor,
            change,
            plan,
            half_width(variance, plan.combos),
            smallest_difference(variance, plan.combos),
            price,
        )


def scaled(components: Components, plan: Plan, factor: str, observed: float) -> Components:
    """The components in their proportions, such that they give the variance of differences that was observed."""
    expected = difference_variance(components, plan, factor)
    if expected <= 0:
        return Components(combo_by_level=observed / 2)
    ratio = observed / expected
    return Components(**{name: getattr(components, name) * ratio for name in _FIELDS})


_FIELDS = tuple(Components.__dataclass_fields__)


def components_from(values: Mapping[str, float]) -> Components:
    """Components from their names; raises ValueError for an unknown name or a negative variance."""
    if unknown := set(values) - set(_FIELDS):
        raise ValueError(f"{sorted(unknown)[0]!r} is no component. There are: {', '.join(_FIELDS)}.")
    if any(value < 0 or not math.isfinite(value) for value in values.values()):
        raise ValueError("a variance is a number of at least 0.")
    return Components(**{"combo_by_level": 0.0, **values})

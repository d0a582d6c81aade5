"""Verdicts of known truth: judges who compare essays of simulated cohorts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from daydreaming.results.statistics.preferences.verdicts import Comparisons, Verdict


@dataclass(frozen=True)
class VerdictDesign:
    """How many of everything, and how verdicts come about; effects are log-odds.

    `combo_model` is the deviation of a model's strength between combos, `essay` that of an essay, `pair` that of what a
    judge sees in a pair, in both orders. Judges are called as the models are; each adds `own` to its own model's texts.
    """

    name: str
    combos: int
    models: int = 3
    essays: int = 2
    judges: int = 1
    spread: float = 0.6
    combo_model: float = 0.5
    essay: float = 0.5
    pair: float = 0.5
    position: float = 0.4
    tie: float | None = -0.3
    length: float = 0.5
    own: float = 0.5
    kept: float = 1.0

    @property
    def model_names(self) -> tuple[str, ...]:
        return tuple(f"m{number}" for number in range(self.models))


def simulate_verdicts(design: VerdictDesign, seed: int, combos: int | None = None) -> Comparisons:
    """A cohort's verdicts; `combos` replaces the design's number of them."""
    random = np.random.default_rng(seed)
    n = combos or design.combos
    size = design.models * design.essays
    model = np.tile(np.repeat(np.arange(design.models), design.essays), n)
    strength = np.linspace(-design.spread, design.spread, design.models)[None, :]
    strength = strength + random.normal(0, design.combo_model, (n, design.models))
    length = 3000 + 300 * model + random.normal(0, 800, n * size).round()
    quality = np.repeat(strength, design.essays, axis=1).ravel() + random.normal(0, design.essay, n * size)
    quality = quality + design.length * (length - 3000) / 800
    ends = np.array(list(combinations(range(size), 2)))
    low, high = ((ends[None, :, end] + size * np.arange(n)[:, None]).ravel() for end in (0, 1))
    kept = random.random(len(low)) < design.kept
    low, high = low[kept], high[kept]
    parts = []
    for judge in range(design.judges):
        seen = quality[low] - quality[high] + random.normal(0, design.pair, len(low))
        seen = seen + design.own * ((model[low] == judge).astype(float) - (model[high] == judge))
        for order, (first, second, sign) in enumerate(((low, high, 1), (high, low, -1)), start=1):
            points = _drawn(sign * seen + design.position, design.tie, random)
            parts.append((first, second, np.full(len(first), judge), np.full(len(first), order), points))
    first, second, judges, orders, points = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Comparisons(
        combos=tuple(f"k{number}" for number in range(n)),
        essays=tuple(f"e{number}" for number in range(n * size)),
        models=design.model_names,
        judges=design.model_names[: design.judges],
        model=model,
        length=length,
        combo=first // size,
        first=first,
        second=second,
        judge=judges,
        order=orders,
        replicate=np.ones(len(first), np.int64),
        points=points,
    )


def _drawn(eta: np.ndarray, tie: float | None, random: np.random.Generator) -> np.ndarray:
    win, loss = np.exp(eta / 2), np.exp(-eta / 2)
    tied = np.zeros(len(eta)) if tie is None else np.full(len(eta), np.exp(tie))
    place = random.random(len(eta)) * (win + tied + loss)
    return np.where(place < win, 1.0, np.where(place < win + tied, 0.5, 0.0))


def records(comparisons: Comparisons) -> list[Verdict]:
    """The same verdicts as records."""
    letters = {1.0: "A", 0.5: "tie", 0.0: "B"}
    model_of = [comparisons.models[model] for model in comparisons.model]
    return [
        Verdict(
            combo_id=comparisons.combos[comparisons.combo[row]],
            essay_a=comparisons.essays[a],
            essay_b=comparisons.essays[b],
            model_a=model_of[a],
            model_b=model_of[b],
            length_a=float(comparisons.length[a]),
            length_b=float(comparisons.length[b]),
            judge=comparisons.judges[comparisons.judge[row]],
            verdict=letters.get(comparisons.points[row], ""),
            order=int(comparisons.order[row]),
            replicate=int(comparisons.replicate[row]),
        )
        for row, (a, b) in enumerate(zip(comparisons.first, comparisons.second, strict=True))
    ]


VERDICT_DESIGNS = (
    VerdictDesign("6 combos, 2 models, one text each", 6, 2, 1),
    VerdictDesign("6 combos, 3 models, two texts each", 6),
    VerdictDesign("12 combos, 2 models, one text each", 12, 2, 1),
    VerdictDesign("12 combos, 3 models, two texts each, 2 judges", 12, judges=2),
    VerdictDesign("12 combos, 3 models, no ties", 12, tie=None),
    VerdictDesign("12 combos, 4 models, half of the pairs", 12, 4, 2, kept=0.5),
    VerdictDesign("12 combos, combos differ much", 12, combo_model=1.2),
    VerdictDesign("40 combos, 3 models, one text each", 40, 3, 1),
    VerdictDesign("40 combos, 3 models, two texts each, 2 judges", 40, judges=2),
)

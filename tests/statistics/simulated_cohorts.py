"""Cohorts of known truth: what a cohort's scores would be, many times over, and what they are samples of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from daydreaming.results.statistics.score_columns import ESSAY_FACTORS


@dataclass(frozen=True)
class Deviations:
    """Standard deviations of the random effects, in points of the scale.

    `combo_draft_template` and its like say how much the difference between two levels differs from combo to combo.
    """

    combo: float = 1.0
    combo_draft_template: float = 0.5
    combo_generation_template: float = 0.3
    combo_generation_model: float = 0.4
    combo_judge: float = 0.4
    combo_rubric: float = 0.3
    essay: float = 0.6
    essay_judge: float = 0.3
    evaluation: float = 0.8


@dataclass(frozen=True)
class Design:
    """A kind of cohort: how many of everything, how scores come about, and what fails."""

    name: str
    combos: int
    draft_templates: int = 2
    generation_templates: int = 1
    generation_models: int = 1
    rubrics: int = 1
    judges: int = 2
    essays: int = 1
    evaluations: int = 1
    middle: float = 5.5
    spread: float = 0.5
    deviations: Deviations = field(default_factory=Deviations)
    whole: bool = False
    cut: bool = False
    failed: float = 0.0
    failed_of_first_judge: float | None = None
    kept: float = 1.0
    interaction: float = 0.3
    scale: tuple[float, float] = (0.0, 10.0)

    @property
    def tied(self) -> bool:
        """Whether scores are rounded or cut off."""
        return self.whole or self.cut

    @property
    def shape(self) -> tuple[int, ...]:
        """Combos, draft templates, essay templates, models, essays, rubrics, judges."""
        return (
            self.combos,
            self.draft_templates,
            self.generation_templates,
            self.generation_models,
            self.essays,
            self.rubrics,
            self.judges,
        )

    @property
    def paths(self) -> np.ndarray:
        """The codes of draft template, essay template and model of each path."""
        return np.indices(self.shape[1:4]).reshape(3, -1).T

    def expected(self) -> np.ndarray:
        """What the latent scores are around, by path, rubric and judge: the fixed effects and their interactions."""
        sizes = (*self.shape[1:4], *self.shape[5:])
        latent = np.full(sizes, float(self.middle))
        # Judges and rubrics differ more than templates: some are harsh.
        for axis, weight in enumerate((1.0, 0.6, 0.8, 1.0, 2.0)):
            latent += _along(axis, self.spread * weight * _spaced(sizes[axis]))
        latent += self.interaction * np.einsum("a,e->ae", _spaced(sizes[0]), _spaced(sizes[4]))[:, None, None, None, :]
        latent += self.interaction * np.einsum("c,e->ce", _spaced(sizes[2]), _spaced(sizes[4]))[None, None, :, None, :]
        return latent.reshape(-1, *sizes[3:])

    def truth(self) -> np.ndarray:
        """The expected score by path, rubric and judge, over all combos: exact, however scores are rounded or cut."""
        total = np.sqrt(sum(value**2 for value in vars(self.deviations).values()))
        return self.given(self.expected(), float(total))

    def given(self, latent: np.ndarray, deviation: float) -> np.ndarray:
        """The expected score where the latent one is normal with this mean and deviation."""
        if not self.tied:
            return latent
        if self.whole:
            lowest, highest = self.scale
            return lowest + sum(norm.sf(cut, latent, deviation) for cut in np.arange(lowest + 0.5, highest, 1.0))
        low, high = ((end - latent) / deviation for end in self.scale)
        inside = norm.cdf(high) - norm.cdf(low)
        ends = self.scale[0] * norm.cdf(low) + self.scale[1] * norm.sf(high)
        return latent * inside - deviation * (norm.pdf(high) - norm.pdf(low)) + ends


def on_scale(design: Design, lowest: float, highest: float) -> Design:
    """The same design on another scale than 0 to 10: all that is in points grows or shrinks with it."""
    factor = (highest - lowest) / 10
    return replace(
        design,
        name=f"{design.name}, on {lowest:g} to {highest:g}",
        middle=lowest + factor * design.middle,
        spread=factor * design.spread,
        interaction=factor * design.interaction,
        deviations=Deviations(**{name: factor * value for name, value in vars(design.deviations).items()}),
        scale=(float(lowest), float(highest)),
    )


def _spaced(n: int) -> np.ndarray:
    return np.linspace(-1, 1, n) if n > 1 else np.zeros(1)


def _along(axis: int, values: np.ndarray) -> np.ndarray:
    return values.reshape([-1 if position == axis else 1 for position in range(5)])


def simulate(design: Design, cohorts: int, seed: int, at_once: int = 250) -> Iterator[np.ndarray]:
    """Yield scores `(cohorts, combos, paths, essays, rubrics, judges)` in parts; evaluations' replicates averaged."""
    generator = np.random.default_rng(seed)
    for start in range(0, cohorts, at_once):
        n = min(at_once, cohorts - start)
        scores = evaluations(design, n, generator)[0]
        there = ~np.isnan(scores)
        sums = np.where(there, scores, 0).sum(axis=-1)
        yield np.where(there.any(axis=-1), sums / np.maximum(there.sum(axis=-1), 1), np.nan)


def evaluations(design: Design, n: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scores of n cohorts `(n, combos, paths, essays, rubrics, judges, replicates)`, and what they would be on average
    had each essay been judged for ever."""
    combos, drafts, templates, models, essays, rubrics, judges = design.shape
    deviations = design.deviations

    def effect(deviation: float, *axes: int) -> np.ndarray:
        sizes = (n, combos, drafts, templates, models, essays, rubrics, judges, design.evaluations)
        shape = tuple(size if axis in (0, *axes) else 1 for axis, size in enumerate(sizes))
        return deviation * generator.standard_normal(shape)

    expected = design.expected().reshape(1, 1, drafts, templates, models, 1, rubrics, judges, 1)
    scores = (
        expected
        + effect(deviations.combo, 1)
        + effect(deviations.combo_draft_template, 1, 2)
        + effect(deviations.combo_generation_template, 1, 3)
        + effect(deviations.combo_generation_model, 1, 4)
        + effect(deviations.combo_judge, 1, 7)
        + effect(deviations.combo_rubric, 1, 6)
        + effect(deviations.essay, 1, 2, 3, 4, 5)
        + effect(deviations.essay_judge, 1, 2, 3, 4, 5, 7)
    )
    lasting = design.given(scores, deviations.evaluation)
    scores = scores + effect(deviations.evaluation, *range(1, 9))
    if design.whole:
        scores = np.round(scores)
    if design.tied:
        scores = np.clip(scores, *design.scale)
    rate = np.full(judges, design.failed)
    if design.failed_of_first_judge is not None:
        rate[0] = design.failed_of_first_judge
    lost = generator.random(scores.shape) < rate[:, None]
    lost |= generator.random((*scores.shape[:6], 1, 1, 1)) >= design.kept
    scores[lost] = np.nan
    shape = (n, combos, drafts * templates * models, essays, rubrics, judges)
    return scores.reshape(*shape, -1), np.broadcast_to(lasting, (*scores.shape[:8], 1)).reshape(*shape, 1)


def frame(design: Design, seed: int) -> pd.DataFrame:
    """One simulated cohort as the data frame of a `parsed_scores.csv`."""
    scores = evaluations(design, 1, np.random.default_rng(seed))[0][0]
    combo, path, essay, rubric, judge, replicate = (axis.ravel() for axis in np.indices(scores.shape))
    values = scores.ravel()
    levels = dict(zip(ESSAY_FACTORS, design.paths[path].T, strict=True))
    parent = [f"e{c}-{p}-{e}" for c, p, e in zip(combo, path, essay, strict=True)]
    table = pd.DataFrame(
        {
            "gen_id": [f"v{number}" for number in range(len(values))],
            "parent_gen_id": parent,
            "combo_id": [f"combo{c}" for c in combo],
            **{factor: [f"{factor}{level}" for level in codes] for factor, codes in levels.items()},
            "evaluation_template": [f"rubric{r}" for r in rubric],
            "evaluation_llm_model": [f"judge{j}" for j in judge],
            "replicate": replicate + 1,
            "cohort_id": "simulated",
            "score": values,
            "error": np.where(np.isnan(values), "parse", ""),
            "score_min": design.scale[0],
            "score_max": design.scale[1],
        }
    )
    if design.kept < 1:
        table = table[table.groupby("parent_gen_id")["score"].transform("count") > 0]
    return table.reset_index(drop=True)

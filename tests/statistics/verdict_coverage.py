"""How often the intervals of pairwise judging cover the truth: what a cohort of very many combos says."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from simulated_verdicts import VerdictDesign, simulate_verdicts

from daydreaming.results.statistics.preferences.analysis import PreferenceAnalysis

# So many combos tell the truth of a design to a tenth of a cohort's standard error, or better.
MANY_TIMES, MOST_COMBOS = 250, 4000


@dataclass
class FigureCoverage:
    """What was seen of the intervals of one kind of figure."""

    design: VerdictDesign
    figure: str
    intervals: int = 0
    printed: int = 0
    covered: int = 0
    widths: list[float] = field(default_factory=list)

    @property
    def share(self) -> float:
        return self.covered / self.printed

    @property
    def share_printed(self) -> float:
        return self.printed / self.intervals

    def __str__(self) -> str:
        width = float(np.mean(self.widths)) if self.widths else float("nan")
        seen = f"covers {100 * self.share:.1f}%, printed {100 * self.share_printed:.1f}%, width {width:.3f}"
        return f"{self.design.name} | {self.figure} | {seen}"


def figures(analysis: PreferenceAnalysis) -> dict[tuple[str, ...], tuple[float, float, float]]:
    """Value and limits of all that has an interval, over all judges, by kind of figure and what it is about."""
    found: dict[tuple[str, ...], tuple[float, float, float]] = {}

    def add(kind: str, about: str, row: pd.Series, ends: str = "") -> None:
        columns = (ends, f"{ends}_low", f"{ends}_high") if ends else ("value", "low", "high")
        columns = ("difference", *columns[1:]) if kind == "difference of strengths" else columns
        found[kind, about] = tuple(float(row[column]) for column in columns)

    def overall(table: pd.DataFrame):
        return (row for _, row in table[table.judge == ""].iterrows())

    for row in overall(analysis.win_rates):
        add("win rate", f"{row.model} {row.opponent}", row)
        add("win rate at equal length", f"{row.model} {row.opponent}", row, "at_equal_length")
    for row in overall(analysis.strengths):
        add(str(row.figure), str(row.level), row)
    for row in overall(analysis.differences):
        add("difference of strengths", f"{row.model_a} {row.model_b}", row)
    for row in overall(analysis.consistency):
        add(str(row.figure), "", row)
    for row in overall(analysis.longer):
        add("longer preferred", "", row)
        add("longer of equal strength", "", row, "of_equal_strength")
    for row in overall(analysis.agreement):
        add("tau-b with scores", "", row)
    for _, row in analysis.own_model.iterrows():
        add(str(row.figure), str(row.judge), row)
        if row.figure == "own model preferred":
            add("own model preferred at equal length", str(row.judge), row, "at_equal_length")
    return found


def verdict_coverage(
    design: VerdictDesign, cohorts: int, seed: int, most: int = MOST_COMBOS
) -> dict[str, FigureCoverage]:
    """Simulate a design, and count for each kind of figure how often the interval covers what `most` combos say."""
    many = min(MANY_TIMES * design.combos, most)
    truth = {key: value for key, (value, _, _) in figures(_analysis(design, seed, many)).items()}
    results: dict[str, FigureCoverage] = {}
    for number in range(cohorts):
        for key, (_, low, high) in figures(_analysis(design, seed + 1 + number)).items():
            if np.isnan(truth[key]):
                continue
            result = results.setdefault(key[0], FigureCoverage(design, key[0]))
            result.intervals += 1
            if not np.isnan(low):
                result.printed += 1
                result.covered += bool(low <= truth[key] <= high)
                result.widths.append(high - low)
    return results


def _analysis(design: VerdictDesign, seed: int, combos: int | None = None) -> PreferenceAnalysis:
    comparisons = simulate_verdicts(design, seed, combos)
    # Scores that know something of what judges see: the lengths, which are part of it, and noise.
    noise = np.random.default_rng([seed, 1]).normal(0, 800, len(comparisons.essays))
    scores = dict(zip(comparisons.essays, comparisons.length + noise, strict=True))
    analysis = PreferenceAnalysis(comparisons, scores)
    analysis.__dict__["essays"] = pd.DataFrame()
    return analysis

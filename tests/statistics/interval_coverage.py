"""How often intervals cover the truth, how often they are printed, and how wide they are beside a paired t."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from simulated_cohorts import Design, evaluations, frame, simulate

from daydreaming import analyse
from daydreaming.results.statistics.agreement import krippendorff_alpha
from daydreaming.results.statistics.comparison import compare
from daydreaming.results.statistics.intervals import Estimates, combo_values, level_mean, mean_of, student, within_scale
from daydreaming.results.statistics.pairing import difference_cells, level_cells
from daydreaming.results.statistics.score_columns import FACTORS


@dataclass
class Coverage:
    """What was seen of the intervals of one quantity in the simulated cohorts of a design."""

    design: Design
    kind: str
    factor: str = ""
    intervals: int = 0
    printed: int = 0
    covered: int = 0
    width: float = 0.0
    paired_width: float = 0.0

    def add(self, low: np.ndarray, high: np.ndarray, true: float, plain: Estimates) -> None:
        """Count intervals; widths are compared where a plain paired t has one, too."""
        told = ~np.isnan(low)
        both = told & ~np.isnan(plain.low)
        self.count(low, high, true)
        self.width += float((high - low)[both].sum())
        self.paired_width += float((plain.high - plain.low)[both].sum())

    def count(self, low: np.ndarray, high: np.ndarray, true: np.ndarray | float) -> None:
        told = ~np.isnan(low)
        self.intervals += told.size
        self.printed += int(told.sum())
        self.covered += int(((low <= true) & (true <= high))[told].sum())

    @property
    def share(self) -> float:
        return self.covered / self.printed

    @property
    def share_printed(self) -> float:
        return self.printed / self.intervals

    @property
    def relative_width(self) -> float:
        return self.width / self.paired_width


def levels_and_contrasts(design: Design) -> Iterator[tuple[str, str, int, int | None]]:
    """Yield kind, factor and levels (None: no second level) of all that is estimated in a design."""
    for factor, n in zip(FACTORS, (*design.shape[1:4], *design.shape[5:]), strict=True):
        for a in range(n if n > 1 or factor == "draft_template" else 0):
            yield "level", factor, a, None
            for b in range(a):
                yield "contrast", factor, a, b


def coverage(design: Design, cohorts: int, seed: int) -> list[Coverage]:
    """Simulate a design, and count for each level and contrast how often the interval covers the truth."""
    truth = design.truth()[None, :, None]
    step = 1.0 if design.whole else 1e-9
    results: dict[tuple[object, ...], Coverage] = {}
    for part in simulate(design, cohorts, seed):
        for quantity in levels_and_contrasts(design):
            kind, factor, a, b = quantity
            result = results.setdefault(quantity, Coverage(design, kind, factor))
            if b is None:
                cells = level_cells(part, design.paths, factor, a)
                true = level_cells(truth, design.paths, factor, a).mean()
                low, high = within_scale(level_mean(combo_values(cells), step, design.scale), design.scale)
            else:
                cells = difference_cells(part, design.paths, factor, a, b)
                true = difference_cells(truth, design.paths, factor, a, b).mean()
                comparison = compare(part, design.paths, factor, a, b, step, design.scale)
                low, high = comparison.low, comparison.high
            result.add(low, high, float(true), student(mean_of(cells, -1), step))
    return list(results.values())


def alpha_coverage(design: Design, cohorts: int, seed: int) -> Coverage:
    """How often the interval of Krippendorff's alpha covers that of a cohort of 20,000 combos."""
    result = Coverage(design, "alpha")
    [many] = simulate(replace(design, combos=20_000), 1, seed + 1)
    true = _alpha(many[0]).value
    for part in simulate(design, cohorts, seed):
        found = [_alpha(scores) for scores in part]
        result.count(np.array([one.low for one in found]), np.array([one.high for one in found]), true)
    return result


def _alpha(scores: np.ndarray):
    """Alpha over the judges of one rubric."""
    combos, paths, essays, _, judges = scores.shape
    combo = np.repeat(np.arange(combos), paths * essays)
    return krippendorff_alpha(scores[..., 0, :].reshape(-1, judges), combo)


def essay_coverage(design: Design, cohorts: int, seed: int) -> Coverage:
    """How often an essay's interval in the ranking covers what endless judgements by the judge would give."""
    result = Coverage(design, "essay")
    for number in range(cohorts):
        lasting = evaluations(design, 1, np.random.default_rng(seed + number))[1][0, ..., 0, 0, 0]
        ranking = analyse(frame(design, seed + number)).ranking
        own = ranking[(ranking.kind == "essay") & (ranking.judge == "judge0") & (ranking.rubric == "rubric0")]
        where = np.array([[int(part) for part in essay[1:].split("-")] for essay in own.essay])
        result.count(own.low.to_numpy(), own.high.to_numpy(), lasting[tuple(where.T)])
    return result

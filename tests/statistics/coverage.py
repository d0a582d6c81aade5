"""How often intervals cover the truth, how often they are printed, and how wide they are beside a paired t."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from simulated_cohorts import Design, simulate

from daydreaming.results.statistics.comparison import compare
from daydreaming.results.statistics.intervals import Estimates, combo_values, mean_of, student, within_scale
from daydreaming.results.statistics.observations import FACTORS
from daydreaming.results.statistics.pairing import difference_cells, level_cells


@dataclass
class Coverage:
    """What was seen of one kind of interval in a design's simulated cohorts, summed over factors and levels."""

    design: str
    kind: str
    factor: str
    intervals: int = 0
    printed: int = 0
    covered: int = 0
    width: float = 0.0
    paired_width: float = 0.0

    def add(self, low: np.ndarray, high: np.ndarray, true: float, plain: Estimates) -> None:
        """Count intervals; widths are compared where a plain paired t has one, too."""
        told = ~np.isnan(low)
        both = told & ~np.isnan(plain.low)
        self.intervals += told.size
        self.printed += int(told.sum())
        self.covered += int(((low <= true) & (true <= high))[told].sum())
        self.width += float((high - low)[both].sum())
        self.paired_width += float((plain.high - plain.low)[both].sum())

    @property
    def share(self) -> float:
        return self.covered / self.printed if self.printed else float("nan")

    @property
    def relative_width(self) -> float:
        return self.width / self.paired_width if self.paired_width else float("nan")


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
    scale = (0.0, 10.0)
    results: dict[tuple[object, ...], Coverage] = {}
    for part in simulate(design, cohorts, seed):
        for quantity in levels_and_contrasts(design):
            kind, factor, a, b = quantity
            result = results.setdefault(quantity, Coverage(design.name, kind, factor))
            if b is None:
                cells = level_cells(part, design.paths, factor, a)
                true = level_cells(truth, design.paths, factor, a).mean()
                low, high = within_scale(student(combo_values(cells), step), scale)
            else:
                cells = difference_cells(part, design.paths, factor, a, b)
                true = difference_cells(truth, design.paths, factor, a, b).mean()
                comparison = compare(part, design.paths, factor, a, b, step)
                low, high = comparison.low, comparison.high
            result.add(low, high, float(true), student(mean_of(cells, -1), step))
    return list(results.values())


if __name__ == "__main__":
    import sys, time
    from designs import DESIGNS

    for design in DESIGNS:
        t = time.time()
        rs = coverage(design, int(sys.argv[1]), 1)
        for kind in ("level", "contrast"):
            r = [x for x in rs if x.kind == kind]
            lo, hi = min(x.share for x in r), max(x.share for x in r)
            flag = "" if 0.93 <= lo and hi <= (0.99 if design.tied else 0.97) else "   <<<"
            print(f"{design.name:52} {kind:9} {lo:.3f} {hi:.3f} printed {min(x.printed / x.intervals for x in r):.3f} width {max(x.relative_width for x in r):.3f} {time.time() - t:.1f}{flag}", flush=True)

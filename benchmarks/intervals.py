"""Simulate all named designs, and print how often the intervals of the statistics cover the truth, as Markdown.

`python benchmarks/intervals.py` takes some minutes on one core; its tables are those of docs/results.md. It
returns 1 when a promise is not kept.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1] / "tests" / "statistics"
LOWEST, HIGHEST, HIGHEST_OF_TIED = 0.93, 0.97, 0.99
FEWEST_OF_OTHERS = 0.90
WIDEST = 1.1


def main(argv: list[str] | None = None) -> int:
    """Print the tables; return 1 if an interval covers too seldom or too often, or is too wide."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=4000, metavar="N", help="of each design (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    arguments = parser.parse_args(argv)
    for library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(library, "1")  # the arrays are small: more threads only wait for each other
    sys.path.insert(0, str(TESTS))
    return _run(arguments.cohorts, arguments.seed)


def _run(cohorts: int, seed: int) -> int:
    import interval_coverage as measured
    import simulated_designs as designs

    start = time.perf_counter()
    print("| design | interval of | covers, least to most | printed, at least | width / paired t, at most |")
    print("| --- | --- | --- | --- | --- |")
    kept = True
    for design in (*designs.DESIGNS, *designs.SCALE_DESIGNS):
        results = measured.coverage(design, cohorts, seed)
        for kind in ("level", "contrast"):
            own = [result for result in results if result.kind == kind]
            print(_row(own, f"{max(result.relative_width for result in own):.2f}"), flush=True)
            kept &= all(_promised(result) for result in own)
    print("\n| design | interval of | covers | printed |\n| --- | --- | --- | --- |")
    others = [measured.alpha_coverage(design, cohorts, seed) for design in designs.ALPHA_DESIGNS]
    others += [measured.essay_coverage(design, max(1, cohorts // 20), seed) for design in designs.ESSAY_DESIGNS]
    for result in others:
        print(_row([result]))
        kept &= result.share >= FEWEST_OF_OTHERS
    print(f"\n{cohorts:,} cohorts of each design, seed {seed}: {time.perf_counter() - start:.0f} s.")
    print("All promises are kept." if kept else "Not all promises are kept.")
    return 0 if kept else 1


def _promised(result: Any) -> bool:
    highest = HIGHEST_OF_TIED if result.design.tied else HIGHEST
    return bool(LOWEST <= result.share <= highest and (result.kind == "level" or result.relative_width <= WIDEST))


def _row(results: Iterable[Any], *more: str) -> str:
    results = list(results)
    shares = sorted(100 * result.share for result in results)
    covers = f"{shares[0]:.1f} to {shares[-1]:.1f}%" if len(shares) > 1 else f"{shares[0]:.1f}%"
    printed = min(result.share_printed for result in results)
    cells = (results[0].design.name, results[0].kind, covers, f"{100 * printed:.1f}%", *more)
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    raise SystemExit(main())

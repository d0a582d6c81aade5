"""Measure the results of a made-up cohort: statistics, report, reading pages (twice), and their list in a browser."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
TESTS = PROJECT / "tests"
sys.path += [str(TESTS), str(TESTS / "unit"), str(TESTS / "pages")]
ESSAYS_PER_COMBO = 8
PROGRAMS = {
    "statistics": "write_statistics.py",
    "report": "write_report.py",
    "pages": "write_pages.py",
    "pages_with_nothing_changed": "write_pages.py",
}
QUERIES = ("zebrafish", "harbour yeast", "gossip", "the")
# Puts a query into the search field as a hand would, and forgets the time of the one before.
ASK = """(query) => {
    document.getElementById("essays").removeAttribute("data-milliseconds");
    const field = document.querySelector("[name=q]");
    field.value = query;
    field.dispatchEvent(new Event("input", { bubbles: true }));
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--essays", type=int, default=5_000, help="a multiple of 8; each has four evaluations")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reading-") as folder:
        pages = _make_cohort(Path(folder), arguments.essays // ESSAYS_PER_COMBO)
        figures = {"load_average_at_start": os.getloadavg()[0]}
        for name, program in PROGRAMS.items():
            figures[name] = _run(Path(folder), program)
        files = [path for path in pages.rglob("*") if path.is_file()]
        figures["files"], figures["folder_mb"] = len(files), sum(path.stat().st_size for path in files) // 1_000_000
        figures["largest_page_kb"] = max(p.stat().st_size for p in files if p.suffix in (".html", ".js")) // 1_000
        figures["list"] = _measure_list(pages)
    print(json.dumps(figures, indent=2))


def _make_cohort(folder: Path, combos: int) -> Path:
    """Write the cohort and its table of scores; return the folder that its pages will have."""
    from pages_fixtures import make_reading_cohort

    from daydreaming.results.score_table import write_scores
    from daydreaming.results.scores import collect_scores

    os.chdir(folder)
    study = make_reading_cohort(folder, combos=combos, replicates=1)
    write_scores(study.cohort_files.scores, collect_scores(study))
    return folder / study.cohort_files.reading_pages


def _run(folder: Path, program: str) -> dict[str, float]:
    """Seconds on the clock and of the processors, and the most memory of one process so far, in megabytes."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, str(PROJECT / "scripts" / program), "--directory", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - started
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "seconds": round(seconds, 1),
        "processor_seconds": round(processor, 1),
        "memory_mb": after.ru_maxrss // 1024,
    }


def _measure_list(pages: Path) -> dict[str, float]:
    """Milliseconds from a change of the view to the list that shows it, each query twice: its index is loaded once."""
    from playwright.sync_api import sync_playwright
    from reader import FLAGS, find_browser

    figures: dict[str, float] = {}
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS).new_page()
        started = time.monotonic()
        page.goto((pages / "index.html").as_uri())
        page.wait_for_selector("#essays[data-milliseconds]")
        figures["opened"] = round(1000 * (time.monotonic() - started), 1)
        for query in QUERIES:
            for again in ("", ", again"):
                page.evaluate(ASK, query)
                page.wait_for_selector("#essays[data-milliseconds]")
                figures[f"{query}{again}"] = float(page.get_attribute("#essays", "data-milliseconds") or "nan")
    return figures


if __name__ == "__main__":
    main()

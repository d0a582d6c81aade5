"""Make the pictures in docs/images of report and reading pages: python tests/pages/screenshots.py [NAME ...]"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
IMAGES = TESTS.parent / "docs" / "images"
sys.path[:0] = [str(TESTS), str(TESTS / "unit"), str(TESTS / "pages")]

ESSAY = "e-developed-1-ladder-slow-writer"
# Name, page, widths and lights in which it is shown.
PICTURES = (
    ("report", "../report.html", ((1280, "light"), (390, "dark"))),
    ("reading-list", "index.html", ((1280, "light"), (1280, "dark"), (390, "light"), (390, "dark"))),
    ("reading-essay", f"essays/{ESSAY}.html", ((1280, "light"), (1280, "dark"), (390, "light"), (390, "dark"))),
    ("reading-compare", f"compare.html#essays={ESSAY},e-copied-1-ladder-slow-writer", ((1280, "light"), (390, "dark"))),
    ("reading-blind", "blind.html", ((1280, "light"), (390, "light"))),
    ("reading-raw", f"sources/{ESSAY}.html", ((1280, "light"), (390, "dark"))),
)
# Of a cohort whose essays judges compared two by two.
PAIR = f"{ESSAY},e-developed-1-thread-quick-writer"
PICTURES_OF_PAIRS = (
    ("preferences-report", "../report.html#preferences", ((1280, "light"), (390, "dark"))),
    ("preferences-pair", f"compare.html#essays={PAIR}", ((1280, "light"), (390, "dark"))),
)
HEIGHTS = {1280: 900, 390: 844}


def main() -> None:
    """Make all pictures, or those whose names are given."""
    from pages_fixtures import make_reading_cohort
    from playwright.sync_api import sync_playwright
    from reader import FLAGS, find_browser
    from verdict_fixtures import make_duels

    from daydreaming.generation.inspection import inspect_cohort

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args().names
    program = find_browser()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        os.chdir(folder)
        study = make_reading_cohort(Path(folder), combos=6, hostile="")
        if chosen := _chosen(PICTURES, names):
            _take(browser, _made(study, inspect_cohort(study)), chosen)
        if chosen := _chosen(PICTURES_OF_PAIRS, names):
            _take(browser, _made(*make_duels(study)), chosen)
        browser.close()


def _chosen(pictures: tuple, names: list[str]) -> list:
    return [one for one in pictures if not names or one[0] in names]


def _made(study, inspection) -> str:
    """Make report and pages of a cohort; the address of the pages."""
    from daydreaming.results.pages.folder import write_reading_pages
    from daydreaming.results.report.page import write_report
    from daydreaming.results.scores import collect_scores
    from daydreaming.results.verdicts.collecting import collect_verdicts

    rows, verdicts = collect_scores(study, inspection), collect_verdicts(study, inspection)
    write_report(study, rows, inspection, verdicts)
    return write_reading_pages(study, rows, None, inspection, verdicts).index.parent.resolve().as_uri()


def _take(browser, base: str, pictures: list) -> None:
    for name, path, shown in pictures:
        for width, light in shown:
            page = browser.new_page(viewport={"width": width, "height": HEIGHTS[width]}, color_scheme=light)
            page.goto(f"{base}/{path}")
            if name == "reading-blind":
                page.fill("[name=reader]", "ann")
                page.click("#reader button")
            page.wait_for_timeout(300)
            if name == "preferences-pair":
                page.click("#verdicts summary")
            picture = IMAGES / f"{name}-{width}-{light}.png"
            page.screenshot(path=picture)
            page.close()
            print(picture.relative_to(TESTS.parent))


if __name__ == "__main__":
    main()

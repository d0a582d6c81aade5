"""Make the pictures in docs/images, of the report and the reading pages: python tests/pages/screenshots.py"""

from __future__ import annotations

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
HEIGHTS = {1280: 900, 390: 844}


def main() -> None:
    from pages_fixtures import make_reading_cohort
    from playwright.sync_api import sync_playwright
    from reader import FLAGS, find_browser

    from daydreaming.results.pages.folder import write_reading_pages
    from daydreaming.results.report.page import write_report
    from daydreaming.results.scores import collect_scores

    program = find_browser()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.chdir(folder)
        study = make_reading_cohort(Path(folder), combos=6, hostile="")
        rows = collect_scores(study)
        write_report(study, rows)
        base = write_reading_pages(study, rows).index.parent.resolve().as_uri()
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for name, path, shown in PICTURES:
            for width, light in shown:
                page = browser.new_page(viewport={"width": width, "height": HEIGHTS[width]}, color_scheme=light)
                page.goto(f"{base}/{path}")
                if name == "reading-blind":
                    page.fill("[name=reader]", "ann")
                    page.click("#reader button")
                page.wait_for_timeout(300)
                picture = IMAGES / f"{name}-{width}-{light}.png"
                page.screenshot(path=picture)
                page.close()
                print(picture.relative_to(TESTS.parent))
        browser.close()


if __name__ == "__main__":
    main()

"""Blind scores in a browser: what is hidden, what is kept, what the CSV file says."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from reader import Reader

both_places = pytest.mark.parametrize("reader", ["folder", "server"], indirect=True)


def begin(reader: Reader, fragment: str = "", name: str = "ann", rubric: str = "novelty") -> Page:
    page = reader.open(f"blind.html{fragment}")
    page.fill("[name=reader]", name)
    page.select_option("[name=rubric]", rubric)
    page.click("#reader button")
    page.wait_for_selector("#text p")
    return page


def progress(page: Page, text: str) -> None:
    expect(page.locator("#progress")).to_have_text(text)
    expect(page.locator("#progress")).to_be_focused()  # the text is there, too


def score(page: Page, value: str) -> None:
    page.fill("[name=score]", value)
    page.keyboard.press("Enter")


def exported(page: Page) -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.click("#export")
    assert download.value.suggested_filename == "human_scores.csv"
    return list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))


@both_places
def test_models_templates_and_scores_are_hidden(reader: Reader):
    page = begin(reader)
    shown = page.locator("main").inner_text()
    assert not [word for word in ("writer", "ladder", "copied", "developed", "judge", "Mean") if word in shown]


@both_places
def test_scores_are_kept_when_the_page_is_closed_and_saved_as_a_file(reader: Reader):
    page = begin(reader)
    progress(page, "Essay 1 of 24, 0 scored")
    score(page, "7.5")
    progress(page, "Essay 2 of 24, 1 scored")
    score(page, "3")
    progress(page, "Essay 3 of 24, 2 scored")
    page = begin(reader)
    progress(page, "Essay 3 of 24, 2 scored")
    rows = exported(page)
    assert [row["score"] for row in rows] == ["7.5", "3"]
    assert {(row["reader"], row["rubric"]) for row in rows} == {("ann", "novelty")}
    assert list(rows[0]) == ["essay_gen_id", "rubric", "reader", "score", "created_at", "text_sha256"]
    assert all(row["essay_gen_id"].startswith("e-") and len(row["text_sha256"]) == 64 for row in rows)


@both_places
def test_each_reader_has_an_order_of_their_own_that_stays(reader: Reader):
    def order(name: str) -> list[str]:
        page = begin(reader, name=name)
        for scored in (1, 2, 3):
            score(page, "5")
            progress(page, f"Essay {scored + 1} of 24, {scored} scored")
        rows = [row["essay_gen_id"] for row in exported(page)]
        page.evaluate("localStorage.clear()")
        return rows

    assert order("ann") == order("ann")
    assert order("ann") != order("bob")


@both_places
def test_a_view_of_the_list_can_be_scored_alone(reader: Reader):
    page = begin(reader, "#template=developed&model=slow-writer")
    progress(page, "Essay 1 of 6, 0 scored")


@both_places
def test_a_score_outside_the_scale_is_not_taken(reader: Reader):
    page = begin(reader)
    score(page, "11")
    page.wait_for_timeout(100)
    expect(page.locator("#progress")).to_have_text("Essay 1 of 24, 0 scored")


def test_the_scale_is_that_of_the_rubric_and_0_to_10_for_an_own_impression(context: BrowserContext, percent: Path):
    reader = Reader(context.new_page(), percent.as_uri(), [])
    page = begin(reader)
    expect(page.locator("#ends")).to_have_text("0 to 100")
    score(page, "75")
    progress(page, "Essay 2 of 24, 1 scored")
    page = begin(reader, rubric="human")
    expect(page.locator("#ends")).to_have_text("0 to 10")
    score(page, "75")
    expect(page.locator("#progress")).to_have_text("Essay 1 of 24, 0 scored")

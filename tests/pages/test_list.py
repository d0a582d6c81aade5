"""The list of essays in a browser: search, filters, order, the address, the keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect
from reader import Reader

HOSTILE = "e-developed-0-thread-quick-writer"


def found(reader: Reader, count: int) -> list[str]:
    expect(reader.page.locator("#count")).to_have_text(f"{count} of 24 essays")
    return reader.ids()


def test_all_essays_are_listed_the_highest_mean_first(reader: Reader):
    page = reader.open_list()
    ids = found(reader, 24)
    assert len(set(ids)) == 24
    means = [float(text) for text in page.locator("#essays .place strong").all_inner_texts()]
    assert means == sorted(means, reverse=True)
    assert len(means) == 24


def test_a_word_of_a_text_is_found_by_its_beginning_in_any_case(reader: Reader):
    reader.open_list()
    reader.page.fill("[name=q]", "ZEBRAF")
    assert found(reader, 1) == [HOSTILE]
    assert reader.page.url.endswith("#q=ZEBRAF")


def test_all_words_of_a_query_have_to_be_there(reader: Reader):
    reader.open_list("#q=zebrafish+developed")
    assert found(reader, 1) == [HOSTILE]
    reader.open_list("#q=zebrafish+nowhere")
    assert found(reader, 0) == []


def test_words_of_judgements_and_concepts_are_found_and_thoughts_are_not(reader: Reader):
    reader.open_list("#q=strength")
    found(reader, 24)
    reader.open_list("#q=gossip")
    assert {one.split("-")[2] for one in found(reader, 8)} == {"2"}
    reader.open_list("#q=hm")
    found(reader, 0)


def test_filters_and_order_are_kept_in_the_address_that_another_browser_opens(reader: Reader):
    page = reader.open_list()
    page.click(".filters summary")
    page.select_option("[name=template]", "developed")
    page.select_option("[name=model]", "slow-writer")
    page.select_option("[name=sort]", "worst")
    ids = found(reader, 6)
    assert all(one.startswith("e-developed") and one.endswith("slow-writer") for one in ids)
    address = page.url.split("/")[-1].removeprefix("index.html")
    reader.open_list(address)
    assert found(reader, 6) == ids
    assert page.input_value("[name=sort]") == "worst"


def test_scores_of_another_judge_and_their_range(reader: Reader):
    page = reader.open_list("#scale=soundness%7Cstrict-judge&low=5&high=6")
    expect(page.locator("#count")).not_to_have_text("24 of 24 essays")
    means = [float(text) for text in page.locator("#essays .place strong").all_inner_texts()]
    assert means
    assert all(5 <= mean <= 6 for mean in means)


def test_failures_can_be_asked_for(reader: Reader):
    page = reader.open_list("#failed=yes")
    assert found(reader, 1)
    assert "2 judgements failed" in page.locator("#essays .notes").inner_text()


def test_disagreement_orders_and_filters(reader: Reader):
    page = reader.open_list("#sort=gap&gap=2.5")
    expect(page.locator("#count")).not_to_have_text("24 of 24 essays")
    gaps = [float(text.split()[-1]) for text in page.locator("#essays .notes span:first-child").all_inner_texts()]
    assert gaps
    assert gaps == sorted(gaps, reverse=True)
    assert min(gaps) >= 2.5


def test_what_the_cohort_does_not_have_is_found_nowhere(reader: Reader):
    reader.open_list("#model=nobody")
    assert found(reader, 0) == []


def test_the_keyboard_alone_searches_opens_and_comes_back(reader: Reader):
    page = reader.open_list()
    page.keyboard.press("/")
    page.keyboard.type("zebrafish")
    found(reader, 1)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/essays/{HOSTILE}.html")
    page.keyboard.press("u")
    page.wait_for_url("**/index.html*")


def test_the_keyboard_moves_chooses_and_compares(reader: Reader):
    page = reader.open_list()
    first, second, *_ = reader.ids()
    for key in ("j", "x", "j", "j", "k", "x"):
        page.keyboard.press(key)
    assert page.locator("#compare").inner_text() == "Compare 2"
    page.keyboard.press("c")
    page.wait_for_url(f"**/compare.html#essays={first},{second}")
    page.wait_for_selector("#beside[data-count='2']")


def test_the_help_names_the_keys_and_turns_them_off(reader: Reader):
    page = reader.open_list()
    page.keyboard.press("?")
    assert "search texts" in page.locator("#help").inner_text()
    page.locator("#keys-on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    assert "index.html" in page.url
    page.reload()
    page.keyboard.press("b")
    assert "index.html" in page.url


def test_a_mean_is_drawn_between_the_ends_of_its_scale(context: BrowserContext, percent: Path):
    page = Reader(context.new_page(), percent.as_uri(), []).open_list()
    places = page.locator("#essays .place")
    means = [float(text) for text in places.locator("strong").all_inner_texts()]
    centres = [float(one.get_attribute("cx") or "nan") for one in places.locator("circle").all()]
    assert centres == pytest.approx([2 + mean for mean in means], abs=0.1)

"""The page of an essay, its raw texts and the comparison, in a browser."""

from __future__ import annotations

from playwright.sync_api import expect
from reader import Reader

ESSAY = "e-developed-1-ladder-slow-writer"
LAST = "e-developed-2-ladder-slow-writer"


def test_the_page_has_the_combo_the_texts_and_each_judgement_with_its_score(reader: Reader):
    page = reader.open(f"essays/{ESSAY}.html")
    assert page.locator(".essay-head .concepts").inner_text() == "Sleep + Tides + Error correction"
    assert page.locator(".judgements article").count() == 8
    assert page.locator(".judgements .score").count() == 8
    assert page.locator(".draft .text").inner_text() != page.locator(".essay .text").first.inner_text()
    assert "Hm, about" not in page.locator("main").inner_text()


def test_draft_essay_and_judgements_stand_side_by_side(reader: Reader):
    page = reader.open(f"essays/{ESSAY}.html")
    boxes = [page.locator(f".side-by-side .{one}").bounding_box() for one in ("draft", "essay", "judgements")]
    assert len({round(box["y"]) for box in boxes if box}) == 1
    lefts = [box["x"] for box in boxes if box]
    assert lefts == sorted(lefts)


def test_a_failed_judgement_says_why_and_shows_what_the_judge_said(reader: Reader):
    page = reader.open(f"essays/{LAST}.html")
    failures = page.locator(".judgements .failure").all_inner_texts()
    assert [one.split(":")[0] for one in failures] == ["parse", "refused"]
    assert "I cannot judge this." in page.locator(".judgements").inner_text()


def test_what_the_essay_changed_is_marked(reader: Reader):
    page = reader.open(f"essays/{ESSAY}.html")
    page.keyboard.press("d")
    assert page.locator(".changes ins").first.is_visible()
    assert page.locator(".changes del").count() > 0


def test_keys_lead_through_the_ranking_and_back(reader: Reader):
    page = reader.open_list()
    first, second, *_ = reader.ids()
    reader.open(f"essays/{first}.html")
    page.keyboard.press("j")
    page.wait_for_url(f"**/essays/{second}.html")
    page.keyboard.press("k")
    page.wait_for_url(f"**/essays/{first}.html")


def test_the_raw_texts_are_one_key_away_and_thoughts_are_folded(reader: Reader):
    page = reader.open(f"essays/{ESSAY}.html")
    page.keyboard.press("r")
    page.wait_for_url(f"**/sources/{ESSAY}.html")
    folded = page.locator("details", has_text="with the model's thoughts").first
    assert folded.get_attribute("open") is None
    folded.locator("summary").click()
    assert "<think>First of all, combo1.</think>" in folded.locator("pre").inner_text()
    assert "The prompt of the draft" in page.locator("main").text_content()
    assert '"served_model": "lab/slow-writer-2026-01"' in page.locator("main").text_content()
    page.keyboard.press("r")
    page.wait_for_url(f"**/essays/{ESSAY}.html")


def test_suggestions_lead_to_a_comparison_where_one_thing_differs(reader: Reader):
    page = reader.open(f"essays/{ESSAY}.html")
    page.get_by_role("link", name="same concepts and templates, model quick-writer").click()
    page.wait_for_selector("#beside[data-count='2']")
    assert page.locator("#beside .differs dt").all_inner_texts() == ["Model", "Model"]


def test_up_to_four_essays_stand_beside_each_other_and_can_be_taken_away(reader: Reader):
    ids = [f"e-{template}-{combo}-thread-slow-writer" for template in ("copied", "developed") for combo in (0, 1, 2)]
    page = reader.open(f"compare.html#essays={','.join(ids)}")
    page.wait_for_selector("#beside[data-count='4']")
    page.get_by_role("button", name="Take away").first.click()
    page.wait_for_selector(f"section[aria-labelledby=essay-{ids[4]}]")
    assert page.locator(f"section[aria-labelledby=essay-{ids[0]}]").count() == 0


def test_an_essay_that_is_not_there_is_named(reader: Reader):
    page = reader.open("compare.html#essays=nobody")
    expect(page.locator("#state")).to_have_text("The cohort has no essay nobody.")
    # The browser reports the file that is not there; that is meant here.
    reader.complaints.clear()


def test_ways_to_other_essays_stand_on_one_line_each_beside_the_places(reader: Reader):
    page = reader.open(f"essays/{ESSAY}.html")
    boxes = [link.bounding_box() for link in page.locator(".ways a", has_text="Next").all()]
    assert boxes and all(box and box["height"] < 40 for box in boxes)
    places = page.locator("section[aria-labelledby='places']").bounding_box()
    assert places and all(box["x"] > places["x"] + places["width"] for box in boxes if box)

"""Two essays with the verdicts of judges who compared them, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from pages_fixtures import HOSTILE, make_reading_cohort
from playwright.sync_api import Browser, Page
from reader import DESKTOP, PHONE
from verdict_fixtures import STAGE, inspect, judge, make_duels, with_rows

from daydreaming.generation.study import Study
from daydreaming.inputs.records import Generation
from daydreaming.results.pages.folder import write_reading_pages
from daydreaming.results.verdicts.collecting import collect_verdicts

ONE, OTHER, THIRD = (
    f"e-developed-0-{name}" for name in ("ladder-quick-writer", "thread-quick-writer", "thread-slow-writer")
)


def duels(study: Study, one: str, other: str) -> list[Generation]:
    own = [row for row in study.membership.generations.values() if row.stage == STAGE]
    return [row for row in own if {row.parent_gen_id, row.second_parent_gen_id} == {one, other}]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The pages of a combo's essays; on two of them a judge flips, another says so and fails in the other order.

    On the first and a third one a judge flips in two replicates, another does not.
    """
    folder = tmp_path_factory.mktemp("verdicts")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        study, _ = make_duels(make_reading_cohort(folder, combos=1, replicates=1, sentences=8), failures=0)
        for row, verdict in zip(duels(study, ONE, OTHER), ("A", "A", "A", None), strict=True):
            judge(study, row, verdict, f"{HOSTILE}\n\nVerdict: {verdict}")
        again = [replace(row, gen_id=f"{row.gen_id}-2", replicate=2) for row in duels(study, ONE, THIRD)[:2]]
        study = with_rows(study, again)
        for row, verdict in zip(duels(study, ONE, THIRD), "AAABAA", strict=True):
            judge(study, row, verdict)
        inspection = inspect(study)
        verdicts = collect_verdicts(study, inspection)
        return write_reading_pages(study, [], 1, inspection, verdicts).index.parent.resolve().as_uri()


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport=request.param)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    yield page
    page.close()
    assert complaints == []


def test_an_essays_page_leads_to_two_essays_and_what_each_judge_said_of_them(page: Page, base: str):
    page.goto(f"{base}/essays/{ONE}.html")
    page.get_by_role("link", name="thread, developed, quick-writer").click()
    page.wait_for_selector("#verdicts section")
    assert page.locator("#verdicts h2").all_inner_texts() == ["Verdicts on essay 1 and essay 2"]
    tally = page.locator("#verdicts .tally").inner_text()
    assert (
        tally
        == "Essay 1 won 2, essay 2 won 1; no ties; 1 judge said the opposite in the other order; 1 judgement failed."
    )
    page.locator("#verdicts summary").click()
    cards = page.locator("#verdicts article")
    assert [cards.nth(n).locator(".verdict, .failure").inner_text() for n in range(4)] == [
        "Essay 1",
        "Essay 2",
        "Essay 1",
        "parse: what parse means",
    ]
    assert "A was essay 2, B essay 1" in cards.nth(1).inner_text()
    assert "<script>alert(document.domain)</script>" in cards.first.inner_text()
    assert page.locator("main script, main img, main style").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_judge_who_flips_in_two_replicates_is_one_judge(page: Page, base: str):
    page.goto(f"{base}/compare.html#essays={ONE},{THIRD}")
    page.wait_for_selector("#verdicts section")
    tally = page.locator("#verdicts .tally").inner_text()
    assert tally == "Essay 1 won 4, essay 2 won 2; no ties; 1 judge said the opposite in the other order."


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_open_verdicts(browser: Browser, base: str, scheme: str):
    page = browser.new_page(viewport=PHONE, color_scheme=scheme)
    page.goto(f"{base}/compare.html#essays={ONE},{OTHER}")
    page.locator("#verdicts summary").click()
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    page.close()


def test_three_essays_have_the_verdicts_of_each_two_and_copies_none(page: Page, base: str):
    page.goto(f"{base}/compare.html#essays={ONE},{OTHER},{THIRD}")
    page.wait_for_selector("#verdicts section")
    assert page.locator("#verdicts h2").count() == 3
    assert page.locator("#beside .number-of").all_inner_texts() == ["Essay 1", "Essay 2", "Essay 3"]
    page.goto("about:blank")
    page.goto(f"{base}/compare.html#essays={ONE},e-copied-0-ladder-quick-writer")
    page.wait_for_selector("#beside section")
    assert page.locator("#verdicts *, .number-of").count() == 0

"""The report in a browser: charts to point at, drawings without scripts and in print, a way to the pages and back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from pages_fixtures import make_reading_cohort
from playwright.sync_api import Browser, Page, expect
from reader import DESKTOP, PHONE, WINDOWS

from daydreaming.results.pages.folder import write_reading_pages
from daydreaming.results.report.page import write_report
from daydreaming.results.scores import collect_scores


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of 32 essays of 4 combos, with the pages to read them in beside it."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        study = make_reading_cohort(folder, combos=4, replicates=1)
        rows = collect_scores(study)
        write_reading_pages(study, rows)
        return (folder / write_report(study, rows)).as_uri()


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    """The report, in both sizes; the browser complains of nothing, and asks nothing of another place."""
    page = browser.new_page(viewport=request.param)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if request.url != address else None)
    page.goto(address)
    yield page
    page.close()
    assert complaints == []


def test_a_mark_that_is_pointed_at_tells_its_numbers(page: Page):
    figure = page.locator("figure").first
    figure.scroll_into_view_if_needed()
    expect(figure.locator(".live svg")).to_be_visible()
    expect(figure.locator(".narrow, .wide").locator("visible=true")).to_have_count(0)
    figure.locator(".live .mark-symbol path").first.hover()
    told = page.locator("#vg-tooltip-element.visible")
    expect(told).to_be_visible()
    cells = told.locator("td.value").all_inner_texts()
    numbers = [cell.inner_text() for cell in page.locator("details table").first.locator("tbody td").all()[:6]]
    assert cells[0] == f"{numbers[1]} − {numbers[2]} ({numbers[0]})" if numbers[0] else cells[0]
    place = told.bounding_box()
    assert place and place["x"] >= 0 and place["x"] + place["width"] <= page.viewport_size["width"]


def test_every_chart_comes_alive_when_it_comes_near(page: Page):
    figures = page.locator("figure").all()
    assert len(figures) > 5
    for figure in figures:
        figure.scroll_into_view_if_needed()
        expect(figure.locator(".live svg")).to_be_visible()
        still = figure.locator(".wide svg" if page.viewport_size == DESKTOP else ".narrow svg")
        assert figure.locator(".live svg text").all_text_contents() == still.locator("text").all_text_contents()


def test_a_window_that_becomes_narrow_has_the_narrow_charts(browser: Browser, address: str):
    page = browser.new_page(viewport=DESKTOP)
    page.goto(address)
    chart = page.locator("figure").first.locator(".live svg")
    expect(chart).to_be_visible()
    before = float(chart.get_attribute("width") or 0)
    page.set_viewport_size(PHONE)
    expect(chart).not_to_have_attribute("width", f"{before:g}")
    assert float(chart.get_attribute("width") or 0) <= PHONE["width"]
    page.close()


def test_print_and_a_browser_without_scripts_show_the_drawings(browser: Browser, address: str):
    page = browser.new_page(viewport=DESKTOP)
    page.goto(address)
    figure = page.locator("figure").first
    expect(figure.locator(".live svg")).to_be_visible()
    page.emulate_media(media="print")
    expect(figure.locator(".live")).to_be_hidden()
    expect(figure.locator(".wide svg")).to_be_visible()
    page.close()
    context = browser.new_context(java_script_enabled=False, viewport=DESKTOP)
    still = context.new_page()
    still.goto(address)
    expect(still.locator("figure").first.locator(".wide svg")).to_be_visible()
    expect(still.locator("figure").first.locator(".live")).to_be_hidden()
    context.close()


def test_the_policy_forbids_every_script_but_the_pages_own(browser: Browser, address: str):
    page = browser.new_page()
    page.goto(address)
    # Later: what the test itself has evaluated, the browser allows.
    acted = page.evaluate(
        """() => new Promise((done) => setTimeout(() => {
            const script = document.createElement("script");
            script.textContent = "document.title = 'acted'";
            document.body.append(script);
            try { done([document.title, new Function("return 1")()]); }
            catch (error) { done([document.title, error.name]); }
        }))"""
    )
    assert acted == ["c1: report", "EvalError"]
    page.close()


def test_from_the_leaderboard_to_an_essay_and_back(browser: Browser, address: str):
    page = browser.new_page(viewport=DESKTOP)
    page.goto(address)
    table = page.locator("details", has_text=re.compile("The first essays by")).first
    table.locator("summary").click()
    link = table.locator("a").first
    concepts = link.inner_text()
    link.click()
    expect(page.locator(".essay-head .concepts")).to_have_text(concepts)
    page.keyboard.press("g")
    page.wait_for_url(address)
    page.close()


@pytest.mark.parametrize(("size", "scheme"), WINDOWS)
def test_axe_finds_nothing_and_the_page_is_not_wider_than_its_window(
    browser: Browser, address: str, size: dict[str, int], scheme: str
):
    page = browser.new_page(viewport=size, color_scheme=scheme)
    page.goto(address)
    for figure in page.locator("figure").all():
        figure.scroll_into_view_if_needed()
        expect(figure.locator(".live svg")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    page.close()

"""What models write does nothing in a browser, nothing is loaded from elsewhere, and everybody can read the pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from reader import WINDOWS, Reader

HOSTILE = "e-developed-0-thread-quick-writer"
PAGES = (
    "index.html",
    f"essays/{HOSTILE}.html",
    "essays/e-developed-2-ladder-slow-writer.html",
    f"sources/{HOSTILE}.html",
    f"compare.html#essays={HOSTILE},e-copied-0-thread-quick-writer",
    "blind.html",
)

VIOLATED = ["connect-src", "img-src", "script-src-attr", "script-src-elem", "style-src-attr"]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_asked_of_another_place_and_nothing_acts(reader: Reader, path: str):
    asked: list[str] = []
    dialogs: list[str] = []
    reader.page.on("request", lambda request: asked.append(request.url))
    reader.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page = reader.open(path)
    page.wait_for_timeout(200)
    assert dialogs == []
    assert [url for url in asked if not url.startswith((reader.base, "about:"))] == []
    assert page.locator("main script, main img, main style, main iframe, main [onerror], [style]").count() == 0
    assert page.locator("a[href^='javascript:']").count() == 0


def test_a_hostile_text_is_shown_as_text_with_marks_for_what_cannot_be_seen(reader: Reader):
    page = reader.open(f"essays/{HOSTILE}.html")
    text = page.locator(".essay .text").first.inner_text()
    assert "<script>alert(document.domain)</script>" in text
    assert "⟨U+202E⟩evil⟨U+202C⟩" in text
    assert "⟨U+001B⟩[31m" in text
    assert page.locator(".judgements article").count() == 8  # the unclosed tags have swallowed nothing


@pytest.mark.parametrize("path", PAGES)
def test_the_policy_is_strict_and_holds(reader: Reader, path: str):
    page = reader.open(path)
    violations = page.evaluate(
        """(expected) => new Promise((done) => {
            const seen = new Set();
            const end = () => done([document.title, ...seen].sort());
            document.addEventListener("securitypolicyviolation", (event) => {
                seen.add(event.effectiveDirective);
                if (expected.every((one) => seen.has(one))) end();
            });
            const script = document.createElement("script");
            script.textContent = "document.title = 'acted'";
            document.body.append(script);
            const image = document.createElement("img");
            image.src = "https://example.org/p.png";
            document.body.append(image);
            const marked = document.createElement("p");
            marked.setAttribute("style", "color: red");
            document.body.append(marked);
            const button = document.createElement("button");
            button.setAttribute("onclick", "document.title = 'acted'");
            document.body.append(button);
            button.click();
            fetch("https://example.org/").catch(() => {});
            setTimeout(end, 20000);
        })""",
        VIOLATED,
    )
    assert "acted" not in violations
    assert set(VIOLATED) <= set(violations)
    reader.complaints.clear()  # it complained of all of this, as it should


@pytest.mark.parametrize(("size", "scheme"), WINDOWS)
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_and_no_page_is_wider_than_its_window(
    browser: Browser, server: str, path: str, size: dict[str, int], scheme: str
):
    context = browser.new_context(viewport=size, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{server}/{path}")
    page.wait_for_timeout(200)
    if path == "blind.html":
        page.fill("[name=reader]", "ann")
        page.click("#reader button")
        page.wait_for_selector("#text p")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    context.close()


def test_the_open_help_and_filters_have_no_findings_either(reader: Reader):
    page = reader.open_list()
    page.click(".filters summary")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keys").click()
    assert Axe().run(page).response["violations"] == []
    reader.complaints.clear()  # axe tries to read the style sheet by itself, which the policy refuses it


def test_print_shows_the_texts_and_no_controls(reader: Reader):
    page = reader.open("essays/e-developed-1-ladder-slow-writer.html")
    page.emulate_media(media="print")
    assert not page.locator(".top").is_visible()
    assert page.locator(".essay .text").first.is_visible()
    assert page.locator(".judgements article").last.is_visible()


def test_no_page_is_larger_than_300_kb(cohort_folder: Path):
    assert max(path.stat().st_size for path in cohort_folder.rglob("*.html")) < 300_000

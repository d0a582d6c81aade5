"""The pages of a made-up cohort in a real browser: opened from the folder, and from a server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pages_fixtures import make_reading_cohort
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, expect, sync_playwright
from reader import DESKTOP, FLAGS, Reader, find_browser

from daydreaming.results.pages.folder import write_reading_pages
from daydreaming.results.scores import collect_scores

# As for all else that a page is waited for.
expect.set_options(timeout=30_000)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


# Playwright keeps an event loop running in the main thread until it ends: asyncio.run refuses in other files' tests.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def cohort_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of 24 essays with 192 evaluations, one of the essays hostile."""
    folder = tmp_path_factory.mktemp("reading")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        study = make_reading_cohort(folder)
        write_reading_pages(study, collect_scores(study))
        return folder / study.cohort_files.reading_pages


@pytest.fixture(scope="session")
def percent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of the same cohort, whose rubric goes from 0 to 100."""
    folder = tmp_path_factory.mktemp("percent")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        study = make_reading_cohort(folder)
        rubrics = study.catalogs.templates["evaluation"]
        for name, template in rubrics.items():
            rubrics[name] = replace(template, score_min=0.0, score_max=100.0)
        write_reading_pages(study, collect_scores(study))
        return folder / study.cohort_files.reading_pages


@pytest.fixture(scope="session")
def server(cohort_folder: Path) -> Iterator[str]:
    handler = partial(QuietHandler, directory=str(cohort_folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=DESKTOP, accept_downloads=True)
    yield context
    context.close()


# What a page keeps in the browser depends on where it comes from: test_blind takes both in every run.
@pytest.fixture(params=["folder", pytest.param("server", marks=pytest.mark.full_set)])
def reader(
    request: pytest.FixtureRequest, context: BrowserContext, cohort_folder: Path, server: str
) -> Iterator[Reader]:
    """A browser on the pages; it must not have complained of anything when the test ends."""
    page = context.new_page()
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    base = cohort_folder.as_uri() if request.param == "folder" else server
    yield Reader(page, base, complaints)
    assert complaints == []

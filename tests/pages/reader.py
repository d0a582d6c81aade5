"""A reader: a page of a browser on the pages of a cohort."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# Each size and each scheme is in the sample; the other two pairs are in the full set.
WINDOWS = [
    pytest.param(DESKTOP, "light", id="desktop-light"),
    pytest.param(PHONE, "dark", id="phone-dark"),
    pytest.param(DESKTOP, "dark", id="desktop-dark", marks=pytest.mark.full_set),
    pytest.param(PHONE, "light", id="phone-light", marks=pytest.mark.full_set),
]


def find_browser() -> str:
    """Return the program of a Chromium, unpacked into the project's cache where none is installed."""
    installer = Path(__file__).resolve().with_name("install_browser.sh")
    found = subprocess.run([installer], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


@dataclass(frozen=True)
class Reader:
    """A page of a browser, what it complained of, and where the cohort's pages are."""

    page: Page
    base: str
    complaints: list[str]

    def open(self, path: str) -> Page:
        # By way of another page: a new fragment alone would not load the page anew.
        self.page.goto("about:blank")
        self.page.goto(f"{self.base}/{path}")
        self.page.wait_for_load_state("load")
        return self.page

    def open_list(self, fragment: str = "") -> Page:
        page = self.open(f"index.html{fragment}")
        page.wait_for_selector("#essays[data-milliseconds]")
        return page

    def titles(self) -> list[str]:
        return self.page.locator("#essays .title").all_inner_texts()

    def ids(self) -> list[str]:
        return [one.get_attribute("data-id") or "" for one in self.page.locator("#essays > li").all()]

"""The page of a report as a reader sees it."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from daydreaming.generation.study import Study
from daydreaming.results.report.page import write_report
from daydreaming.results.scores import collect_scores

NOT_CLOSED = {"meta", "br"}


class Page(HTMLParser):
    """A page as a reader sees it: its words, its links, its tables; fails where elements do not close."""

    def __init__(self, path: Path):
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.links: list[str] = []
        self.words: list[str] = []
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self.feed(self.source)
        self.close()
        assert self._open == []

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        if tag not in NOT_CLOSED:
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.links += [value for name, value in attributes if name in ("href", "src")]

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if {"style", "script"} & set(self._open):
            return
        self.words.append(data)
        if self._open and {"td", "th"} & set(self._open):
            self.rows[-1][-1] = " ".join(f"{self.rows[-1][-1]} {data}".split())


def report(study: Study) -> Page:
    return Page(write_report(study, collect_scores(study)))

"""Tables and reports that are not what the generations say now are made again, whatever the times of the files say."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from full_sets import sampled
from studies import Study

_MOMENT = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d UTC")


def reports(study: Study) -> Path:
    return study.paths.cohort("c1").reports


def contents(study: Study) -> dict[str, bytes]:
    """The results, without the time of the last run, which the report has."""
    files = sorted(path for path in reports(study).rglob("*") if path.is_file())
    return {str(path.relative_to(reports(study))): _MOMENT.sub(b"", path.read_bytes()) for path in files}


def edit_scores(study: Study) -> None:
    replace_unseen(reports(study) / "parsed_scores.csv", r",(\d\.0),,data", ",9.9,,data")


def edit_pivot(study: Study) -> None:
    replace_unseen(reports(study) / "pivot_mean.csv", r",\d\.0,", ",9.9,")


def report_of_other_scores(study: Study) -> None:
    replace_unseen(
        reports(study) / "report.html", r'"scores-sha256" content="[0-9a-f]+"', '"scores-sha256" content="0"'
    )


def edit_figure_of_report(study: Study) -> None:
    replace_unseen(reports(study) / "report.html", r">\d\.\d\d<", ">9.99<")


def edit_statistics(study: Study) -> None:
    replace_unseen(reports(study) / "levels.csv", r",\d\.\d", ",9.9")


def edit_page(study: Study) -> None:
    replace_unseen(next(reports(study).glob("read/essays/*.html")), r"<title>.", "<title>?")


def replace_unseen(path: Path, pattern: str, new: str) -> None:
    """Replace the first match, and leave the file's time as it was."""
    moment = path.stat().st_mtime_ns
    text, replaced = re.subn(pattern, new, path.read_text(encoding="utf-8"), count=1)
    assert replaced
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(moment, moment))


CHANGES = [edit_scores, edit_pivot, report_of_other_scores, edit_figure_of_report, edit_statistics, edit_page]


@pytest.mark.parametrize("change", sampled(CHANGES, full_set=[report_of_other_scores]))
def test_results_that_the_texts_do_not_say_are_made_again(change: Callable[[Study], None], copied: Study):
    before = contents(copied)
    change(copied)
    run = copied.run("all", "-j8")
    assert (contents(copied), run.calls) == (before, ())
    assert copied.run("all", "-j8").did_nothing


def test_a_report_is_not_written_from_an_edited_table(copied: Study):
    before = contents(copied)
    edit_scores(copied)
    edited = contents(copied)
    for program in ("write_report.py", "write_statistics.py", "write_pages.py"):
        run = copied.script(program, code=1)
        assert "parsed_scores.csv: the table of scores is not what the generations say now" in run.output
    assert contents(copied) == edited != before


def test_an_older_table_that_is_put_back_does_not_count(copied: Study):
    old = (reports(copied) / "parsed_scores.csv").read_bytes()
    copied.edit(copied.template("evaluation", "novelty"), "End with", "Be strict. End with")
    copied.run("-j8", "evaluations")
    (reports(copied) / "parsed_scores.csv").write_bytes(old)
    copied.run("all", "-j8")
    scores = (reports(copied) / "parsed_scores.csv").read_bytes()
    copied.script("aggregate_scores.py", "--output", "scores.csv")
    assert scores == (copied.folder / "scores.csv").read_bytes() != old

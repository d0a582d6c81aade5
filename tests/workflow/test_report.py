"""The report as a target: made with everything else, made alone when it is gone, and not made again for nothing."""

from __future__ import annotations

import re

from studies import Study

# The report says when the last run was.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")


def test_the_report_is_part_of_a_whole_run_and_a_target_of_its_own(copied: Study):
    files = copied.paths.cohort("c1")
    page = files.report.read_text(encoding="utf-8")
    assert "Cohort <bdi>c1</bdi>" in page
    assert "<svg" in page
    files.report.unlink()
    assert copied.run("report").calls == ()
    assert _MOMENT.sub("", files.report.read_text(encoding="utf-8")) == _MOMENT.sub("", page)
    assert copied.run("report").did_nothing


def test_the_pages_to_read_in_are_part_of_a_whole_run_and_are_made_again_when_they_are_gone(copied: Study):
    index = copied.paths.cohort("c1").reading_index
    page = index.read_text(encoding="utf-8")
    essays = sorted(path.name for path in index.parent.joinpath("essays").iterdir())
    assert essays
    index.unlink()
    assert copied.run("report").calls == ()
    assert index.read_text(encoding="utf-8") == page
    assert sorted(path.name for path in index.parent.joinpath("essays").iterdir()) == essays
    assert copied.run("report").did_nothing

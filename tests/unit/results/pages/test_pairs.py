"""Pairs of essays that judges compared, on the pages: counts, what judges said, what is made anew."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pages_fixtures import HOSTILE, make_reading_cohort
from verdict_fixtures import STAGE, inspect, judge, make_duels

from daydreaming.generation.study import Study
from daydreaming.results.pages.folder import Written, write_reading_pages
from daydreaming.results.verdicts.collecting import collect_verdicts

ONE, OTHER = "e-developed-0-ladder-quick-writer", "e-developed-0-thread-quick-writer"
PAIR = f"{ONE}~{OTHER}"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.chdir(tmp_path)
    return make_duels(make_reading_cohort(tmp_path, combos=2, replicates=1, sentences=4), failures=0)[0]


def written(study: Study, **changes: object) -> Written:
    inspection = inspect(study)
    verdicts = [replace(row, **changes) for row in collect_verdicts(study, inspection)]
    return write_reading_pages(study, [], 1, inspection, verdicts)


def pair(study: Study, name: str = PAIR) -> list[dict[str, object]]:
    script = (study.cohort_files.reading_pages / f"pairs/{name}.js").read_text(encoding="utf-8")
    begin = f'reading.take("pair {name}", '
    assert script.startswith(begin)
    return json.loads(script.removeprefix(begin).removesuffix(");\n"))


def duels(study: Study) -> list:
    own = [row for row in study.membership.generations.values() if row.stage == STAGE]
    return [row for row in own if {row.parent_gen_id, row.second_parent_gen_id} == {ONE, OTHER}]


def test_a_pair_has_every_verdict_with_the_order_and_what_the_judge_said(study):
    there, back, *others = duels(study)
    judge(study, there, "A", "<think>Hm.</think>\n**Bolder** <script>alert(1)</script>\n\nVerdict: A")
    judge(study, back, "tie")
    judge(study, others[0], None, "Both have merits.")
    judge(study, others[1], None, error="timeout")
    written(study)
    first, second, unread, late = pair(study)
    assert (first["first"], first["verdict"], first["judge"]) == (there.parent_gen_id, "A", "judge")
    assert "<strong>Bolder</strong> &lt;script&gt;" in first["html"]
    assert "Hm." not in first["html"]
    assert (second["first"], second["verdict"]) == (there.second_parent_gen_id, "tie")
    assert (unread["verdict"], unread["failure"]) == (None, "parse: what parse means")
    assert "Both have merits." in unread["html"]
    assert (late["verdict"], late["failure"], late["html"]) == (None, "timeout: what timeout means", "")


def test_an_essays_page_counts_what_it_won_tied_and_lost(study):
    for row, verdict in zip(duels(study), ("A", "A", "tie", None), strict=True):
        judge(study, row, verdict)
    written(study)
    page = (study.cohort_files.reading_pages / f"essays/{ONE}.html").read_text(encoding="utf-8")
    row = page.partition(f'<a href="../compare.html#essays={ONE},{OTHER}">thread, developed, quick-writer</a>')[2]
    cells = [cell.split(">")[-1] for cell in row.partition("</tr>")[0].split("</td>")[:-1]]
    assert cells == ["1", "1", "1", "1"]
    copied = (study.cohort_files.reading_pages / "essays/e-copied-0-ladder-quick-writer.html").read_text("utf-8")
    assert "Compared with other essays" not in copied


def essay_pages(study: Study) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (study.cohort_files.reading_pages / "essays").iterdir()}


def test_another_verdict_makes_the_pages_of_its_two_essays_anew_and_no_other(study):
    row = duels(study)[0]
    judge(study, row, "A")
    written(study)
    before = essay_pages(study)
    judge(study, row, "B")
    written(study)
    changed = {name for name, content in essay_pages(study).items() if before[name] != content}
    assert changed == {f"{ONE}.html", f"{OTHER}.html"}


def test_pairs_that_are_no_more_go_and_texts_without_pages_have_none(study):
    written(study)
    folder = study.cohort_files.reading_pages / "pairs"
    assert len(list(folder.iterdir())) == 12
    assert set(written(study).files) >= set(folder.iterdir())
    written(study, text_stage="revision")
    assert list(folder.iterdir()) == []


def test_a_judgement_as_long_as_a_book_is_cut(study):
    row = duels(study)[0]
    judge(study, row, "A", f"{HOSTILE}\n" + "A long word. " * 50_000 + "\n\nVerdict: A")
    written(study)
    first = pair(study)[0]
    assert first["whole"] is False
    assert len(first["html"]) < 25_000

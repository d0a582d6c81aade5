"""The folder of pages: what is made anew and what is not, what goes, what is never shown."""

from __future__ import annotations

import json
import os
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from pages_fixtures import make_reading_cohort

from daydreaming.generation.inspection import inspect_cohort
from daydreaming.generation.study import Study
from daydreaming.results.made_results import Result, record_made
from daydreaming.results.outdated_results import ResultsCheck, scores_of_now
from daydreaming.results.pages import folder as pages_folder
from daydreaming.results.pages.folder import Written, pack, write_reading_pages
from daydreaming.results.pages.rendering import LARGEST_PAGE
from daydreaming.results.report.page import write_report
from daydreaming.results.report.plots import plot_files
from daydreaming.results.score_table import write_scores
from daydreaming.results.scores import collect_scores

ESSAY = "e-developed-1-ladder-slow-writer"


@pytest.fixture
def study(tmp_path, monkeypatch) -> Study:
    monkeypatch.chdir(tmp_path)
    return make_reading_cohort(tmp_path, combos=2, replicates=1, sentences=8)


def written(study: Study, processes: int | None = None) -> Written:
    made = write_reading_pages(study, collect_scores(study), processes)
    record_made(study, Result.PAGES, "", made.files)
    return made


def content(study: Study) -> dict[str, bytes]:
    root = study.cohort_files.reading_pages
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_each_essay_has_its_pages_and_the_same_data_give_the_same_bytes(study):
    made = written(study)
    assert (made.essays, made.remade) == (16, 16)
    before = content(study)
    assert sum(name.startswith("essays/") for name in before) == 16
    assert written(study).remade == 0
    study.cohort_files.reading_pages.joinpath("pages.json").unlink()
    assert written(study).remade == 16
    assert content(study) == before


def test_an_edited_page_is_made_anew_whatever_its_size(study):
    written(study)
    before = content(study)
    page = study.cohort_files.reading_pages / f"essays/{ESSAY}.html"
    page.write_bytes(page.read_bytes().replace(b"<title>", b"<tITle>", 1))
    assert written(study).remade == 1
    assert content(study) == before


def test_several_processes_make_the_same_pages(study, monkeypatch):
    written(study)
    before = content(study)
    monkeypatch.setattr(pages_folder, "_FEWEST_FOR_PROCESSES", 0)
    study.cohort_files.reading_pages.joinpath("pages.json").unlink()
    assert written(study, processes=2).remade == 16
    assert content(study) == before


def test_a_changed_judgement_makes_the_pages_of_its_essay_anew_and_no_other(study):
    written(study)
    before = content(study)
    raw = study.files("evaluation", f"v1-novelty-judge-{ESSAY}").raw
    raw.write_text(f"A platypus. {raw.read_text()}")
    assert written(study).remade == 1
    after = content(study)
    changed = {name for name in after if after[name] != before.get(name)} - {"pages.json"}
    assert {name for name in changed if not name.startswith("words/")} == {
        f"essays/{ESSAY}.html",
        f"sources/{ESSAY}.html",
    }
    assert any(b"platypus" in after[name] for name in changed if name.startswith("words/"))


@pytest.mark.parametrize("damage", ["", "longer than it was"])
def test_a_page_that_is_gone_or_damaged_is_made_again(study, damage):
    written(study)
    before = content(study)
    page = study.cohort_files.reading_pages / "essays" / f"{ESSAY}.html"
    page.write_text(damage)
    assert written(study).remade == 1
    assert content(study) == before


def test_pages_that_nothing_needs_any_more_go_and_foreign_files_stay(study):
    root = written(study).index.parent
    (root / "essays" / "gone.html").write_text("An essay of an earlier cohort.")
    (root / "notes.txt").write_text("The reader's own.")
    written(study)
    assert not (root / "essays" / "gone.html").exists()
    assert (root / "notes.txt").exists()


def test_a_text_that_is_not_what_is_asked_now_is_not_shown(study):
    study.files("essay", ESSAY).parsed.write_text("PLATYPUS, written by hand.")
    metadata = study.files("essay", ESSAY).metadata
    metadata.write_text(json.dumps({**json.loads(metadata.read_text()), "error": "truncated", "error_message": "cut"}))
    written(study)
    page = content(study)[f"essays/{ESSAY}.html"].decode()
    assert "PLATYPUS" not in page
    assert "<strong>waiting</strong>: <bdi>it failed last time (truncated), and there is a text</bdi>" in page
    assert not any(b"platypus" in text for name, text in content(study).items() if name.startswith("words/"))


def test_a_stack_trace_is_on_no_page(study):
    name = f"v1-novelty-judge-{ESSAY}"
    files = study.files("evaluation", name)
    files.parsed.unlink()
    files.raw.write_text("Traceback: /home/somebody/secret-folder")
    record = {
        **json.loads(files.metadata.read_text()),
        "error": "api",
        "error_traceback": "/home/somebody/secret-folder",
    }
    files.metadata.write_text(json.dumps(record))
    written(study)
    assert not [name for name, text in content(study).items() if b"secret-folder" in text]


def test_a_text_of_two_megabytes_in_one_line_makes_small_pages_and_a_file_of_its_own(study):
    text = "<b>" * 700_000
    study.files("essay", ESSAY).parsed.write_text(text)
    study.files("essay", ESSAY).raw.write_text(text)
    study.files("essay", ESSAY).prompt.write_text(text)
    written(study)
    files = content(study)
    assert max(len(page) for name, page in files.items() if name.endswith((".html", ".js"))) < 300_000
    assert files[f"long/essay-{ESSAY}-text.txt"].decode() == text
    assert f"long/essay-{ESSAY}-text.txt" in files[f"essays/{ESSAY}.html"].decode()


def test_pages_of_many_judgements_are_small_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = make_reading_cohort(tmp_path, combos=1, replicates=30, sentences=8)
    text = "<b>" * 15_000
    for stage, gen_id in study.membership.generations:
        files = study.files(stage, gen_id)
        for path in (files.prompt, files.raw, *([files.parsed] if stage != "evaluation" else ())):
            path.write_text(text if stage != "evaluation" else f"{text}\nSCORE: 7")
    written(study)
    sizes = {name: len(page) for name, page in content(study).items() if name.endswith((".html", ".js"))}
    assert {name: size for name, size in sizes.items() if size >= LARGEST_PAGE} == {}


def test_a_cohort_without_scores_has_its_pages(study):
    for one in study.membership.stage("evaluation"):
        study.files("evaluation", one.gen_id).parsed.unlink(missing_ok=True)
    assert written(study).essays == 16
    assert "nobody" not in content(study)["index.html"].decode()
    assert "missing" in content(study)[f"essays/{ESSAY}.html"].decode()


def test_the_packed_pages_are_those_of_the_folder_and_the_same_bytes_each_time(study, tmp_path):
    root = written(study).index.parent
    packed = pack(root)
    first = packed.read_bytes()
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "mailed")
    mailed = {
        str(p.relative_to(tmp_path / "mailed/read")): p.read_bytes()
        for p in (tmp_path / "mailed").rglob("*.*")
        if p.is_file()
    }
    expected = content(study)
    del expected["pages.json"]
    assert mailed == expected
    assert pack(root).read_bytes() == first


def test_the_report_is_packed_beside_the_pages_that_it_leads_to(study):
    root = written(study).index.parent
    report = write_report(study, collect_scores(study))
    with zipfile.ZipFile(pack(root, report)) as archive:
        assert archive.read("report.html") == report.read_bytes()
        names = set(archive.namelist())
    linked = set(re.findall(r'href="(read/[^"]+)"', report.read_text(encoding="utf-8")))
    assert len(linked) > 1 and linked <= names


def test_a_report_of_other_scores_is_not_the_current_one(study):
    def current() -> Path | None:
        return ResultsCheck(study, inspect_cohort(study)).current(Result.REPORT)

    assert current() is None
    rows = collect_scores(study)
    write_scores(study.cohort_files.scores, rows)
    assert current() is None
    path = write_report(study, rows)
    record_made(study, Result.REPORT, scores_of_now(study).source, [path, *plot_files(study.cohort_files.plots)])
    assert current() == path
    study.files("evaluation", rows[0].gen_id).parsed.write_text("9.9")
    assert current() is None


def test_a_score_is_shown_with_the_scale_of_its_rubric(study):
    rubrics = study.catalogs.templates["evaluation"]
    rubrics["novelty"] = replace(rubrics["novelty"], score_min=1.0, score_max=20.0)
    written(study)
    page = content(study)[f"essays/{ESSAY}.html"].decode()
    assert page.count("</span> on 1 to 20</p>") == 2


def test_no_part_of_the_data_names_a_folder_of_this_machine(study, tmp_path):
    written(study)
    assert not [name for name, text in content(study).items() if str(tmp_path).encode() in text]


def test_every_link_of_every_page_leads_to_a_file(study):
    written(study)
    files = content(study)
    root = Path("read")
    names = {str(root / name) for name in files} | {"report.html"}
    for name, text in files.items():
        if name.endswith(".html"):
            for link in re.findall(rb'(?:href|src)="([^"#]+)', text):
                target = (root / name).parent / link.decode()
                assert os.path.normpath(target) in names, (name, link)

"""What somebody edited is shown in no result as what a model wrote or was asked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from plan_fixtures import PlannedStudy, made_in_process

from daydreaming.generation.inspection import inspect_cohort
from daydreaming.results.export.cohort_rows import cohort_rows
from daydreaming.results.pages.folder import write_reading_pages
from daydreaming.results.report.essays import excerpt
from daydreaming.results.scores import collect_scores
from daydreaming.results.written_texts import written_bytes, written_text
from provider import Provider
from studies import Choice
from studies import Study as Folder


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory, server: Provider) -> Folder:
    return made_in_process(tmp_path_factory.mktemp("made") / "study", server, Choice())


@pytest.fixture
def made(made_once: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    folder = made_once.copy(tmp_path / "study")
    monkeypatch.chdir(folder.folder)
    return folder


def pages(folder: Folder) -> dict[str, str]:
    study = PlannedStudy(folder).loaded()
    root = write_reading_pages(study, collect_scores(study), processes=1).index.parent
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("stage", ["draft", "essay", "evaluation"])
@pytest.mark.parametrize("name", ["prompt", "raw"])
def test_an_edited_prompt_or_reply_is_on_no_page_and_in_no_export(made: Folder, stage: str, name: str):
    row = made.rows(stage)[0]
    file = getattr(made.files(row), name)
    if not file.exists():
        pytest.skip("a copy has no raw.txt")
    (exported,) = cohort_rows(PlannedStudy(made).loaded()).tables[f"{stage}s"]
    assert exported[name] == file.read_text()
    before = pages(made)
    file.write_text(f"A platypus. {file.read_text()}")
    after = pages(made)
    assert not [page for page, text in after.items() if "platypus" in text]
    changed = {page.partition("/")[0] for page, text in after.items() if text != before.get(page)}
    mark = f"{file.name} is not what was written"
    marked = {page.partition("/")[0] for page, text in after.items() if mark in text}
    assert marked == ({"sources", "essays"} if (stage, name) == ("evaluation", "raw") else {"sources"})
    assert marked <= changed
    (exported,) = cohort_rows(PlannedStudy(made).loaded()).tables[f"{stage}s"]
    assert (exported[name], exported["state"]) == (None, "current")


def test_a_text_that_is_edited_while_results_are_made_is_not_in_them(made: Folder):
    study, row = PlannedStudy(made).loaded(), made.rows("essay")[0]
    inspection = inspect_cohort(study)
    (score,) = collect_scores(study, inspection)
    beginning = excerpt(study, row.gen_id)
    text = made.files(row).parsed
    assert (score.essay_chars, text.read_text().startswith(beginning[:20])) == (len(text.read_text()), True)
    text.write_text(f"A platypus. {text.read_text()}")
    (score,) = collect_scores(study, inspection)
    assert (score.essay_chars, excerpt(study, row.gen_id)) == (None, "")
    root = write_reading_pages(study, [score], processes=1, inspection=inspection).index.parent
    assert not [path for path in root.rglob("*") if path.is_file() and "platypus" in path.read_text()]


def test_a_text_is_shown_by_its_digest_or_where_nothing_is_known_of_it(tmp_path: Path):
    path, content = tmp_path / "raw.txt", b"caf\xff"
    path.write_bytes(content)
    for sha256 in (None, hashlib.sha256(content).hexdigest()):
        assert (written_bytes(path, sha256), written_text(path, sha256)) == (content, "caf\ufffd")
    assert (written_bytes(path, "0" * 64), written_text(path, "0" * 64)) == (None, None)
    assert (written_bytes(tmp_path, None), written_text(tmp_path / "none", None)) == (None, None)

"""The digest of what results are made from: where it is the same, so are the results, whatever happened in between."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from plan_fixtures import PlannedStudy, made_in_process
from random_edits import EDITS

from daydreaming.base.errors import InputError
from daydreaming.generation.inspection import inspect_cohort
from daydreaming.ledger.metadata import encode_metadata, read_metadata
from daydreaming.results.made_results import (
    Result,
    changed_files,
    read_made,
    record_made,
    source_digest,
    unchanged_files,
)
from daydreaming.results.score_table import scores_text
from daydreaming.results.scores import collect_scores
from provider import Provider
from studies import Choice
from studies import Study as Folder

CHOICE = Choice(essays=("copied", "developed"), combos=(("sleep", "tides"), ("sleep", "maps")))


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory, server: Provider) -> Folder:
    return made_in_process(tmp_path_factory.mktemp("made") / "study", server, CHOICE)


def looked_at(folder: Folder) -> tuple[str, str]:
    """The digest of what results are made from now, and the table of scores that is counted now."""
    study = PlannedStudy(folder).loaded()
    inspection = inspect_cohort(study)
    return source_digest(study, inspection), scores_text(collect_scores(study, inspection))


@pytest.mark.parametrize("seed", range(12))
def test_the_same_digest_means_the_same_scores(
    made_once: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
):
    folder, draw = made_once.copy(tmp_path / "study"), random.Random(seed)
    monkeypatch.chdir(folder.folder)
    seen = dict([looked_at(folder)])
    tables = set(seen.values())
    for _ in range(8):
        draw.choice(EDITS)(folder, draw)
        if draw.random() < 0.3:
            PlannedStudy(folder).run()
        try:
            digest, table = looked_at(folder)
        except InputError:
            continue
        assert seen.setdefault(digest, table) == table
        tables.add(table)
    assert len(seen) >= len(tables) > 1


@pytest.fixture
def made(made_once: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    folder = made_once.copy(tmp_path / "study")
    monkeypatch.chdir(folder.folder)
    return folder


def digest(folder: Folder, **config: object) -> str:
    study = PlannedStudy(folder).loaded(**config)
    return source_digest(study, inspect_cohort(study))


def record_again(folder: Folder, **changes: object) -> None:
    """Let the record of an essay be that of another run, which wrote it itself."""
    file = folder.files(folder.rows("essay", "developed")[0]).metadata
    file.write_bytes(encode_metadata(replace(read_metadata(file).metadata, **changes)))


def longer(path: Path) -> None:
    """Add to a table what changes nothing of what is read from it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "") + "\n")


CHANGES: dict[str, Callable[[Folder], object]] = {
    "membership": lambda folder: longer(folder.paths.cohort("c1").membership),
    "concepts": lambda folder: longer(folder.paths.concepts),
    "models": lambda folder: longer(folder.paths.models),
    "draft templates": lambda folder: longer(folder.paths.templates("draft")),
    "evaluation templates": lambda folder: longer(folder.paths.templates("evaluation")),
    "combos": lambda folder: longer(folder.paths.combos),
    "selected combos": lambda folder: longer(folder.paths.selected_combos),
    "scores of people": lambda folder: longer(folder.paths.human_scores),
    "time of a text": lambda folder: record_again(folder, finished_at=1.0),
    "who answered": lambda folder: record_again(folder, served_model="lab/another"),
    "cost": lambda folder: record_again(folder, cost_usd=9.0),
    "text": lambda folder: folder.files(folder.rows("draft")[0]).parsed.write_text("Edited."),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_results_show_is_in_the_digest(made: Folder, change: str):
    before = digest(made)
    CHANGES[change](made)
    assert digest(made) != before


def test_the_code_that_makes_results_is_in_the_digest(made: Folder, monkeypatch: pytest.MonkeyPatch):
    code = made.folder / "code"
    code.mkdir()
    monkeypatch.setattr("daydreaming.results.made_results._CODE", code)
    seen = [digest(made)]
    for name in ("page.py", "page.jinja", "page.css", "page.js"):
        longer(code / name)
        seen.append(digest(made))
        assert len(set(seen)) == len(seen), name
    longer(code / "notes.md")
    assert digest(made) == seen[-1]


def test_the_endpoint_that_models_have_by_default_is_in_the_digest(made: Folder):
    endpoints = {**made.config()["endpoints"], "other": {"base_url": "http://127.0.0.1:1/v1"}}
    before = digest(made, endpoints=endpoints)
    study = PlannedStudy(made).loaded(endpoints=endpoints)
    other = PlannedStudy(made).loaded(endpoints=endpoints, default_endpoint="other")
    assert source_digest(study, inspect_cohort(study)) == before
    assert source_digest(other, inspect_cohort(study)) != before


def test_why_a_generation_does_not_count_is_in_the_digest(made: Folder):
    essay = made.rows("essay", "developed")[0]
    made.files(essay).parsed.unlink()
    failed = {"error": "api", "parsed_sha256": None}
    record_again(made, **failed, error_message="status 500")
    before = digest(made)
    record_again(made, **failed, error_message="status 503")
    assert digest(made) != before


def test_prompts_replies_and_the_journal_are_not_in_the_digest(made: Folder):
    before = digest(made)
    files = made.files(made.rows("essay", "developed")[0])
    for path in (files.prompt, files.raw, made.paths.cohort("c1").journal):
        longer(path)
    assert digest(made) == before


@pytest.mark.parametrize(("age_ns", "is_believed"), [(1, False), (20_000_000, False), (20_000_001, True)])
def test_only_of_a_file_that_was_left_alone_for_a_while_the_time_is_believed(
    made: Folder, monkeypatch: pytest.MonkeyPatch, age_ns: int, is_believed: bool
):
    study = PlannedStudy(made).loaded()
    path = study.cohort_files.folder / "report.html"
    path.write_text("A report.")
    changed_at_ns = path.stat().st_ctime_ns
    monkeypatch.setattr("daydreaming.results.made_results.time.time_ns", lambda: changed_at_ns + age_ns)
    record_made(study, Result.REPORT, "source", [path])
    known = read_made(study, Result.REPORT)
    (record,) = known.files.values()
    assert (known.made_from, list(known.files)) == ("source", ["report.html"])
    assert (record.size, record.changed_at_ns) == (9, changed_at_ns if is_believed else 0)
    assert unchanged_files(study, Result.REPORT) == {path}
    path.write_text("A resort.")
    assert list(changed_files(study, known)) == [path]
    assert unchanged_files(study, Result.REPORT) == frozenset()
    record_made(study, Result.REPORT, "source", [path])
    assert unchanged_files(study, Result.REPORT) == {path}


def test_a_file_that_is_as_it_was_recorded_is_not_read_again(made: Folder, monkeypatch: pytest.MonkeyPatch):
    study = PlannedStudy(made).loaded()
    paths = [study.cohort_files.folder / name for name in ("one.csv", "two.csv")]
    for path in paths:
        path.write_text("a,b\n")
    later = paths[0].stat().st_ctime_ns + 10**12
    monkeypatch.setattr("daydreaming.results.made_results.time.time_ns", lambda: later)
    record_made(study, Result.STATISTICS, "first", paths)
    before = read_made(study, Result.STATISTICS).files
    paths[1].write_text("a,b,c\n")
    reads: list[str] = []
    really_open = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (reads.append(path.name), really_open(path))[1])
    record_made(study, Result.STATISTICS, "second", paths)
    after = read_made(study, Result.STATISTICS).files
    assert (after["one.csv"], after["two.csv"] != before["two.csv"]) == (before["one.csv"], True)
    assert [name for name in reads if name.endswith(".csv")] == ["two.csv"]
    made_again = read_made(study, Result.STATISTICS)
    paths[1].write_text("a\n")
    assert list(changed_files(study, made_again)) == [paths[1]]
    paths[0].unlink()
    assert list(changed_files(study, made_again)) == paths


def test_of_a_result_without_a_record_no_file_is_known_to_be_unchanged(made: Folder):
    assert unchanged_files(PlannedStudy(made).loaded(), Result.EXPORT) == frozenset()

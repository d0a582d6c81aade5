"""The exported files: what they hold is what is on the disk, typed, whole, and the same bytes each time."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import export_fixtures as fixtures
import pyarrow.parquet as pq
import pytest

import daydreaming
from daydreaming.base.errors import InputError
from daydreaming.ledger.metadata import encode_changed
from daydreaming.results.cohort_statistics import write_statistics
from daydreaming.results.export.columns import CHAIN_COLUMNS, TABLES, Kind
from daydreaming.results.export.files import export_cohort
from daydreaming.results.export.parquet import parquet_schema
from daydreaming.results.scores import collect_scores
from provider import Provider
from studies import Study as Folder

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """A cohort that was made. For reading only: see `cohort`."""
    folder, here = tmp_path_factory.mktemp("made") / "study", Path.cwd()
    folder.mkdir()
    os.chdir(folder)
    try:
        with Provider() as provider:
            yield fixtures.made_cohort(folder, provider)
    finally:
        os.chdir(here)


@pytest.fixture
def cohort(made: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    copy = made.copy(tmp_path / "study")
    monkeypatch.chdir(copy.folder)
    return copy


def rows(database: Path, query: str, *values: object) -> list[tuple]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


def test_one_row_for_each_evaluation_with_the_texts_of_its_whole_chain(cohort: Folder):
    table = pq.read_table(fixtures.exported(cohort)[".parquet"]).to_pylist()
    assert len(table) == fixtures.EVALUATIONS
    for row, evaluation in zip(table, cohort.rows("evaluation"), strict=True):
        essay, draft = row["essay_gen_id"], row["draft_gen_id"]
        assert row["evaluation_gen_id"] == evaluation.gen_id
        assert essay == evaluation.parent_gen_id
        for stage, gen_id in (("draft", draft), ("essay", essay), ("evaluation", evaluation.gen_id)):
            files = cohort.paths.generation(stage, gen_id)
            assert row[f"{stage}_text"] == files.parsed.read_text()
            assert row[f"{stage}_prompt"] == files.prompt.read_text()
            assert row[f"{stage}_raw"] == (files.raw.read_text() if files.raw.exists() else None)
            assert row[f"{stage}_state"] == "current"
        metadata = cohort.metadata(evaluation)
        assert row["score"] == float(row["evaluation_text"])
        assert (row["error"], row["failed_gen_id"]) == (None, None)
        assert row["evaluation_cost_usd"] == metadata["cost_usd"]
        assert row["evaluation_started_at"].timestamp() == pytest.approx(metadata["started_at"], abs=1e-5)
        assert row["concept_ids"] == row["combo_id"].split("_")
        assert row["concept_names"] == [name.title() for name in row["concept_ids"]]


def test_the_same_files_give_the_same_bytes_and_no_others(cohort: Folder, tmp_path: Path):
    first = {suffix: path.read_bytes() for suffix, path in fixtures.exported(cohort).items()}
    again = export_cohort(fixtures.loaded(cohort), tmp_path / "again")
    assert {path.suffix: path.read_bytes() for path in again} == first
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == sorted(path.name for path in again)
    cohort.files(cohort.rows("evaluation")[0]).parsed.write_text("9.9")
    changed = {suffix: path.read_bytes() for suffix, path in fixtures.exported(cohort).items()}
    assert {suffix for suffix in first if first[suffix] != changed[suffix]} == {".parquet", ".sqlite"}


def test_a_text_that_does_not_count_is_there_and_says_so(cohort: Folder):
    evaluation, draft = cohort.rows("evaluation")[0], cohort.rows("draft", "contrast")[0]
    cohort.files(evaluation).parsed.write_text("9.9")
    cohort.files(draft).parsed.unlink()
    database = fixtures.exported(cohort)[".sqlite"]
    found = rows(database, "SELECT text, state, score, error FROM evaluations WHERE gen_id = ?", evaluation.gen_id)
    assert found == [("9.9", "edited", None, "edited")]
    assert rows(database, "SELECT text, state, error FROM drafts WHERE gen_id = ?", draft.gen_id) == [
        (None, "missing", "missing")
    ]
    # All that is made from the draft has no score, and names it.
    of_draft = rows(database, "SELECT count(*) FROM evaluations WHERE failed_gen_id = ?", draft.gen_id)
    assert of_draft == [(4,)]
    assert rows(database, "SELECT count(*) FROM scores") == [(fixtures.EVALUATIONS - 5,)]
    assert (draft.gen_id,) in rows(database, "SELECT gen_id FROM failures")


def test_the_tables_refer_to_each_other_and_the_views_answer(cohort: Folder):
    database = fixtures.exported(cohort)[".sqlite"]
    assert rows(database, "PRAGMA foreign_key_check") == []
    assert rows(database, "PRAGMA integrity_check") == [("ok",)]
    counts = [rows(database, f"SELECT count(*) FROM {name}")[0][0] for name in ("drafts", "essays", "evaluations")]
    assert counts == [fixtures.DRAFTS, fixtures.ESSAYS, fixtures.EVALUATIONS]
    scores = rows(database, "SELECT rubric, essay_id, score FROM scores")
    best = rows(database, "SELECT rubric, essay_id, mean_score FROM essays_by_score")
    assert sorted(best) == sorted(scores)  # one judge
    means = rows(database, "SELECT sum(scores), sum(mean_score * scores) FROM means_by_template")[0]
    assert means == (fixtures.EVALUATIONS, pytest.approx(sum(score for *_, score in scores), abs=0.01))
    assert rows(database, "SELECT * FROM failures") == []
    assert rows(database, "SELECT * FROM disagreements") == []
    # Every call once: copies cost nothing, and no reply is shared here.
    calls = fixtures.DRAFTS + fixtures.ESSAYS // 2 + fixtures.EVALUATIONS
    paid = sum(event["cost_usd"] for event in cohort.events() if event["event"] == "call_ended")
    assert rows(database, "SELECT sum(replies), sum(cost_usd) FROM costs") == [(calls, pytest.approx(paid))]


def test_words_are_found(cohort: Folder):
    essay = cohort.rows("essay", "developed")[0]
    word = cohort.files(essay).parsed.read_text().split()[1]  # of the first line, which is drawn from the request
    database = fixtures.exported(cohort)[".sqlite"]
    query = "SELECT gen_id FROM essays WHERE rowid IN (SELECT rowid FROM essays_words WHERE essays_words MATCH ?)"
    assert rows(database, query, f'"{word}"') == [(essay.gen_id,)]


def test_what_was_there_stays_where_the_new_file_cannot_be_written(cohort: Folder, monkeypatch: pytest.MonkeyPatch):
    before = {path: path.read_bytes() for path in fixtures.exported(cohort).values()}
    cohort.files(cohort.rows("evaluation")[0]).parsed.write_text("9.9")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        fixtures.exported(cohort)
    assert {path: path.read_bytes() for path in before} == before
    assert set(next(iter(before)).parent.iterdir()) == set(before)


def test_an_unfinished_cohort_and_texts_that_are_not_utf_8_can_be_exported(cohort: Folder):
    draft = cohort.rows("draft")[0]
    raw = b"caf\xff\x00 end"
    cohort.files(draft).raw.write_bytes(raw)
    record = cohort.metadata(draft) | {"raw_sha256": hashlib.sha256(raw).hexdigest()}
    cohort.files(draft).metadata.write_bytes(encode_changed(record))
    for row in cohort.rows("essay"):
        cohort.files(row).metadata.unlink()
        cohort.files(row).parsed.unlink()
    files = fixtures.exported(cohort)
    assert rows(files[".sqlite"], "SELECT raw FROM drafts WHERE gen_id = ?", draft.gen_id) == [("caf\ufffd\x00 end",)]
    table = pq.read_table(files[".parquet"])
    assert table.schema.equals(parquet_schema())
    assert table["score"].null_count == fixtures.EVALUATIONS
    assert set(table["essay_state"].to_pylist()) <= {"missing", "failed", "damaged"}


# The data dictionary --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_the_document_has_every_column_of_a_table_in_the_same_words(table: str):
    expected = [(column.name, str(column.kind), column.meaning) for column in TABLES[table]]
    assert fixtures.documented(f"`{table}`") == expected


def test_the_document_has_the_columns_of_a_chain(cohort: Folder):
    own = [column for column in CHAIN_COLUMNS if not re.match(r"(draft|essay|evaluation)_", column.name)]
    assert fixtures.documented("A chain") == [(column.name, str(column.kind), column.meaning) for column in own]
    names = {column.name for column in CHAIN_COLUMNS}
    assert {f"{stage}_{name}" for stage in ("draft", "essay", "evaluation") for name in ("text", "cost_usd")} <= names
    assert len(names) == len(CHAIN_COLUMNS)


def test_the_document_names_every_view():
    text = (PROJECT / "docs" / "data_out.md").read_text(encoding="utf-8")
    views = re.findall(
        r"CREATE VIEW (\w+)", (PROJECT / "scripts/daydreaming/results/export/sqlite_views.sql").read_text()
    )
    assert len(views) == 6
    assert [view for view in views if f"| `{view}` |" not in text] == []


def test_the_columns_of_the_database_are_those_of_the_dictionary(cohort: Folder):
    database = fixtures.exported(cohort)[".sqlite"]
    types = {Kind.INTEGER: "INTEGER", Kind.FLAG: "INTEGER", Kind.NUMBER: "REAL"}
    for name, columns in TABLES.items():
        found = rows(database, f"SELECT name, type FROM pragma_table_info('{name}')")
        assert found == [(column.name, types.get(column.kind, "TEXT")) for column in columns]


# In a notebook --------------------------------------------------------------------------------------------------------


def test_a_cohort_is_loaded_in_one_line_from_anywhere(cohort: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    data = daydreaming.load("c1", cohort.folder)
    assert Path.cwd() == elsewhere
    assert repr(data) == "Cohort c1: 4 drafts, 8 essays, 16 evaluations"
    for name, columns in TABLES.items():
        assert list(getattr(data, name).columns) == [column.name for column in columns]
    assert len(data.chains) == fixtures.EVALUATIONS
    assert data.scores["score"].tolist() == data.evaluations["score"].tolist()
    assert data.evaluations["score"].dtype == "float64"
    assert str(data.evaluations["started_at"].dtype) == "datetime64[us, UTC]"
    assert str(data.drafts["seed"].dtype) == "Int64"
    assert data.essays.set_index("gen_id")["text"].to_dict() == {
        row.gen_id: cohort.files(row).parsed.read_text() for row in cohort.rows("essay")
    }


def test_the_statistics_of_a_loaded_cohort_are_those_that_the_workflow_writes(cohort: Folder, tmp_path: Path):
    study = fixtures.loaded(cohort)
    written = write_statistics(study, collect_scores(study))
    data = daydreaming.load("c1", cohort.folder)
    assert len(data.contrasts) > 0
    tables = tmp_path / "tables"
    tables.mkdir()
    for ours, theirs in zip(data.analysis.write(tables), written, strict=True):
        assert ours.name == theirs.name
        assert ours.read_bytes() == theirs.read_bytes()


def test_a_cohort_that_is_not_there_is_a_fault(cohort: Folder):
    with pytest.raises(InputError, match="nobody"):
        daydreaming.load("nobody", cohort.folder)


# Datasette ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def address(cohort: Folder) -> Iterator[str]:
    """Where Datasette serves the database, started as the document says."""
    files = fixtures.exported(cohort)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "datasette", str(files[".sqlite"]), "--metadata", str(files[".json"])]
    server = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/-/versions.json")
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None, server.stdout.read().decode()
                assert time.monotonic() < deadline
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/c1"
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=120)


def get(address: str) -> dict:
    with urllib.request.urlopen(address) as answer:
        return json.load(answer)


def test_datasette_opens_it_with_facets_search_and_links(cohort: Folder, address: str):
    assert {table["name"] for table in get(f"{address}.json")["tables"] if not table["hidden"]} == set(TABLES)
    assert len(get(f"{address}.json")["views"]) == 6
    scores = get(f"{address}/scores.json")
    facets = {result["value"]: result["count"] for result in scores["facet_results"]["rubric"]["results"]}
    assert facets == {"novelty": 8, "soundness": 8}
    word = cohort.files(cohort.rows("essay", "developed")[0]).parsed.read_text().split()[1]
    found = get(f"{address}/essays.json?_search={word}&_shape=array")
    assert [row["gen_id"] for row in found] == [cohort.rows("essay", "developed")[0].gen_id]
    page = urllib.request.urlopen(f"{address}/evaluations").read().decode()
    assert "rubric&#39;s scale" in page  # what the column means
    assert "/c1/essays/" in page  # the essay that it judges

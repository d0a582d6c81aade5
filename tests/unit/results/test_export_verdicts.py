"""Verdicts in the exported files and in notebooks: with both texts, and the statistics that the workflow writes."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from export_fixtures import documented, exported, loaded
from plan_fixtures import PlannedStudy

import daydreaming
from daydreaming.base.errors import InputError
from daydreaming.generation.inspection import inspect_cohort
from daydreaming.results.export.columns import VERDICT_COLUMNS, tables_of
from daydreaming.results.export.parquet import parquet_schema
from daydreaming.results.scores import collect_scores
from daydreaming.results.verdicts.collecting import collect_verdicts
from daydreaming.results.verdicts.preference_tables import analyse_verdicts, write_preferences
from daydreaming.results.verdicts.verdict_table import COLUMNS
from provider import Provider
from studies import Choice
from studies import Study as Folder
from studies.inputs import write_config

COMPARING = Choice(
    essays=("developed", "plain"),
    combos=(("sleep", "tides"), ("sleep", "maps"), ("tides", "maps")),
    config={"stages": {"comparison": {"parent": "essay", "makes": "preference"}}},
    added={"comparison": ("bolder",)},
)
JUDGEMENTS = 6


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """A cohort whose essays were compared. For reading only: see `cohort`."""
    folder, here = tmp_path_factory.mktemp("compared") / "study", Path.cwd()
    folder.mkdir()
    os.chdir(folder)
    try:
        with Provider() as provider:
            study = Folder.create(folder, provider, COMPARING)
            study.build()
            PlannedStudy(study).run()
            yield study
    finally:
        os.chdir(here)


@pytest.fixture
def cohort(made: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    copy = made.copy(tmp_path / "study")
    monkeypatch.chdir(copy.folder)
    return copy


def pairs(cohort: Folder) -> list[dict]:
    exported(cohort)
    return pq.read_table(cohort.paths.cohort("c1").verdicts_parquet).to_pylist()


def database_rows(cohort: Folder, query: str) -> list[tuple]:
    with closing(sqlite3.connect(f"file:{exported(cohort)['.sqlite']}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def test_one_row_for_each_judgement_with_both_texts_and_their_combo(cohort: Folder):
    rows = pairs(cohort)
    table = pq.read_table(cohort.paths.cohort("c1").verdicts_parquet)
    assert table.schema.equals(parquet_schema(VERDICT_COLUMNS))
    assert [row["judgement_gen_id"] for row in rows] == [row.gen_id for row in cohort.rows("comparison")]
    essays = {row.gen_id: row for row in cohort.rows("essay")}
    for row, judgement in zip(rows, cohort.rows("comparison"), strict=True):
        assert (row["stage"], row["text_stage"]) == ("comparison", "essay")
        assert row["verdict"] == cohort.files(judgement).parsed.read_text().strip()
        for side, gen_id in (("first", judgement.parent_gen_id), ("second", judgement.second_parent_gen_id)):
            assert row[f"{side}_gen_id"] == gen_id
            assert row[f"{side}_text"] == cohort.files(essays[gen_id]).parsed.read_text()
            assert row["combo_id"] == essays[gen_id].combo_id
        assert len(row["concept_names"]) == 2
        assert row["judgement_prompt"] == cohort.files(judgement).prompt.read_text()
    orders = {(row["combo_id"], row["shown_order"]) for row in rows}
    assert len(orders) == len(rows) == JUDGEMENTS


def test_a_verdict_on_a_text_that_does_not_count_is_none_and_says_why(cohort: Folder):
    judgement = cohort.rows("comparison")[0]
    (essay,) = [row for row in cohort.rows("essay") if row.gen_id == judgement.second_parent_gen_id]
    cohort.files(essay).parsed.write_text("Another text.\n")
    row = pairs(cohort)[0]
    assert row["verdict"] is None
    assert row["failed_gen_id"] == judgement.second_parent_gen_id
    assert row["error"] and row["error_message"]
    assert row["judgement_text"].strip() in ("A", "B", "tie"), "what it said is there"
    assert row["second_state"] == "edited"
    (told,) = database_rows(cohort, f"SELECT verdict, error FROM comparisons WHERE gen_id = '{judgement.gen_id}'")
    assert told == (None, row["error"])
    assert database_rows(cohort, "SELECT count(*) FROM verdicts") == [(JUDGEMENTS - 2,)]


def test_the_views_have_the_verdicts_and_the_points_of_models(cohort: Folder):
    told = database_rows(cohort, "SELECT judgement_id, first_id, second_id, shown_order, verdict FROM verdicts")
    expected = [
        tuple(row[name] for name in ("judgement_gen_id", "first_gen_id", "second_gen_id", "shown_order", "verdict"))
        for row in pairs(cohort)
    ]
    assert sorted(told) == sorted(expected)
    # All by one model: nobody can win against another.
    assert database_rows(cohort, "SELECT * FROM points_by_model") == []
    found = pairs(cohort)
    with closing(sqlite3.connect(cohort.paths.cohort("c1").sqlite)) as connection:
        essay = found[0]["first_gen_id"]
        connection.execute("UPDATE essays SET model_id = 'other' WHERE gen_id = ?", (essay,))
        points = {"A": 1.0, "tie": 0.5, "B": 0.0}
        about = [row for row in found if essay in (row["first_gen_id"], row["second_gen_id"])]
        won = sum(
            points[row["verdict"]] if row["first_gen_id"] == essay else 1 - points[row["verdict"]] for row in about
        )
        query = "SELECT points, verdicts, combos FROM points_by_model WHERE model = 'other'"
        assert connection.execute(query).fetchall() == [(won, len(about), 1)]


def test_a_loaded_cohort_has_the_tables_that_the_workflow_writes(cohort: Folder, tmp_path: Path):
    study = loaded(cohort)
    inspection = inspect_cohort(study)
    rows = collect_verdicts(study, inspection)
    analysed = analyse_verdicts(rows, collect_scores(study, inspection), study.catalogs)
    write_preferences(study, rows, analysed)
    data = daydreaming.load("c1", cohort.folder)
    assert list(data.verdicts.columns) == list(COLUMNS)
    assert data.verdicts["verdict"].tolist() == [row.verdict for row in rows]
    assert len(data.judged_pairs) == JUDGEMENTS
    for name, table in data.preferences.items():
        assert table.equals(analysed.tables[name])
        written = cohort.paths.cohort("c1").reports / f"preference_{name}.csv"
        assert written.read_text().splitlines()[0] == ",".join(table.columns)
        assert len(written.read_text().splitlines()) == len(table) + 1


def test_the_same_verdicts_give_the_same_bytes(cohort: Folder):
    file = cohort.paths.cohort("c1").verdicts_parquet
    pairs(cohort)
    before = file.read_bytes()
    pairs(cohort)
    assert file.read_bytes() == before


def test_a_study_that_compares_nothing_has_no_file_and_says_so(cohort: Folder):
    pairs(cohort)
    config = cohort.config()
    del config["stages"]["comparison"]
    write_config(cohort.folder, config)
    membership = cohort.paths.cohort("c1").membership
    kept = [line for line in membership.read_text().splitlines() if not line.startswith("comparison")]
    membership.write_text("\n".join(kept) + "\n")
    exported(cohort)
    assert not cohort.paths.cohort("c1").verdicts_parquet.exists()
    data = daydreaming.load("c1", cohort.folder)
    assert len(data.verdicts) == 0
    with pytest.raises(InputError, match="no row compares two texts"):
        _ = data.preferences


def test_the_document_has_every_column(cohort: Folder):
    own = [column for column in VERDICT_COLUMNS if not column.name.startswith(("first_", "second_", "judgement_"))]
    assert documented("A verdict") == [(column.name, str(column.kind), column.meaning) for column in own]
    table = {column.name: column for column in tables_of(loaded(cohort).membership.stages)["comparisons"]}
    shown = documented("Stages that compare")
    assert [(one.name, str(one.kind), one.meaning) for one in map(table.get, [name for name, _, _ in shown])] == shown
    described = json.loads(exported(cohort)[".json"].read_text())["databases"]["c1"]["tables"]
    assert described["comparisons"]["columns"]["verdict"] == table["verdict"].meaning
    assert "verdict" in described["verdicts"]["facets"]

"""Columns and cells of older tables that do not fit the tables here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from importing_fixtures import SETTINGS, bring_in, only_fault, plan, snapshot, table_rows
from inputs_fixtures import DRAFTS, RAW, settings_with, write

from daydreaming.base.errors import InputError
from daydreaming.generation.study import load_study
from daydreaming.importing.import_text import import_text
from daydreaming.importing.writing import write_import
from daydreaming.inputs.catalogs import load_catalogs
from studies.original import Original


def with_column(table: Path, name: str, *cells: str) -> None:
    """Add a column before the last one; rows beyond the cells have the last of these."""
    header, *rows = table.read_text().splitlines()
    filled = [(*cells, *[cells[-1]] * len(rows))[number] for number in range(len(rows))]
    lines = [
        ",".join([*line.split(",")[:-1], cell, line.split(",")[-1]])
        for line, cell in zip([header, *rows], [name, *filled], strict=True)
    ]
    write(table, "\n".join(lines) + "\n")


def table_of(original: Original, name: str) -> Path:
    return original.data / f"1_raw/{name}.csv"


@pytest.mark.parametrize(
    ("table", "column", "cell", "problem"),
    [
        ("draft_templates", "temperature", "warm", "'warm' is not allowed. Give a number"),
        ("draft_templates", "max_tokens", "0", "0 is not allowed."),
        ("evaluation_templates", "score_max", "nine", "'nine' is not a number"),
        ("evaluation_templates", "score_min", "12", "the lowest score is 12 and the highest 10"),
    ],
)
def test_a_cell_that_a_run_would_refuse_stops_the_import(
    table: str, column: str, cell: str, problem: str, latest: Original
):
    with_column(RAW / f"{table}.csv", column, "")
    with_column(table_of(latest, table), column, cell)
    before = snapshot(Path())
    fault = only_fault()
    assert (fault.file, fault.row) == (f"old/1_raw/{table}.csv", 2)
    assert problem in str(fault)
    with pytest.raises(InputError):
        write_import(plan())
    assert snapshot(Path()) == before


def test_a_setting_of_a_copy_is_none(latest: Original):
    with_column(RAW / "essay_templates.csv", "temperature", "")
    with_column(table_of(latest, "essay_templates"), "temperature", "0.5")
    fault = only_fault()
    assert (fault.row, fault.column) == (3, "temperature")
    assert "a copy makes no call" in str(fault)


def test_a_cell_of_a_template_that_nothing_needs_is_listed_and_stops_nothing(latest: Original):
    with_column(RAW / "draft_templates.csv", "temperature", "")
    with table_of(latest, "draft_templates").open("a") as table:
        table.write("unused,Unused,,,llm\n")
    with_column(table_of(latest, "draft_templates"), "temperature", "0.5", "warm")
    write(latest.template("draft", "unused"), "Weave.")
    planned = bring_in()
    assert "draft template unused: old/1_raw/draft_templates.csv, row 3, column 'temperature'" in import_text(planned)
    load_catalogs(settings_with(**SETTINGS))


@pytest.mark.parametrize(
    ("table", "column", "cell"),
    [("draft_templates", "temperature", "0.5"), ("evaluation_templates", "score_max", "9")],
)
def test_a_setting_that_the_table_here_has_no_column_for_stops_the_import(
    table: str, column: str, cell: str, latest: Original
):
    with_column(table_of(latest, table), column, cell)
    fault = only_fault()
    assert (fault.file, fault.column) == (f"data/1_raw/{table}.csv", column)
    assert f"has no column {column!r}, and old/1_raw/{table}.csv has something in it" in str(fault)
    with_column(RAW / f"{table}.csv", column, "")
    bring_in()
    assert table_rows(RAW / f"{table}.csv")[-1][column] == cell
    load_study(settings_with(**SETTINGS))


def test_a_parser_that_the_table_here_has_no_column_for_stops_the_import(latest: Original):
    """Without it, new drafts would be taken as they are."""
    lines = [line.split(",") for line in DRAFTS.splitlines()]
    write(RAW / "draft_templates.csv", "\n".join(",".join([*cells[:3], cells[4]]) for cells in lines) + "\n")
    fault = only_fault()
    assert (fault.file, fault.column) == ("data/1_raw/draft_templates.csv", "parser")


def test_a_new_table_has_the_settings_that_come(latest: Original):
    with_column(table_of(latest, "draft_templates"), "temperature", "0.5")
    with_column(table_of(latest, "evaluation_templates"), "score_max", "9")
    shutil.rmtree("data")
    bring_in()
    (draft,) = load_catalogs(settings_with(**SETTINGS)).templates["draft"].values()
    (rubric,) = load_catalogs(settings_with(**SETTINGS)).templates["evaluation"].values()
    assert draft.own_settings["temperature"].value == 0.5
    assert rubric.scale == (0, 9)


def test_other_columns_that_do_not_come_are_said(latest: Original):
    with_column(table_of(latest, "draft_templates"), "notes", "old")
    with_column(table_of(latest, "llm_models"), "max_tokens", "16000")
    with_column(table_of(latest, "essay_templates"), "empty", "")
    text = import_text(bring_in())
    assert "old/1_raw/draft_templates.csv: its columns description, notes do not come" in text
    assert "old/1_raw/llm_models.csv: max_tokens do not come; here they stand under `models.<id>`" in text
    assert "old/1_raw/llm_models.csv: its columns specialization do not come" in text
    assert "empty" not in text


def test_a_configuration_that_what_comes_does_not_fit_stops_the_import(latest: Original):
    """The table is not there yet; with it, a model of the configuration is none."""
    shutil.rmtree("data")
    (fault,) = plan(models={"smollm": {"max_tokens": 100}}).faults
    assert (fault.file, fault.key) == ("config.yaml", "models.smollm")
    (fault,) = plan(models={"poett": {"temperature": 0.1}}).faults
    assert "Did you mean 'poet'?" in str(fault)


def test_a_setting_that_the_configuration_says_again_stops_the_import(latest: Original):
    with_column(RAW / "draft_templates.csv", "max_tokens", "")
    with_column(table_of(latest, "draft_templates"), "max_tokens", "500")
    stages = {"draft": {"min_lines": 2, "max_tokens": None, "extra_body": {"max_completion_tokens": 400}}}
    (fault,) = plan(stages=stages).faults
    assert fault.file == "config.yaml"
    assert "has both max_tokens" in str(fault)

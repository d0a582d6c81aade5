"""A cohort as one SQLite database: a table for each stage and catalog, views, full-text search."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from daydreaming.inputs.stages import DEFAULT_STAGES, StageTable
from daydreaming.results.export.cohort_rows import Row
from daydreaming.results.export.columns import Column, Kind, tables_of
from daydreaming.results.export.views import views

# What makes a row of a table, and what a column refers to.
PRIMARY_KEYS: Mapping[str, tuple[str, ...]] = {
    "concepts": ("concept_id",),
    "combos": ("combo_id",),
    "combo_concepts": ("combo_id", "position"),
    "templates": ("stage", "template_id"),
    "models": ("model_id",),
}
_OF_A_STAGE = ("gen_id",)
_REFERENCES: Mapping[str, tuple[str, str]] = {
    "combo_id": ("combos", "combo_id"),
    "concept_id": ("concepts", "concept_id"),
    "model_id": ("models", "model_id"),
}
_TYPES = {
    Kind.TEXT: "TEXT",
    Kind.INTEGER: "INTEGER",
    Kind.NUMBER: "REAL",
    Kind.FLAG: "INTEGER",
    Kind.TIME: "TEXT",
    Kind.LIST: "TEXT",
}


def references_of(stages: StageTable) -> dict[str, tuple[str, str]]:
    """Which table and column each column refers to that names a row of another table."""
    of_stages: dict[str, tuple[str, str]] = {}
    for stage in stages:
        if not stage.judges:
            of_stages |= dict.fromkeys(
                (f"{before}{stage.name}_id" for before in ("", "first_", "second_")), (stage.target, "gen_id")
            )
    return {**_REFERENCES, **of_stages}


def searched_in(stages: StageTable) -> dict[str, tuple[str, ...]]:
    """The columns that are searched for words, by table."""
    of_stages = {stage.target: ("raw",) if stage.judges else ("text",) for stage in stages}
    return {**of_stages, "combo_concepts": ("description",)}


def write_sqlite(path: Path, tables: Mapping[str, Sequence[Row]], stages: StageTable = DEFAULT_STAGES) -> None:
    """Write the tables to a new database; the same bytes for the same rows. Raises OSError."""
    references = references_of(stages)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            # Nobody reads it before it is whole.
            database.executescript("PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            database.execute("BEGIN")
            for name, columns in tables_of(stages).items():
                _write_table(database, name, columns, tables[name], references)
            for name, searched in searched_in(stages).items():
                _write_search(database, name, searched)
            database.execute("COMMIT")
            database.executescript(views(stages))
    except sqlite3.OperationalError as error:
        raise OSError(f"{path}: {error}") from error


def _write_table(
    database: sqlite3.Connection,
    name: str,
    columns: Sequence[Column],
    rows: Iterable[Row],
    references: Mapping[str, tuple[str, str]],
) -> None:
    key = PRIMARY_KEYS.get(name, _OF_A_STAGE)
    parts = [f"{column.name} {_TYPES[column.kind]}{' NOT NULL' if column.name in key else ''}" for column in columns]
    parts.append(f"PRIMARY KEY ({', '.join(key)})")
    for column in columns:
        table, target = references.get(column.name, (name, ""))
        if table != name:
            parts.append(f"FOREIGN KEY ({column.name}) REFERENCES {table} ({target})")
    lines = ",\n    ".join(parts)
    database.execute(f"CREATE TABLE {name} (\n    {lines}\n)")
    places = ", ".join("?" for _ in columns)
    database.executemany(
        f"INSERT INTO {name} VALUES ({places})", ([_value(row[column.name]) for column in columns] for row in rows)
    )
    for column in columns:
        if column.name in references and references[column.name][0] != name:
            database.execute(f"CREATE INDEX {name}_{column.name} ON {name} ({column.name})")


def _write_search(database: sqlite3.Connection, table: str, columns: Sequence[str]) -> None:
    """An index of words over columns of a table. The words stay in the table alone."""
    names = ", ".join(columns)
    database.execute(f'CREATE VIRTUAL TABLE {table}_words USING fts5({names}, content="{table}")')
    database.execute(f"INSERT INTO {table}_words ({table}_words) VALUES ('rebuild')")


def _value(value: Any) -> Any:
    """A value as SQLite keeps it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value

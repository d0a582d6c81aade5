"""A cohort as one SQLite database: a table for each stage and catalog, views, full-text search."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from daydreaming.results.export.cohort_rows import Row
from daydreaming.results.export.columns import TABLES, Column, Kind

VIEWS = Path(__file__).with_name("sqlite_views.sql")
# What makes a row of a table, and what a column refers to.
PRIMARY_KEYS: Mapping[str, tuple[str, ...]] = {
    "concepts": ("concept_id",),
    "combos": ("combo_id",),
    "combo_concepts": ("combo_id", "position"),
    "templates": ("stage", "template_id"),
    "models": ("model_id",),
    "drafts": ("gen_id",),
    "essays": ("gen_id",),
    "evaluations": ("gen_id",),
}
REFERENCES: Mapping[str, tuple[str, str]] = {
    "combo_id": ("combos", "combo_id"),
    "concept_id": ("concepts", "concept_id"),
    "model_id": ("models", "model_id"),
    "draft_id": ("drafts", "gen_id"),
    "essay_id": ("essays", "gen_id"),
}
# The columns that are searched for words.
SEARCHED: Mapping[str, tuple[str, ...]] = {
    "drafts": ("text",),
    "essays": ("text",),
    "evaluations": ("raw",),
    "combo_concepts": ("description",),
}
_TYPES = {
    Kind.TEXT: "TEXT",
    Kind.INTEGER: "INTEGER",
    Kind.NUMBER: "REAL",
    Kind.FLAG: "INTEGER",
    Kind.TIME: "TEXT",
    Kind.LIST: "TEXT",
}


def write_sqlite(path: Path, tables: Mapping[str, Sequence[Row]]) -> None:
    """Write the tables to a new database; the same bytes for the same rows. Raises OSError."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            # Nobody reads it before it is whole.
            database.executescript("PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            database.execute("BEGIN")
            for name, columns in TABLES.items():
                _write_table(database, name, columns, tables[name])
            for name, searched in SEARCHED.items():
                _write_search(database, name, searched)
            database.execute("COMMIT")
            database.executescript(VIEWS.read_text(encoding="utf-8"))
    except sqlite3.OperationalError as error:
        raise OSError(f"{path}: {error}") from error


def _write_table(database: sqlite3.Connection, name: str, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    key = PRIMARY_KEYS[name]
    parts = [f"{column.name} {_TYPES[column.kind]}{' NOT NULL' if column.name in key else ''}" for column in columns]
    parts.append(f"PRIMARY KEY ({', '.join(key)})")
    for column in columns:
        table, target = REFERENCES.get(column.name, (name, ""))
        if table != name:
            parts.append(f"FOREIGN KEY ({column.name}) REFERENCES {table} ({target})")
    lines = ",\n    ".join(parts)
    database.execute(f"CREATE TABLE {name} (\n    {lines}\n)")
    places = ", ".join("?" for _ in columns)
    database.executemany(
        f"INSERT INTO {name} VALUES ({places})", ([_value(row[column.name]) for column in columns] for row in rows)
    )
    for column in columns:
        if column.name in REFERENCES and REFERENCES[column.name][0] != name:
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

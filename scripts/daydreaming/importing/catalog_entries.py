"""Rows of catalogs of a source folder against those here: what is here, comes, is missing or has another in its way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from daydreaming.base.errors import Fault, InputError
from daydreaming.inputs.tables import IDENTIFIER_CURE, Row, header_of, identifier_problem


class Status(StrEnum):
    """What becomes of a row of a catalog."""

    HERE = "here"
    COMES = "comes"
    MISSING = "missing"  # it cannot come, or is nowhere
    IN_THE_WAY = "in the way"  # here is another one of that name


@dataclass(frozen=True)
class NewFile:
    """A text that comes with a row of a catalog."""

    path: Path
    text: str


@dataclass(frozen=True)
class Entry:
    """A row of a catalog of the source, what becomes of it and why; `row` and `files` are what would be written.

    With `faults` nothing may be written if something needs it.
    """

    name: str
    status: Status
    why: str = ""
    row: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[NewFile] = ()
    faults: Sequence[Fault] = ()


def missing(name: str, why: str, faults: Sequence[Fault] = ()) -> Entry:
    """An entry that cannot come."""
    return Entry(name, Status.MISSING, why, faults=faults)


def in_the_way(name: str, what: str, source: Path | str, here: Path, difference: str) -> Entry:
    """An entry that has another one of its name in its way; both places are named."""
    problem = f"{what} has {difference} than in {source}."
    cure = "Rename one of them, in its table and in the files that name it; nothing here is overwritten."
    return Entry(name, Status.IN_THE_WAY, f"here it has {difference}", faults=[Fault(str(here), problem, cure)])


def rows_by_id(path: Path, rows: Sequence[Row], column: str) -> Iterator[tuple[str, Row]]:
    """Yield the rows of a table with their ids. Raises InputError with all ids that are none or occur twice."""
    faults: list[Fault] = []
    found: dict[str, Row] = {}
    for row in rows:
        name = row.values[column]
        if problem := identifier_problem(name):
            faults.append(Fault(str(path), problem, IDENTIFIER_CURE, row.number, column))
        elif name in found:
            problem = f"{name!r} is already in row {found[name].number}."
            faults.append(Fault(str(path), problem, "Delete one of the rows.", row.number, column))
        else:
            found[name] = row
    if faults:
        raise InputError(faults)
    yield from found.items()


def file_in_the_way(path: Path, text: str) -> bool:
    """Whether there is another text at a place where one would be written. Raises OSError."""
    try:
        here = path.read_bytes().decode(errors="surrogateescape").removeprefix("\ufeff")
        return with_newlines(here) != with_newlines(text)
    except FileNotFoundError:
        return False


@dataclass
class Catalog:
    """One kind of entries: of which table, and all that the source has, by id."""

    kind: str
    table: Path
    columns: Sequence[str]
    entries: dict[str, Entry] = field(default_factory=dict)

    @cached_property
    def header(self) -> tuple[str, ...]:
        """The columns that the table has, or will have if it is not there yet."""
        return header_of(self.table.read_bytes().decode()) if self.table.exists() else tuple(self.columns)

    def of_status(self, status: Status) -> list[Entry]:
        """The entries of which the same becomes."""
        return [entry for entry in self.entries.values() if entry.status is status]

    def problem(self, name: str) -> str:
        """Say why a generation that needs this entry cannot come; "" if it can."""
        entry = self.entries.get(name)
        if entry is None:
            return f"there is no {self.kind} {name}, neither in the folder nor here"
        if entry.status in (Status.HERE, Status.COMES):
            return ""
        return f"the {self.kind} {name} cannot be used: {entry.why}"


def template_columns(stage: str, settings: Sequence[str]) -> tuple[str, ...]:
    """The columns of a catalog of templates that is written anew, with those of the settings that it has."""
    parser = () if stage == "essay" else ("parser",)
    return ("template_id", "template_name", "description", "generator", *parser, *settings, "active")


def with_newlines(text: str) -> str:
    """A text as it is read, whatever system wrote its line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n")

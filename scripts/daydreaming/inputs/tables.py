"""Strict reading of the CSV files that people write: every fault is found, with its row as a spreadsheet shows it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.identifiers import is_valid_id
from daydreaming.inputs.table_texts import read_table_text, table_records

Number = TypeVar("Number", int, float)
# Disks take names of 255 bytes; endings and the marks of temporary files are added to an id.
LONGEST_IDENTIFIER = 200
BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Row:
    """A record of a table, with its number in a spreadsheet: the header is 1, and blank lines count."""

    number: int
    values: dict[str, str]


@contextmanager
def gathering(faults: list[Fault]) -> Iterator[None]:
    """Move the faults of an InputError raised in the block to `faults` and go on after the block."""
    try:
        yield
    except InputError as error:
        faults.extend(error.faults)


def scan_table(
    path: Path, required: Sequence[str], *, last: str | None = None, verbatim: Sequence[str] = ()
) -> tuple[list[Row], list[Fault]]:
    """Return the rows of a CSV file that can be read, and all faults of its form.

    `required` columns must exist, in any order, besides any others; `last` names the column that has to come last.
    Cells are stripped of white space at both ends, those of the `verbatim` columns are not. Rows without any text
    are skipped. A file whose columns cannot be told gives no rows.
    """
    try:
        text = read_table_text(path, required)
    except InputError as error:
        return [], list(error.faults)
    return scan_text(path, text, required, last=last, verbatim=verbatim)


def scan_text(
    path: Path, text: str, required: Sequence[str], *, last: str | None = None, verbatim: Sequence[str] = ()
) -> tuple[list[Row], list[Fault]]:
    """Do what `scan_table` does with the text of a table that is known already; `path` is for the faults."""
    try:
        records, faults = table_records(path, text, required)
    except InputError as error:
        return [], list(error.faults)
    header = [name.strip() for name in records[0]]
    header_faults, columns_known = _header_faults(path, header, required, last)
    faults[:0] = header_faults
    rows = []
    filled = [(number, cells) for number, cells in enumerate(records[1:], start=2) if any(map(str.strip, cells))]
    for number, cells in filled:
        if len(cells) != len(header):
            faults.append(_width_fault(path, number, len(cells), len(header)))
        elif columns_known:
            rows.append(Row(number, _values(header, cells, verbatim)))
    if not filled and not faults:
        faults.append(
            Fault(str(path), "has a header and no rows.", "Add a row, or delete the file if it is optional.", row=2)
        )
    return rows, faults


def _values(header: list[str], cells: list[str], verbatim: Sequence[str]) -> dict[str, str]:
    values = dict(zip(header, map(str.strip, cells), strict=True))
    for column in verbatim:
        if column in values:
            values[column] = cells[header.index(column)]
    return values


def with_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Return the text of a table with rows added at its end; what is there stays as it is, byte for byte.

    The rows are written in the columns that the table has; a new table gets `columns`. What has no column is left out.
    """
    text, header, line_end = "", tuple(columns), "\n"
    if path.exists():
        text = path.read_bytes().decode()
        line_end = "\r\n" if "\r\n" in text else "\n"
        header = header_of(text)
        text += "" if text.endswith("\n") else line_end
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, header, restval="", extrasaction="ignore", lineterminator=line_end)
    if not text:
        writer.writeheader()
    writer.writerows(rows)
    return text + stream.getvalue()


def header_of(text: str) -> tuple[str, ...]:
    """The names of the columns of a table."""
    names = next(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")), [])
    return tuple(name.strip() for name in names)


def _header_faults(
    path: Path, header: list[str], required: Sequence[str], last: str | None
) -> tuple[list[Fault], bool]:
    """Return what is wrong with a header, and whether each cell below it can still be told by its column."""

    def fault(problem: str, cure: str, column: str | None = None) -> Fault:
        return Fault(str(path), problem, cure, row=1, column=column)

    if len(header) == 1 and len(required) > 1:
        for separator, name in ((";", "semicolons"), ("\t", "tabs")):
            if separator in header[0]:
                return [fault(f"is separated by {name}.", "Save the file again with commas between the cells.")], False
    faults = [
        fault("this column is missing.", f"Add it to the header and to each row; there are {', '.join(header)}.", name)
        for name in required
        if name not in header
    ]
    for name in dict.fromkeys(name for name in header if header.count(name) > 1 and name):
        faults.append(fault("this column occurs more than once.", "Keep one column of each name.", name))
    for position, name in enumerate(header, start=1):
        if not name:
            faults.append(fault(f"column {position} has no name.", "Name it, or delete the whole column."))
    columns_known = not faults
    if last is not None and last in header and header[-1] != last:
        cure = f"Move it to the end of every row, after {header[-1]!r}."
        faults.append(fault("this column is not the last one.", cure, last))
    return faults, columns_known


def _width_fault(path: Path, number: int, width: int, expected: int) -> Fault:
    cure = "Put text that has a comma in it into quotation marks." if width > expected else "Add the missing commas."
    return Fault(str(path), f"the number of cells is {width}, and {expected} in the header.", cure, row=number)


def identifier_problem(text: str) -> str | None:
    """Say what keeps a text from being an id (and so the name of a file or folder), None if nothing does."""
    if len(text) > LONGEST_IDENTIFIER:
        return f"the id {text[:20]!r}... has {len(text)} characters, more than the name of a file has room for."
    if is_valid_id(text):
        return None
    if not text:
        return "the id is missing."
    if "/" in text or "\\" in text:
        return f"{text!r} has a slash in it."
    if text in (".", ".."):
        return f"{text!r} is the name of a folder, not an id."
    return f"{text!r} is not an id."


IDENTIFIER_CURE = f"Use letters, digits, '.', '_' and '-' only, at most {LONGEST_IDENTIFIER}."


@dataclass(frozen=True, slots=True)
class CellReader:
    """Reads the cells of one row as typed values. What is wrong goes to `faults`, and a neutral value comes back."""

    path: Path
    row: Row
    faults: list[Fault]

    def add_fault(self, column: str, problem: str, cure: str) -> None:
        """Note a fault of a cell of this row."""
        self.faults.append(Fault(str(self.path), problem, cure, row=self.row.number, column=column))

    def optional_text(self, column: str) -> str:
        """Return a cell's text, "" where the cell is empty or the table has no such column."""
        return self.row.values.get(column, "")

    def text(self, column: str) -> str:
        """Return a cell's text; an empty cell is a fault."""
        text = self.optional_text(column)
        if not text:
            self.add_fault(column, "the cell is empty.", "Fill it in.")
        return text

    def identifier(self, column: str) -> str:
        """Return an id of letters, digits, `.`, `_` and `-`; "" after a fault."""
        text = self.optional_text(column)
        problem = identifier_problem(text)
        if problem is None:
            return text
        self.add_fault(column, problem, IDENTIFIER_CURE)
        return ""

    def unique_identifier(self, column: str, seen: dict[str, int]) -> str:
        """Return an id that no earlier row has; `seen` (id to row number) is kept by this method."""
        text = self.identifier(column)
        if text in seen:
            self.add_fault(column, f"{text!r} is already in row {seen[text]}.", "Delete one of the rows, or rename it.")
            return ""
        if text:
            seen[text] = self.row.number
        return text

    def choice(self, column: str, allowed: Sequence[str]) -> str:
        """Return one of the allowed texts; "" after a fault."""
        text = self.optional_text(column)
        if text in allowed:
            return text
        problem = f"{text!r} is not known." if text else "the cell is empty."
        self.add_fault(column, problem, f"Use {' or '.join(allowed)}.")
        return ""

    def boolean(self, column: str) -> bool:
        """Return true, 1, yes or false, 0, no (in any case) as a boolean; False after a fault."""
        text = self.optional_text(column)
        if text.lower() not in BOOLEANS:
            self.add_fault(column, f"{text!r} is neither true nor false.", "Write true or false.")
        return BOOLEANS.get(text.lower(), False)

    def number(self, column: str) -> float | None:
        """Return a number of at least 0, None where there is none or after a fault."""
        text = self.optional_text(column)
        return self._converted(column, text, _finite, "a number of at least 0") if text else None

    def signed_number(self, column: str, default: float) -> float:
        """Return a number of either sign; the default where there is none and after a fault."""
        text = self.optional_text(column)
        number = self._converted(column, text, _signed, "a number") if text else None
        return default if number is None else number

    def integer(self, column: str) -> int | None:
        """Return a whole number of at least 0, None after a fault."""
        return self._converted(column, self.optional_text(column), _whole, "a whole number of at least 0")

    def _converted(self, column: str, text: str, convert: Callable[[str], Number], wanted: str) -> Number | None:
        try:
            return convert(text)
        except ValueError:
            self.add_fault(column, f"{text!r} is not {wanted}.", f"Write {wanted}, such as 2.")
            return None


def _signed(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or "_" in text:
        raise ValueError(text)
    return value


def _finite(text: str) -> float:
    value = _signed(text)
    if value < 0:
        raise ValueError(text)
    return value


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError(text)
    return int(text)

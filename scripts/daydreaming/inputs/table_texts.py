"""The text of a table as it lies on the disk: what is no CSV in UTF-8 is told as what it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from daydreaming.base.errors import Fault, InputError


def read_table_text(path: Path, required: Sequence[str]) -> str:
    """Return the text of a table. Raises InputError for a file that cannot be read, or is no text in UTF-8.

    `required` are the columns that the message about a missing file names.
    """
    columns = ", ".join(required)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(Fault(str(path), "does not exist.", f"Create it with the columns {columns}.")) from None
    except OSError as error:
        raise InputError(Fault(str(path), f"cannot be read ({error.strerror}).", "Make it a readable file.")) from error
    _refuse_other_files(path, data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            Fault(
                str(path),
                f"is not UTF-8 text (byte 0x{data[error.start]:02x}).",
                "Save the file again as 'CSV UTF-8'.",
                row=line,
            )
        ) from error
    return text


def table_records(path: Path, text: str, required: Sequence[str]) -> tuple[list[list[str]], list[Fault]]:
    """Return the records of a table up to the first that is no CSV, the header first, and the fault of that one.

    `path` is for the faults, `required` for the message about an empty table. Raises InputError where there is none.
    """
    _refuse_dialects(path, text)
    _refuse_nothing(path, text, required)
    records: list[list[str]] = []
    # Without newline="" the line ends inside quoted cells would be changed.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        records.extend(reader)
    except csv.Error as error:
        cure = "Close every quotation mark, and write a mark inside quoted text twice."
        fault = Fault(str(path), f"is not well-formed CSV ({error}).", cure, row=len(records) + 1)
        if not records:
            raise InputError(fault) from error
        return records, [fault]
    return records, []


def _refuse_other_files(path: Path, data: bytes) -> None:
    """Raise an InputError that says what a file is, where it is not a text in UTF-8 at all."""
    cure = "Save the table again as 'CSV UTF-8'."
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(Fault(str(path), "is a text in UTF-16 (as a spreadsheet's 'Unicode text').", cure, row=1))
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InputError(Fault(str(path), "is a spreadsheet or an archive under the name of a CSV file.", cure, row=1))
    if b"\x00" in data:
        line = data.count(b"\n", 0, data.index(b"\x00")) + 1
        problem = "has NUL bytes in it: it is damaged, or in UTF-16, or no text."
        raise InputError(Fault(str(path), problem, cure, row=line))


def _refuse_dialects(path: Path, text: str) -> None:
    """Raise an InputError for the line that Excel's exports begin with; without it all columns would be missing."""
    first = text.lstrip("\ufeff").split("\n", 1)[0].strip().strip('"')
    if first.lower().startswith("sep=") and len(first) <= 5:
        cells = "" if first[4:] == "," else f"; its cells are separated by {first[4:]!r}"
        cure = "Delete that line and save the file with commas between the cells."
        raise InputError(Fault(str(path), f"begins with {first!r}, a line for Excel alone{cells}.", cure, row=1))
    if text.startswith("\ufeff"):
        cure = "Save the table again as 'CSV UTF-8'."
        raise InputError(Fault(str(path), "begins with two byte order marks.", cure, row=1))


def _refuse_nothing(path: Path, text: str, required: Sequence[str]) -> None:
    """Raise an InputError for a table without a header."""
    if not text.strip():
        columns = ", ".join(required)
        raise InputError(Fault(str(path), "is empty.", f"Add a header with the columns {columns}, and rows.", row=1))

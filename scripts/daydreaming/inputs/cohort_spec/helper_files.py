"""The files that a spec names by `@file:`: lists of levels, and tables of levels that go together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.nearest_names import did_you_mean
from daydreaming.inputs.cohort_spec.axes import AxisTable
from daydreaming.inputs.cohort_spec.models import FILE
from daydreaming.inputs.cohort_spec.records import CouplingRow, Level, Place
from daydreaming.inputs.cohort_spec.yaml_lines import Document, Step, read_document
from daydreaming.inputs.tables import Row, scan_table

_ENDINGS = (".csv", ".yaml", ".yml", ".json", ".txt")


class HelperFiles:
    """Reads the files beside a spec, and keeps which ones."""

    def __init__(self, spec: Path, folders: Sequence[Path], table: AxisTable):
        self.read: dict[Path, None] = {}
        self._table = table
        self._spec = spec
        self._folders = folders

    def levels(self, reference: str, place: Place, axis: str) -> list[Level]:
        """The levels that a file lists: a column of a CSV table, or the items of a YAML list, or lines of text.

        Raises InputError for what is wrong with the file, or with the reference to it.
        """
        path = self._path(reference, place)
        if path.suffix == ".csv":
            rows = self._rows(path, ())
            column = self._column(path, rows[0], axis)
            return [Level(_cell(path, row, column), Place(str(path), column, row=row.number)) for row in rows]
        if path.suffix == ".txt":
            lines = enumerate(_text(path).splitlines(), start=1)
            return [Level(line.strip(), Place(str(path), line=number)) for number, line in lines if line.strip()]
        document = read_document(path)
        items = document.value if isinstance(document.value, list) else [None]
        if not items or not all(isinstance(item, str) and item for item in items):
            raise InputError(Fault(str(path), "is not a list of levels.", "Write lines such as `- a`.", line=1))
        return [Level(item, Place(str(path), line=document.lines[index,])) for index, item in enumerate(items)]

    def rows(self, reference: str, place: Place, columns: Sequence[str]) -> list[CouplingRow]:
        """The rows of a table, each with the levels of `columns` in this order. Raises InputError."""
        path = self._path(reference, place)
        if path.suffix == ".csv":
            rows = self._rows(path, columns)
            names = self._by_axis(rows[0])
            wanted, file = [names[self._table.canonical(column)] for column in columns], str(path)
            return [
                CouplingRow(tuple(_cell(path, row, name) for name in wanted), Place(file, row=row.number))
                for row in rows
            ]
        if path.suffix == ".txt":
            raise InputError(place.fault(f"{path} is a text, and a table is needed.", "Name a CSV file."))
        document = read_document(path)
        return coupling_rows(document.value, len(columns), [(index,) for index in range(_length(document))], document)

    def _by_axis(self, row: Row) -> dict[str, str]:
        """The columns of a table by the axes that they name."""
        return {self._table.canonical(name): name for name in row.values}

    def _rows(self, path: Path, columns: Sequence[str]) -> list[Row]:
        rows, faults = scan_table(path, ())
        if faults:
            raise InputError(faults)
        header = self._by_axis(rows[0])
        missing = [column for column in columns if self._table.canonical(column) not in header]
        if missing:
            cure = f"Name the columns as the axes of the rule: {', '.join(columns)}."
            raise InputError(Fault(str(path), f"there is no column {missing[0]!r}.", cure, row=1))
        return rows

    def _column(self, path: Path, row: Row, axis: str) -> str:
        """The column that has the levels of an axis: the one named so, or the only one."""
        names = self._by_axis(row)
        if axis in names:
            return names[axis]
        if len(row.values) == 1:
            return next(iter(row.values))
        cure = f"Name one of the columns {axis}; there are {', '.join(row.values)}."
        raise InputError(Fault(str(path), "which column has the levels cannot be told.", cure, row=1))

    def _path(self, reference: str, place: Place) -> Path:
        name = reference.removeprefix(FILE).strip()
        path = self._spec.parent / name
        if path.suffix not in _ENDINGS:
            raise InputError(
                place.fault(f"{name!r} is not a table or a list.", f"Name a file that ends in {', '.join(_ENDINGS)}.")
            )
        try:
            inside = any(path.resolve().is_relative_to(folder.resolve()) for folder in self._folders)
            exists = path.is_file()
        except (OSError, RuntimeError, ValueError):
            inside, exists = True, False
        if not inside:
            problem = f"{name!r} lies outside of the project and the data root."
            raise InputError(place.fault(problem, "Put the file beside the spec."))
        if not exists:
            there = sorted(str(one.relative_to(path.parent)) for one in path.parent.glob("*.*"))
            cure = did_you_mean(path.name, there, "Write the file, or correct its name.")
            raise InputError(place.fault(f"the file {path} does not exist.", cure))
        self.read[path] = None
        return path


def coupling_rows(items: Any, width: int, paths: Sequence[tuple[Step, ...]], document: Document) -> list[CouplingRow]:
    """The rows of a list in YAML; `paths` are their places in the document. Raises InputError with all faults."""
    faults: list[Fault] = []
    rows: list[CouplingRow] = []
    if not isinstance(items, list) or not items:
        raise InputError(Fault(document.file, "is not a list of rows.", "Write rows such as `- [a, b]`.", line=1))
    for item, path in zip(items, paths, strict=True):
        place = document.place(*path)
        levels = _flat(item)
        if not all(levels):
            faults.append(place.fault("a level is missing in the row.", "Write one for each axis."))
        elif len(levels) != width:
            problem = f"the row has {len(levels)} levels, and the rule {width} axes."
            faults.append(place.fault(problem, "Write one level for each axis."))
        else:
            rows.append(CouplingRow(levels, place))
    if faults:
        raise InputError(faults)
    return rows


def _length(document: Document) -> int:
    return len(document.value) if isinstance(document.value, list) else 0


def _flat(item: Any) -> tuple[str, ...]:
    """The levels of a row; a pair with a tuple rule has a list in it."""
    if isinstance(item, list):
        return tuple(level for part in item for level in _flat(part))
    return (item if isinstance(item, str) else "",)


def _cell(path: Path, row: Row, column: str) -> str:
    if not row.values[column]:
        raise InputError(Fault(str(path), "the cell is empty.", "Fill it in.", row=row.number, column=column))
    return row.values[column]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Fault(str(path), f"cannot be read ({error}).", "Save it as UTF-8 text.")) from error

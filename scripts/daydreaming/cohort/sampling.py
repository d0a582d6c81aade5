"""A balanced fraction of a crossing that is too large to make: chosen one by one, so that a larger one begins the same.

The rows of a crossing are the product of tables that share no axis. The levels of the balanced axes are visited in an
order in which, after any number of rows, each has occurred equally often within one; among the rows with the same
levels there, the next is drawn without replacement. All choices are made of digests of the seed and the levels, so
that neither the order in a file nor the version of Python changes them.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count
from typing import TypeVar

from daydreaming.cohort.relations import Relation, TextRow

Item = TypeVar("Item")


def balanced_sample(relations: Sequence[Relation], n: int, seed: int, balance: Sequence[str]) -> list[list[TextRow]]:
    """Return `n` different rows of the crossing, each as one row of every table, in the order in which they are chosen.

    The same seed gives the same rows, and a larger `n` these and more. Each level of an axis in `balance` occurs
    equally often within one; axes that share a table are balanced by their combinations in it. Where a combination has
    no more rows, the others go on. `n` must not be greater than the number of rows.
    """
    tables = [_Cells(relation, seed, balance) for relation in relations]
    sizes = [len(table.cells) for table in tables]
    drawn: dict[tuple[int, ...], _Draws] = {}
    chosen: list[list[TextRow]] = []
    for step in count():
        if len(chosen) == n:
            return chosen
        visited = _visited(step, sizes)
        if visited not in drawn:
            rows = [table.cells[cell] for table, cell in zip(tables, visited, strict=True)]
            name = "\x1f".join(table.names[cell] for table, cell in zip(tables, visited, strict=True))
            drawn[visited] = _Draws(rows, f"{seed}\x1e{name}")
        row = drawn[visited].next()
        if row is not None:
            chosen.append(row)
    raise AssertionError("unreachable: the count has no end")


class _Cells:
    """The rows of a table by their levels on the balanced axes; all in one cell where none of its axes is balanced."""

    def __init__(self, relation: Relation, seed: int, balance: Sequence[str]):
        axes = sorted(axis for axis in relation.axes if axis in balance)
        cells: defaultdict[TextRow, list[TextRow]] = defaultdict(list)
        # Columns and rows by name: their order in the file is no choice.
        by_name = relation.columns(sorted(relation.axes))
        for _, key, row in sorted(zip(by_name, relation.columns(axes), relation.rows, strict=True)):
            cells[key].append(row)
        order = _shuffled(cells, f"{seed}\x1e{','.join(axes)}")
        self.cells = [cells[key] for key in order]
        self.names = ["\x1d".join(key) for key in order]


class _Draws:
    """The rows of one combination of cells, drawn without replacement: a shuffle that is only done as far as needed."""

    def __init__(self, tables: Sequence[Sequence[TextRow]], seed: str):
        self._tables = tables
        self._seed = seed
        self._left = math.prod(map(len, tables))
        self._moved: dict[int, int] = {}
        self._number = 0

    def next(self) -> list[TextRow] | None:
        """The next row, as one row of each table; None where all were drawn."""
        if not self._left:
            return None
        place = _digest(f"{self._seed}\x1e{self._number}") % self._left
        self._number += 1
        self._left -= 1
        index = self._moved.get(place, place)
        self._moved[place] = self._moved.pop(self._left, self._left)
        row = []
        for table in self._tables:
            index, position = divmod(index, len(table))
            row.append(table[position])
        return row


def _visited(step: int, sizes: Sequence[int]) -> tuple[int, ...]:
    """Which cell of each table is visited at a step: all combinations once, and each table's cells evenly at any time.

    Two tables go round together until both begin anew at once; the second then starts one further. More tables: the
    first ones together are one table.
    """
    if not sizes:
        return ()
    before = math.prod(sizes[:-1])
    step %= before * sizes[-1]
    turn = step // math.lcm(before, sizes[-1])
    return (*_visited(step % before, sizes[:-1]), (step + turn) % sizes[-1])


def _shuffled(items: Iterable[Item], seed: str) -> list[Item]:
    return sorted(items, key=lambda item: (_digest(f"{seed}\x1e{item!r}"), repr(item)))


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")

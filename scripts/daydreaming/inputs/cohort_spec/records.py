"""The spec of a cohort as it was read, each part with the place where it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from daydreaming.base.errors import Fault
from daydreaming.inputs.cohort_spec.axes import AxisTable


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written: a line of a text, or a row of a table, and the key there."""

    file: str
    key: str | None = None
    line: int | None = None
    row: int | None = None

    def fault(self, problem: str, cure: str) -> Fault:
        """Say that something is wrong here."""
        return Fault(self.file, problem, cure, row=self.row, key=self.key, line=self.line)


@dataclass(frozen=True, slots=True)
class Level:
    """One level of an axis."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class ConceptChoices:
    """All choices of `k` concepts; `concepts` None: of all active ones."""

    concepts: tuple[Level, ...] | None
    k: int
    place: Place


@dataclass(frozen=True, slots=True)
class AxisLevels:
    """What a spec says of an axis. None: all that is active; a number: so many replicates."""

    place: Place
    levels: tuple[Level, ...] | ConceptChoices | int | None


@dataclass(frozen=True, slots=True)
class Subset:
    """The levels of an axis that are kept."""

    place: Place
    keep: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Tie:
    """Axes that always have the same level."""

    name: str
    place: Place
    axes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CouplingRow:
    """Levels that go together, one for each column of the coupling."""

    levels: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Coupling:
    """A rule that lists what goes together: allowed pairs, or rows of several axes.

    A column stands for one axis, or for several that a tie holds together. `binds` are the axes whose levels are those
    of the rows. The first `left_columns` are the left side of a pair; `balance` says of which side all levels must have
    equally many partners.
    """

    kind: Literal["pair", "tuple"]
    name: str
    place: Place
    columns: tuple[tuple[str, ...], ...]
    rows: tuple[CouplingRow, ...]
    binds: tuple[str, ...] = ()
    balance: Literal["left", "right", "both"] | None = None
    left_columns: int = 0

    @property
    def axes(self) -> tuple[str, ...]:
        """All axes that the rule is about."""
        return tuple(axis for column in self.columns for axis in column)


@dataclass(frozen=True, slots=True)
class Sample:
    """A fraction of the crossing: how many rows, which ones, and over which axes they are spread evenly."""

    n: int
    seed: int
    balance: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class PairChoice:
    """Which pairs of texts a stage compares: all, a sample of `number` pairs, or so many rounds of a tournament."""

    place: Place
    kind: Literal["all", "sample", "swiss"]
    number: int
    seed: int


@dataclass(frozen=True, slots=True)
class CohortSpec:
    """A spec, its names resolved. `files` are those that it was read from, its own first; `table` has all axes."""

    files: tuple[Path, ...]
    table: AxisTable
    axes: Mapping[str, AxisLevels]
    subsets: Mapping[str, Subset]
    ties: tuple[Tie, ...]
    couplings: tuple[Coupling, ...]
    sample: Sample | None
    comparisons: Mapping[str, PairChoice]

    @property
    def file(self) -> str:
        """The name of its own file."""
        return str(self.files[0])

    def rules_on(self, axis: str) -> list[str]:
        """The names of the rules that are about an axis."""
        subsets = [f"subsets.{axis}"] if axis in self.subsets else []
        ties = [f"ties.{tie.name}" for tie in self.ties if axis in tie.axes]
        return [*subsets, *ties, *(f"{one.kind}s.{one.name}" for one in self.couplings if axis in one.axes)]

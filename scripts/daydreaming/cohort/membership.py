"""The table of a cohort, `membership.csv`: the authority on what belongs to the experiment."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path

from daydreaming.base import atomic
from daydreaming.base.errors import Fault, InputError
from daydreaming.base.nearest_names import did_you_mean
from daydreaming.cohort.integrity import Background, integrity_faults
from daydreaming.cohort.links import NumberedRow
from daydreaming.inputs.records import Catalogs, Combo, Generation
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.stages import DEFAULT_STAGES, StageTable
from daydreaming.inputs.tables import IDENTIFIER_CURE, Row, identifier_problem, scan_table

COLUMNS = tuple(field.name for field in fields(Generation))
# Written only where a row has one.
SECOND_PARENT = "second_parent_gen_id"
REQUIRED_COLUMNS = tuple(column for column in COLUMNS if column not in ("replicate", SECOND_PARENT))


@dataclass(frozen=True, slots=True)
class Membership:
    """The generations of a cohort by (stage, gen_id), in the order of the file. All parent links hold."""

    cohort_id: str
    generations: Mapping[tuple[str, str], Generation]
    stages: StageTable = DEFAULT_STAGES

    def stage(self, stage: str) -> list[Generation]:
        """The generations of a stage, in the order of the file."""
        return [generation for generation in self.generations.values() if generation.stage == stage]

    def get(self, stage: str, gen_id: str) -> Generation:
        """Return one generation; raise InputError if the cohort has none of that stage and name."""
        try:
            return self.generations[stage, gen_id]
        except KeyError:
            problem = f"the cohort has no {stage} {gen_id!r}."
            cure = "Take a gen_id of that stage from the table, or choose another cohort."
            if stage not in self.stages:
                problem = f"there is no stage {stage!r}."
                cure = did_you_mean(stage, self.stages.names, f"The stages are: {', '.join(self.stages.names)}.")
            raise InputError(Fault(f"membership of {self.cohort_id}", problem, cure)) from None

    def parent(self, generation: Generation) -> Generation | None:
        """What a generation is made from, of a comparison the first text; None for what is made from a combo."""
        parent_stage = self.stages[generation.stage].parent
        return self.get(parent_stage, generation.parent_gen_id) if parent_stage else None

    def chain(self, generation: Generation) -> list[Generation]:
        """The generation and all that it was made from, the first one first; of a comparison by its first text."""
        parent = self.parent(generation)
        return [generation] if parent is None else [*self.chain(parent), generation]

    def further(self, generation: Generation) -> tuple[Generation, ...]:
        """The texts besides its parent's that a generation is made from: a second one, those that its stage sees."""
        stage = self.stages[generation.stage]
        if stage.takes_pairs:
            return (self.get(stage.parent, generation.second_parent_gen_id),)
        if not stage.sees:
            return ()
        chain = {one.stage: one for one in self.chain(generation)}
        return tuple(chain[seen] for seen in stage.sees)

    def ancestors(self, generation: Generation) -> list[Generation]:
        """All that a generation is made from, over whatever steps, each after what it is made from itself."""
        found: dict[Generation, None] = dict.fromkeys(self.chain(generation)[:-1])
        for other in self.further(generation):
            found |= dict.fromkeys(self.chain(other))
        return list(found)


def load_membership(settings: Settings, catalogs: Catalogs, combos: Mapping[str, Combo], cohort_id: str) -> Membership:
    """Read the table of a cohort and check each row against the catalogs, the combos and the other rows.

    Raises InputError with every fault of the file.
    """
    problem = identifier_problem(cohort_id)
    if problem is not None:
        raise InputError(Fault("config.yaml, key 'cohort'", problem, IDENTIFIER_CURE))
    path = settings.paths.cohort(cohort_id).membership
    rows, faults = _scan(path)
    background = Background(str(path), cohort_id, settings.paths, catalogs, combos, settings.stage_table)
    faults += integrity_faults(rows, background)
    if faults:
        raise InputError(sorted(faults, key=lambda fault: fault.row or 0))
    generations = {(generation.stage, generation.gen_id): generation for _, generation in rows}
    return Membership(cohort_id, generations, settings.stage_table)


def read_generations(path: Path) -> list[Generation]:
    """Read the rows of a table without a look at the catalogs; raise InputError if its form is wrong."""
    rows, faults = _scan(path)
    if faults:
        raise InputError(faults)
    return [generation for _, generation in rows]


def rows_besides(path: Path, given: Collection[tuple[str, str]]) -> list[Generation]:
    """The rows of a table, if one of them has a stage and id that are not among `given`; none else.

    Judgements of two texts do not count. None also without a table, and of one that cannot be read: what is wrong with
    it is said where it is compared with a new one.
    """
    try:
        # Far cheaper than to read it with all checks, and mostly all that is to be done.
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            if all((row["stage"], row["gen_id"]) in given for row in rows if not row.get(SECOND_PARENT)):
                return []
        return read_generations(path)
    except (OSError, ValueError, KeyError, csv.Error, InputError):
        return []


def foreign_columns(path: Path) -> list[str]:
    """The columns of a readable table that are not ours, and that `write_membership` would not write."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header = next(csv.reader(stream), [])
    return [name.strip() for name in header if name.strip() not in COLUMNS]


def write_membership(path: Path, generations: Iterable[Generation]) -> None:
    """Write a table in the order given, whole or not at all."""
    rows = list(generations)
    has_pairs = any(row.second_parent_gen_id for row in rows)
    columns = [name for name in COLUMNS if name != SECOND_PARENT or has_pairs]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(map(attrgetter(*columns), rows))
    atomic.write_text(path, text.getvalue())


def membership_difference(
    old: Iterable[Generation], new: Iterable[Generation]
) -> tuple[list[Generation], list[Generation]]:
    """Return the rows that come and the rows that go, each in its table's order. A changed row does both."""
    before, after = dict.fromkeys(old), dict.fromkeys(new)
    come = [generation for generation in after if generation not in before]
    go = [generation for generation in before if generation not in after]
    return come, go


def _scan(path: Path) -> tuple[list[NumberedRow], list[Fault]]:
    if not path.is_file():
        cure = "Build it with `snakemake membership`."
        return [], [Fault(str(path), "the table of the cohort does not exist.", cure)]
    rows, faults = scan_table(path, REQUIRED_COLUMNS)
    return [(row.number, _generation(path, row, faults)) for row in rows], faults


def _generation(path: Path, row: Row, faults: list[Fault]) -> Generation:
    texts = {column: row.values[column] for column in REQUIRED_COLUMNS}
    second = row.values.get(SECOND_PARENT, "")
    return Generation(**texts, replicate=_replicate(path, row, faults), second_parent_gen_id=second)


def _replicate(path: Path, row: Row, faults: list[Fault]) -> int:
    """A row's replicate, 1 where the table or the row has none, and after a fault."""
    text = row.values.get("replicate", "")
    if text in ("", "1"):
        return 1
    if text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= 1:
        return int(text)
    problem = f"{text!r} is not the number of a replicate."
    faults.append(Fault(str(path), problem, "Write 1, 2, 3 and so on.", row.number, "replicate"))
    return 1

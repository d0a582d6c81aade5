"""The tables of cohorts that an import writes: rebuilt rows, added to those that are here, never in their place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from daydreaming.base.errors import Fault, InputError
from daydreaming.cohort.membership import foreign_columns, read_generations
from daydreaming.importing.generations import Key
from daydreaming.importing.rows import Rows
from daydreaming.importing.tables_of_cohorts import SourceCohort
from daydreaming.inputs.records import Generation
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.stages import DEFAULT_STAGES
from daydreaming.inputs.tables import gathering


@dataclass(frozen=True)
class IncomingCohort:
    """A cohort of the source: the rows that are here, those that come, how many are left out, and what to know of it.

    `without_text` are the rows that a run would have to make.
    """

    cohort_id: str
    here: Sequence[Generation]
    come: Sequence[Generation]
    left_out: int
    remarks: Sequence[str]
    without_text: int = 0

    def with_texts(self, with_text: Iterable[Key]) -> IncomingCohort:
        """Count the rows without a text, where these have one."""
        known = set(with_text)
        rows = [*self.here, *self.come]
        return replace(self, without_text=sum((row.stage, row.gen_id) not in known for row in rows))


def incoming_cohorts(
    settings: Settings, cohorts: Sequence[SourceCohort], rows: Rows, faults: list[Fault]
) -> list[IncomingCohort]:
    """Say what becomes of each cohort; a table here that disagrees goes to `faults`."""
    incoming = []
    for cohort in cohorts:
        with gathering(faults):
            incoming.append(_incoming(settings, cohort, rows))
    return incoming


def _incoming(settings: Settings, cohort: SourceCohort, rows: Rows) -> IncomingCohort:
    table = settings.paths.cohort(cohort.cohort_id).membership
    here = read_generations(table) if table.exists() else []
    wanted, added = _with_parents(cohort, rows)
    by_key = {(row.stage, row.gen_id): row for row in here}
    come, faults = [], []
    for row in wanted:
        known = by_key.get((row.stage, row.gen_id))
        if known is None:
            come.append(row)
        elif known != row:
            problem = f"its {row.stage} {row.gen_id!r} is another one than in {cohort.table}."
            cure = "Rename one of the two cohorts' folders; nothing here is overwritten."
            faults.append(Fault(str(table), problem, cure))
    columns = foreign_columns(table) if come and here else []
    if columns:
        problem = f"{len(come)} rows would come, and its columns {', '.join(columns)} would go."
        faults.append(Fault(str(table), problem, "Keep those columns in another file."))
    if faults:
        raise InputError(faults)
    return IncomingCohort(cohort.cohort_id, here, come, _left_out(cohort, rows), list(_remarks(cohort, added)))


def _with_parents(cohort: SourceCohort, rows: Rows) -> tuple[list[Generation], int]:
    """The rows of a cohort, drafts first, with parents that its table does not list, and how many these are.

    There, a cohort may evaluate the essays of another one.
    """
    wanted: dict[Key, Generation] = {}
    for key in cohort.rows:
        row = rows.by_key.get(key)
        while row is not None and (row.stage, row.gen_id) not in wanted:
            wanted[row.stage, row.gen_id] = replace(row, cohort_id=cohort.cohort_id)
            stage = DEFAULT_STAGES[row.stage].parent
            row = rows.by_key.get((stage, row.parent_gen_id)) if stage else None
    ordered = [row for stage in DEFAULT_STAGES.names for row in wanted.values() if row.stage == stage]
    return ordered, sum(key not in cohort.rows for key in wanted)


def _left_out(cohort: SourceCohort, rows: Rows) -> int:
    return sum(key not in rows.by_key for key in cohort.rows)


def _remarks(cohort: SourceCohort, added: int) -> Iterable[str]:
    if not cohort.has_table:
        yield "it has no membership.csv, so that nothing says what belongs to it"
    if cohort.spec is not None:
        yield f"{cohort.spec.name} is not compiled and does not come; the table says what belongs to the cohort"
    if added:
        yield f"{added} parents come with it that its table does not list"

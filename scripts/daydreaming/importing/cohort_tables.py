"""The tables of cohorts that an import writes: rebuilt rows, added to those that are here, never in their place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from daydreaming.base.amounts import counted
from daydreaming.base.errors import Fault, InputError
from daydreaming.cohort.membership import foreign_columns, read_generations
from daydreaming.cohort.spec_compiler import CompiledSpec
from daydreaming.importing.catalog_entries import NewFile
from daydreaming.importing.generations import Key, SourceGenerations
from daydreaming.importing.rows import Rows
from daydreaming.importing.spec_trial import SpecTrial
from daydreaming.importing.tables_of_cohorts import SourceCohort
from daydreaming.inputs.records import Generation
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.stages import DEFAULT_STAGES
from daydreaming.inputs.tables import gathering


@dataclass(frozen=True)
class IncomingCohort:
    """A cohort of the source: the rows that are here, those that come, how many are left out, and what to know of it.

    `files` are those of its spec that come. `without_text` are the rows that a run would have to make.
    """

    cohort_id: str
    here: Sequence[Generation]
    come: Sequence[Generation]
    left_out: int
    remarks: Sequence[str]
    files: Sequence[NewFile] = ()
    without_text: int = 0

    def with_texts(self, with_text: Iterable[Key]) -> IncomingCohort:
        """Count the rows without a text, where these have one."""
        known = set(with_text)
        rows = [*self.here, *self.come]
        return replace(self, without_text=sum((row.stage, row.gen_id) not in known for row in rows))


def known_rows(
    settings: Settings, cohort: SourceCohort, rows: Rows, generations: SourceGenerations
) -> list[Generation]:
    """The rows that a spec's generations may be: those of the cohort's tables, here and there.

    Without a table there, all that the folder has: first what the cohort made, then what has a text.
    """
    table = settings.paths.cohort(cohort.cohort_id).membership
    here = read_generations(table) if table.exists() else []
    if cohort.has_table:
        return [*here, *_with_parents(cohort, rows)[0]]

    def rank(row: Generation) -> tuple[bool, bool, str]:
        found = generations.found.get((row.stage, row.gen_id))
        of_cohort = found is not None and cohort.cohort_id in found.cohorts
        return not of_cohort, found is None or not found.has_text, row.gen_id

    return [*here, *sorted(rows.by_key.values(), key=rank)]


def incoming_cohorts(
    settings: Settings,
    cohorts: Sequence[SourceCohort],
    rows: Rows,
    specs: SpecTrial,
    compiled: Mapping[str, CompiledSpec],
    faults: list[Fault],
) -> list[IncomingCohort]:
    """Say what becomes of each cohort; a table here that disagrees goes to `faults`."""
    incoming = []
    for cohort in cohorts:
        with gathering(faults):
            incoming.append(_incoming(settings, cohort, rows, specs, compiled.get(cohort.cohort_id)))
    return incoming


def _incoming(
    settings: Settings, cohort: SourceCohort, rows: Rows, specs: SpecTrial, compiled: CompiledSpec | None
) -> IncomingCohort:
    table = settings.paths.cohort(cohort.cohort_id).membership
    here = read_generations(table) if table.exists() else []
    of_spec = compiled.generations if compiled else ()
    wanted, added = _with_parents(cohort, rows) if cohort.has_table else (list(of_spec), 0)
    come = _new_rows(table, here, wanted, cohort)
    tried = specs.tried.get(cohort.cohort_id)
    remarks = list(_remarks(cohort, added))
    if tried is not None and compiled is not None:
        remarks += [*tried.remarks, *_agreement(cohort, [*here, *come], of_spec)]
        remarks += _of_several(of_spec, rows) if not cohort.has_table else []
    elif other := specs.other_here.get(cohort.cohort_id):
        remarks.append(f"here it has another spec, {other}, which stays; {cohort.spec} does not come")
    elif lacking := specs.lacking.get(cohort.cohort_id):
        remarks.append(f"its spec, {cohort.spec}, does not come: {lacking}")
    elif cohort.spec is not None:
        remarks.append(f"its spec, {cohort.spec}, does not come")
    files = tried.files if tried else ()
    return IncomingCohort(cohort.cohort_id, here, come, _left_out(cohort, rows), remarks, files)


def _new_rows(
    table: Path, here: Sequence[Generation], wanted: Iterable[Generation], cohort: SourceCohort
) -> list[Generation]:
    """The rows that are not in the table here. Raises InputError where it says something else of one."""
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
    return come


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


def _remarks(cohort: SourceCohort, added: int) -> Iterator[str]:
    if not cohort.has_table and cohort.spec is None:
        yield "it has no membership.csv, so that nothing says what belongs to it"
    if cohort.older_spec is not None:
        yield f"{cohort.older_spec} does not come: it has no config.yaml, and older forms of a spec are not read"
    if added:
        yield f"{added} parents come with it that its table does not list"


def _agreement(cohort: SourceCohort, table: Sequence[Generation], of_spec: Sequence[Generation]) -> Iterator[str]:
    """Say how a spec and the table that a run goes by differ."""
    if not cohort.has_table and not set(table) - set(of_spec):
        yield "its table is compiled from its spec, and has the generations that are there under their ids"
        return
    in_table, in_spec = set(table), set(of_spec)
    more = [row for row in of_spec if row not in in_table]
    less = [row for row in table if row not in in_spec]
    if more:
        added = "that does not come, and `snakemake membership` would add it"
        yield f"its spec has {_counts(more)} more than its table: {added}"
    if less:
        yield f"its table has {_counts(less)} more than its spec: `snakemake membership` refuses to let that go"
    if not more and not less:
        yield "its spec comes, and says what its table says"


def _of_several(of_spec: Iterable[Generation], rows: Rows) -> Iterator[str]:
    """Say how many rows of a spec could have been another generation of the folder just as well."""
    same = Counter(map(_what_it_is, rows.by_key.values()))
    number = sum(same[_what_it_is(row)] > 1 for row in of_spec if (row.stage, row.gen_id) in rows.by_key)
    if number:
        what = "several generations: the cohort's own is taken, else the first with a text"
        yield f"for {counted(number, 'row')} there are {what}"


def _what_it_is(row: Generation) -> Generation:
    return replace(row, gen_id="", cohort_id="")


def _counts(rows: Sequence[Generation]) -> str:
    return ", ".join(counted(number, stage) for stage, number in Counter(row.stage for row in rows).items())

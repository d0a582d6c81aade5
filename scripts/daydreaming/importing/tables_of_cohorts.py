"""The cohorts of a source folder: which generations each lists, and what its table says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from daydreaming.base.errors import Fault, InputError
from daydreaming.importing.generations import Key
from daydreaming.importing.source import SourceFolder
from daydreaming.importing.specs import find_spec
from daydreaming.inputs.stages import DEFAULT_STAGES
from daydreaming.inputs.tables import IDENTIFIER_CURE, Row, gathering, identifier_problem

# The columns that say what a generation is, in a table that has more than `stage, gen_id`.
DESCRIBING = ("template_id", "parent_gen_id", "combo_id", "llm_model_id", "replicate")


@dataclass(frozen=True)
class SourceCohort:
    """A cohort of the source: its generations in the order of its table, with what the table says of each.

    `has_table` is false where there is a folder and no membership.csv. `spec` is the file of its spec, `older_spec` a
    folder of one in a form that is not read.
    """

    cohort_id: str
    table: Path
    has_table: bool
    rows: Mapping[Key, Mapping[str, str]]
    spec: Path | None
    older_spec: Path | None


def read_cohorts(source: SourceFolder, faults: list[Fault]) -> list[SourceCohort]:
    """Read the tables of all cohorts; what is wrong with one goes to `faults`. Raises OSError."""
    cohorts = []
    folder = source.root / "cohorts"
    for place in sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []:
        with gathering(faults):
            if problem := identifier_problem(place.name):
                raise InputError(Fault(str(place), problem, IDENTIFIER_CURE))
            cohorts.append(_cohort(source, place))
    return cohorts


def _cohort(source: SourceFolder, folder: Path) -> SourceCohort:
    table = folder / "membership.csv"
    rows: dict[Key, Mapping[str, str]] = {}
    faults: list[Fault] = []
    for row in source.table(table, ("stage", "gen_id")):
        faults.extend(_row_faults(table, row, rows))
        described = {name: row.values[name] for name in DESCRIBING if row.values.get(name)}
        rows[row.values["stage"], row.values["gen_id"]] = described
    if faults:
        raise InputError(faults)
    spec = find_spec(folder)
    older = folder / "spec" if spec is None and (folder / "spec").is_dir() else None
    return SourceCohort(folder.name, table, table.exists(), rows, spec, older)


def _row_faults(table: Path, row: Row, earlier: Mapping[Key, object]) -> Iterator[Fault]:
    stage, gen_id = row.values["stage"], row.values["gen_id"]
    replicate = row.values.get("replicate", "")
    if stage not in DEFAULT_STAGES.names:
        yield Fault(
            str(table),
            f"{stage!r} is not a stage.",
            f"Write one of: {', '.join(DEFAULT_STAGES.names)}.",
            row.number,
            "stage",
        )
    if problem := identifier_problem(gen_id):
        yield Fault(str(table), problem, IDENTIFIER_CURE, row.number, "gen_id")
    if (stage, gen_id) in earlier:
        problem = f"the {stage} {gen_id!r} has a row already."
        yield Fault(str(table), problem, "Delete one of them.", row.number, "gen_id")
    if replicate and not (replicate.isascii() and replicate.isdigit() and 0 < len(replicate) < 10 and int(replicate)):
        yield Fault(str(table), f"{replicate!r} is no number from 1 on.", "Correct it.", row.number, "replicate")

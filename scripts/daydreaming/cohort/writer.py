"""Writing a planned cohort to disk, and never replacing what is there without being told to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from daydreaming.base import atomic
from daydreaming.base.errors import Fault, InputError
from daydreaming.base.paths import CohortFiles
from daydreaming.cohort.build import CohortPlan, plan_cohort
from daydreaming.cohort.membership import foreign_columns, membership_difference, read_generations, write_membership
from daydreaming.inputs.catalogs import load_catalogs
from daydreaming.inputs.concepts import append_combos
from daydreaming.inputs.records import Generation
from daydreaming.inputs.settings import Settings

ROWS_SHOWN = 10
_FORCE = "replace the table with `python scripts/build_membership.py --force`"


@dataclass(frozen=True, slots=True)
class CohortChange:
    """What writing a cohort did to its table: the rows that came, and those that went."""

    come: Sequence[Generation]
    go: Sequence[Generation]


def write_cohort(plan: CohortPlan, settings: Settings, force: bool = False) -> CohortChange:
    """Write membership.csv and manifest.json of a cohort, and record its combos in combo_mappings.csv.

    A file whose content would stay the same is not touched; generations that exist are never touched.
    Raises InputError, and changes nothing, when an existing table would lose rows or columns, or cannot be read,
    and `force` is not set.
    """
    files = settings.paths.cohort(plan.cohort_id)
    existing = _existing_generations(files, force)
    come, go = membership_difference(existing, plan.generations)
    if not force:
        _refuse_losses(files, come, go)
    # The combos first: a table never names a combo that is not on record.
    append_combos(settings.paths.combos, plan.combos)
    if come or go:
        write_membership(files.membership, plan.generations)
    _write_if_changed(files, json.dumps(plan.manifest, indent=2, ensure_ascii=False) + "\n")
    return CohortChange(come, go)


def describe_difference(come: Sequence[Generation], go: Sequence[Generation]) -> str:
    """Show how many rows of a table come and go, and the first of each."""
    return "\n".join([*_describe("come", "+", come), *_describe("go", "-", go)])


def _existing_generations(files: CohortFiles, force: bool) -> list[Generation]:
    """The rows of the table that is there, none if there is no table, or an unreadable one that may be replaced."""
    if not files.membership.is_file():
        return []
    try:
        return read_generations(files.membership)
    except InputError as error:
        if force:
            return []
        problem = "the table cannot be compared with the new one, so it was left alone."
        unreadable = Fault(str(files.membership), problem, f"Correct it as said above, or {_FORCE}.")
        raise InputError([*error.faults, unreadable]) from error


def _refuse_losses(files: CohortFiles, come: Sequence[Generation], go: Sequence[Generation]) -> None:
    if go:
        problem = "rows of this table would go, so nothing was changed."
        cure = (
            f"If that is right, {_FORCE} (the files of all generations stay). If not, see what changed in the inputs."
        )
        cure += f"\n{describe_difference(come, go)}"
        raise InputError(Fault(str(files.membership), problem, cure))
    columns = foreign_columns(files.membership) if come and files.membership.is_file() else []
    if columns:
        problem = f"{len(come)} rows would come, and columns that the new table has not would go: {', '.join(columns)}."
        raise InputError(Fault(str(files.membership), problem, f"Keep them in another file, then {_FORCE}."))


def _describe(verb: str, sign: str, generations: Sequence[Generation]) -> list[str]:
    noun = "row" if len(generations) == 1 else "rows"
    lines = [f"{len(generations)} {noun} {verb}{':' if generations else ''}"]
    for row in generations[:ROWS_SHOWN]:
        source = row.parent_gen_id or row.combo_id
        details = (
            f"template {row.template_id}, model {row.llm_model_id or '-'}, from {source}, replicate {row.replicate}"
        )
        lines.append(f"  {sign} {row.stage} {row.gen_id}: {details}")
    if len(generations) > ROWS_SHOWN:
        lines.append(f"  {sign} and {len(generations) - ROWS_SHOWN} more")
    return lines


def _write_if_changed(files: CohortFiles, manifest: str) -> None:
    if not files.manifest.is_file() or files.manifest.read_bytes() != manifest.encode():
        atomic.write_text(files.manifest, manifest)


def build_cohort(settings: Settings, *, force: bool = False) -> str:
    """Plan and write the configured cohort; return what was done, in words.

    Raises InputError for faulty catalogs, and where rows would go and `force` is not set; OSError from the disk.
    """
    plan = plan_cohort(settings, load_catalogs(settings))
    change = write_cohort(plan, settings, force=force)
    files = settings.paths.cohort(plan.cohort_id)
    counts = Counter(generation.stage for generation in plan.generations)
    lines = [
        f"cohort       {plan.cohort_id} ({plan.mode})",
        *(f"{stage.target:<11}  {counts[stage.name]}" for stage in settings.stage_table),
        f"table        {files.membership}",
        f"manifest     {files.manifest}",
        describe_difference(change.come, change.go) if change.come or change.go else "The table has not changed.",
    ]
    return "\n".join(lines)

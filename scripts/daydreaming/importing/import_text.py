"""What an import would bring, in words for the terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from daydreaming.base.amounts import counted
from daydreaming.base.terminal_tables import table_text
from daydreaming.importing.catalog_entries import Status
from daydreaming.importing.generations import Key
from daydreaming.importing.study_import import ImportPlan
from daydreaming.inputs.stages import DEFAULT_STAGES

EXAMPLES = 3
_NUMBERS = ("comes", "is here", "does not come")


def import_text(plan: ImportPlan, *, everything: bool = False) -> str:
    """Return the lines that show a plan: counts, then what is missing and why; `everything` names each generation."""
    parts = [
        f"From {plan.source.root} to {plan.settings.paths.root}:",
        table_text(["", *_NUMBERS], _count_rows(plan), numbers=_NUMBERS),
        *_cohorts(plan),
        *_missing(plan),
        *_left_out(plan.left_out, everything=everything),
        *([_listed("To know:", plan.notes)] if plan.notes else []),
    ]
    return "\n\n".join(parts)


def _count_rows(plan: ImportPlan) -> Iterator[tuple[str, int, int, int]]:
    for stage in DEFAULT_STAGES.names:
        comes = sum(generation.stage == stage for generation in plan.coming)
        here = sum(key[0] == stage for key in plan.here)
        yield f"{stage}s", comes, here, sum(key[0] == stage for key in plan.left_out)
    coming_combos = {combo.combo_id for combo in plan.combos}
    for kind, catalog in plan.catalogs.items():
        counts = {status: catalog.of_status(status) for status in Status}
        coming = [entry for entry in counts[Status.COMES] if kind != "combo" or entry.name in coming_combos]
        not_coming = len(counts[Status.MISSING]) + len(counts[Status.IN_THE_WAY])
        yield f"{kind}s", len(coming), len(counts[Status.HERE]), not_coming


def _cohorts(plan: ImportPlan) -> Iterator[str]:
    if not plan.cohorts:
        yield "No cohort lists these generations: `data/2_tasks/selected_essays.txt` can choose essays of them."
        return
    numbers = ("rows that come", "rows here", "left out", "to be made")
    rows = [
        (cohort.cohort_id, len(cohort.come), len(cohort.here), cohort.left_out, cohort.without_text)
        for cohort in plan.cohorts
    ]
    yield table_text(["cohort", *numbers], rows, numbers=numbers)
    remarks = [f"{cohort.cohort_id}: {remark}." for cohort in plan.cohorts for remark in cohort.remarks]
    if remarks:
        yield _listed("Of the cohorts:", remarks)
    if any(cohort.without_text for cohort in plan.cohorts):
        what = "What is to be made has no text there."
        yield f"{what} `python scripts/plan.py --config cohort=NAME` says what it would cost."


def _missing(plan: ImportPlan) -> Iterator[str]:
    """The entries of catalogs that do not come, each with what it would take."""
    lines = [
        f"{catalog.kind} {entry.name}: {entry.why.rstrip('.')}."
        for catalog in plan.catalogs.values()
        for status in (Status.MISSING, Status.IN_THE_WAY)
        for entry in catalog.of_status(status)
    ]
    if lines:
        yield _listed("Of the catalogs, these do not come:", lines)


def _left_out(left_out: Mapping[Key, str], *, everything: bool) -> Iterator[str]:
    """The generations that do not come: by reason, what follows from others last."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    follow = 0
    for (stage, gen_id), why in left_out.items():
        if why.endswith("is left out") and not everything:
            follow += 1
            continue
        by_reason[f"{stage}s: {why}"].append(gen_id)
    lines = [f"{reason} ({_examples(names, everything=everything)})" for reason, names in by_reason.items()]
    if follow:
        lines.append(f"{counted(follow, 'generation')} made from those")
    if lines:
        yield _listed("Generations that do not come:", lines)


def _examples(names: list[str], *, everything: bool) -> str:
    if everything or len(names) <= EXAMPLES:
        return ", ".join(names)
    return f"{', '.join(names[:EXAMPLES])} and {len(names) - EXAMPLES} more"


def _listed(title: str, lines: Iterable[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)])

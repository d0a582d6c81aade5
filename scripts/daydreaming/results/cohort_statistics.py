"""The statistics of a cohort: of its scores, at its own prices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from daydreaming.base.errors import Fault, InputError
from daydreaming.generation.inspection import Inspection, inspect_cohort
from daydreaming.generation.study import Study
from daydreaming.inputs.records import Generation
from daydreaming.inputs.stages import DEFAULT_STAGES, StageTable
from daydreaming.results.human_scores import human_rows
from daydreaming.results.score_table import ScoreRow, write_csv
from daydreaming.results.scores import cost_of
from daydreaming.results.statistics.table_names import TABLES

if TYPE_CHECKING:
    from daydreaming.results.statistics.analysis import Analysis
    from daydreaming.results.statistics.design_study import Plan


def analyse_cohort(study: Study, rows: Sequence[ScoreRow], inspection: Inspection | None = None) -> Analysis:
    """Analyse the scores of a cohort, of which there is at least one row, and its readers'. Raises InputError."""
    return analyse_at_price(rows, human_rows(study), draft_price(study, inspection or inspect_cohort(study)))


def analyse_at_price(rows: Sequence[ScoreRow], readers: Sequence[ScoreRow], price: float | None) -> Analysis:
    """Analyse the scores of a cohort whose drafts cost so many US dollars each. Raises InputError without a row."""
    from daydreaming.results.statistics.analysis import analyse_rows

    return analyse_rows(rows, {} if price is None else {"draft": price}, readers=readers)


def write_statistics(study: Study, rows: Sequence[ScoreRow], inspection: Inspection | None = None) -> list[Path]:
    """Write the tables of the statistics to the cohort's reports, each whole or not at all; return their files.

    Without a row the tables have their columns alone. Raises InputError and OSError.
    """
    folder = study.cohort_files.reports
    if rows:
        return analyse_cohort(study, rows, inspection).write(folder)
    paths = []
    for name in TABLES:
        # The tables are made by modules of their names; design_study has the columns of design.
        module = import_module(f"daydreaming.results.statistics.{'design_study' if name == 'design' else name}")
        write_csv(folder / f"{name}.csv", module.COLUMNS, [])
        paths.append(folder / f"{name}.csv")
    return paths


def draft_price(study: Study, inspection: Inspection) -> float | None:
    """The mean cost of a draft in US dollars; None where nobody told any, or there are none."""
    stages = study.membership.stages
    first = stages.chain(stages.main)[0]
    drafts = study.membership.stage(first) if first != stages.main else []
    costs = [cost_of(study, inspection, draft) for draft in drafts]
    known = [cost for cost in costs if cost is not None]
    return fmean(known) if known else None


def plan_of_cohort(generations: Iterable[Generation], table: StageTable = DEFAULT_STAGES) -> Plan:
    """How much of everything a cohort will have: of the texts that it is about, and of their first judges.

    `generations` have at least one of each stage. Raises InputError for a study in which nothing is scored.
    """
    from daydreaming.results.statistics.design_study import Plan

    stages: dict[str, list[Generation]] = {}
    for generation in generations:
        stages.setdefault(generation.stage, []).append(generation)
    if not table.scoring:
        fault = Fault("config.yaml", "no stage makes scores.", "Add one, or take out `--configured`.", key="stages")
        raise InputError(fault)
    first, main, scoring = table.chain(table.main)[0], table.main, table.first_scoring
    drafts, essays, evaluations = (stages[stage] for stage in (first, main, scoring))
    combos = len({draft.combo_id for draft in drafts})
    templates = [len({one.template_id for one in stages[stage]}) for stage in (first, main, scoring)]
    if first == main:
        templates[0] = 1
    models = len({draft.llm_model_id for draft in drafts})
    judges = len({one.llm_model_id for one in evaluations})
    essays_of_path = len(essays) / (combos * templates[0] * templates[1] * models)
    return Plan(
        combos=combos,
        draft_templates=templates[0],
        essay_templates=templates[1],
        models=models,
        rubrics=templates[2],
        judges=judges,
        essays=max(1, round(essays_of_path)),
        evaluations=max(1, round(len(evaluations) / (len(essays) * templates[2] * judges))),
    )

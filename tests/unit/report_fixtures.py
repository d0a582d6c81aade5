"""A made-up cohort of 16 essays and 64 evaluations, for tests of its report."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path

import score_fixtures as fixtures

from daydreaming.cohort.membership import write_membership
from daydreaming.generation.study import Study, load_study
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.inputs.records import Generation
from daydreaming.ledger.journal import Budget, Journal

WRITERS = ("quick-writer", "slow-writer")
JUDGES = ("judge", "strict-judge")
RUBRICS = ("novelty", "soundness")
# Writers and judges do not agree, and not every score is a whole number.
MEANS = {"quick-writer": 4.0, "slow-writer": 6.0, "judge": 0.8, "strict-judge": -1.5, "novelty": -0.5, "soundness": 1.0}

_CATALOGS = {
    "1_raw/concepts_metadata.csv": "concept_id,name,active\nsleep,Sleep,true\ntides,Tides,true\nmaps,Old maps,true\n",
    "1_raw/essay_templates.csv": (
        "template_id,generator,content,active\ncopied,copy,none,true\ndeveloped,llm,{{ draft_block }},true\n"
    ),
    "1_raw/evaluation_templates.csv": (
        "template_id,generator,parser,content,active\n"
        "novelty,llm,in_last_line,Judge {{ response }},true\nsoundness,llm,in_last_line,Weigh {{ response }},true\n"
    ),
    "1_raw/llm_models.csv": (
        "id,model,provider,display_name,for_generation,for_evaluation,endpoint\n"
        "quick-writer,lab/quick,lab,Quick,true,false,openrouter\nslow-writer,lab/slow,lab,Slow,true,false,openrouter\n"
        "judge,lab/judge,lab,Judge,false,true,openrouter\nstrict-judge,lab/strict,lab,Strict,false,true,openrouter\n"
    ),
    "2_tasks/selected_combo_mappings.csv": (
        "combo_id,version,concept_id,description_level,k_max,created_at\n"
        + "".join(
            f"{combo},v1,{concept},paragraph,2,2026-01-01\n"
            for combo in ("sleep-tides", "sleep-maps", "tides-maps", "maps-sleep")
            for concept in combo.split("-")
        )
    ),
}


def generations() -> list[Generation]:
    """Four combos, two writers, two essay templates, two rubrics, two judges."""
    rows = []
    combos = ("sleep-tides", "sleep-maps", "tides-maps", "maps-sleep")
    for combo, writer in product(combos, WRITERS):
        draft = fixtures.draft(f"d-{combo}-{writer}", combo_id=combo, llm_model_id=writer)
        rows.append(draft)
        for template in ("copied", "developed"):
            essay = fixtures.essay(
                f"e-{template}-{combo}-{writer}", draft.gen_id, template_id=template, llm_model_id=writer
            )
            rows.append(essay)
            for rubric, judge in product(RUBRICS, JUDGES):
                name = f"v-{rubric}-{judge}-{essay.gen_id}"
                rows.append(fixtures.evaluation(name, essay.gen_id, template_id=rubric, llm_model_id=judge))
    order = {"draft": 0, "essay": 1, "evaluation": 2}
    return sorted(rows, key=lambda row: order[row.stage])


def make_cohort(folder: Path, failures: int = 0, endpoint: str = "openrouter", cost_usd: float | None = None) -> Study:
    """Write the cohort to a folder that is the current one, its last `failures` evaluations without a score.

    `cost_usd` is what each call cost, by the records.
    """
    fixtures.write_project(folder, [])
    for name, text in _CATALOGS.items():
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("openrouter", endpoint), encoding="utf-8")
    for concept in ("sleep", "tides", "maps"):
        (folder / f"data/1_raw/concepts/descriptions-paragraph/{concept}.txt").write_text(f"About {concept}.\n")
    rows = generations()
    write_membership(folder / "data/cohorts" / fixtures.COHORT / "membership.csv", rows)
    study = load_cohort()
    _make_generations(study, rows, failures, cost_usd)
    _write_journal(study, rows)
    return study


def load_cohort() -> Study:
    """Load the cohort of the current folder."""
    return load_study(settings_from_config({"cohort": fixtures.COHORT, "k_max": 2}))


def _make_generations(study: Study, rows: list[Generation], failures: int, cost_usd: float | None) -> None:
    dice = random.Random(7)
    for number, row in enumerate(rows):
        record: dict[str, object] = {
            "finished_at": 1_767_225_600.0 + 30 * number,
            "served_model": f"lab/{row.llm_model_id}-2026-01",
        }
        record["cost_usd"] = cost_usd
        if row.stage != "evaluation":
            text = f"Title: A {row.template_id} thought\n\nWhat if <b>{row.template_id}</b> were one & the same? " * 3
            fixtures.make(study.settings, row, text, **record)
        elif number >= len(rows) - failures:
            fixtures.make(study.settings, row, None, error=("parse", "refused")[number % 2], **record)
        else:
            writer = row.gen_id.rsplit("-", 2)[1] + "-writer"
            mean = MEANS[writer] + MEANS[row.llm_model_id] + MEANS[row.template_id]
            score = min(10.0, max(0.0, round(2 * dice.gauss(mean, 1.2)) / 2))
            fixtures.make(study.settings, row, f"{score}\n", **record)


def _write_journal(study: Study, rows: list[Generation]) -> None:
    journal = Journal(study.cohort_files.journal, Budget(), "run-1", lambda _: None)
    for row in rows:
        who = {name: getattr(row, name) for name in ("stage", "gen_id", "template_id", "llm_model_id")}
        if row.template_id != "copied":
            call = journal.start_call(0.01, request_sha256="0" * 64, **who)
            journal.end_call(
                call, cost_usd=0.002, perhaps_billed=True, prompt_tokens=400, completion_tokens=150, total_tokens=550
            )
        journal.write("generation", result="copied" if row.template_id == "copied" else "made", **who)
    journal.close()

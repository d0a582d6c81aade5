"""A cohort whose generations have files, for tests of what comes after generation."""

import json
from dataclasses import replace
from pathlib import Path

from daydreaming.cohort.membership import Membership, write_membership
from daydreaming.generation.study import Study
from daydreaming.inputs.records import Catalogs, Combo, Generation, Model, Template
from daydreaming.inputs.settings import Settings
from daydreaming.results.score_table import ScoreRow

COHORT = "c1"


def draft(gen_id: str, **changes) -> Generation:
    return generation("draft", gen_id, "", **{"combo_id": "k1", "template_id": "thread", **changes})


def essay(gen_id: str, parent: str, **changes) -> Generation:
    return generation("essay", gen_id, parent, **{"template_id": "copied", **changes})


def evaluation(gen_id: str, parent: str, **changes) -> Generation:
    return generation("evaluation", gen_id, parent, **{"template_id": "novelty", "llm_model_id": "judge", **changes})


def generation(stage: str, gen_id: str, parent: str, **changes) -> Generation:
    values = {"cohort_id": COHORT, "combo_id": "", "template_id": "t", "llm_model_id": "writer", **changes}
    return Generation(stage=stage, gen_id=gen_id, parent_gen_id=parent, **values)


def membership(*generations: Generation) -> Membership:
    return Membership(COHORT, {(one.stage, one.gen_id): one for one in generations})


def study_of(settings: Settings, members: Membership) -> Study:
    """A study with the catalogs of `write_project`, without a look at the disk."""
    templates = {
        "draft": Template("draft", "thread", "llm", None, True, None, "Write."),
        "essay": Template("essay", "copied", "copy", None, True, None, "none"),
        "evaluation": Template("evaluation", "novelty", "llm", "in_last_line", True, None, "Judge {{ response }}"),
    }
    models = {
        name: Model(name, f"{name}/1", "", name, True, True, "embedded") for name in ("writer", "stylist", "judge")
    }
    catalogs = Catalogs({}, {stage: {one.template_id: one} for stage, one in templates.items()}, models)
    return Study(settings, catalogs, {"k1": Combo("k1", "v1", "paragraph", 1, ())}, members)


def make(settings: Settings, one: Generation, parsed: str | None, error: str = "none", **metadata) -> None:
    """Write the files of a generation, with the few keys that other programs leave in metadata.json too."""
    files = settings.paths.generation(one.stage, one.gen_id)
    files.folder.mkdir(parents=True, exist_ok=True)
    if parsed is None:
        files.parsed.unlink(missing_ok=True)
    else:
        files.parsed.write_text(parsed, encoding="utf-8")
    record = {
        "stage": one.stage,
        "gen_id": one.gen_id,
        "template_id": one.template_id,
        "error": error,
        "error_message": None if error == "none" else f"what {error} means",
        "parent_gen_id": one.parent_gen_id,
        "llm_model_id": one.llm_model_id,
        "replicate": one.replicate,
        **metadata,
    }
    files.metadata.write_text(json.dumps(record), encoding="utf-8")


def score_row(gen_id: str, score: float | None, **changes) -> ScoreRow:
    values = {
        "parent_gen_id": "e1",
        "combo_id": "k1",
        "draft_template": "thread",
        "generation_template": "copied",
        "generation_model": "writer",
        "evaluation_template": "novelty",
        "evaluation_llm_model": "judge",
        "replicate": 1,
        "cohort_id": COHORT,
        "error": "" if score is not None else "api",
        **changes,
    }
    return ScoreRow(gen_id=gen_id, score=score, **values)


def write_project(folder: Path, generations: list[Generation]) -> None:
    """Write the inputs of a project: catalogs, combos, configuration and the table of one cohort."""
    files = {
        "config.yaml": f"cohort: {COHORT}\ndefault_endpoint: embedded\nk_max: 1\n",
        "data/1_raw/concepts_metadata.csv": "concept_id,name,active\nsleep,Sleep,true\n",
        "data/1_raw/concepts/descriptions-paragraph/sleep.txt": "Sleep is rest.\n",
        "data/1_raw/draft_templates.csv": "template_id,generator,parser,content,active\nthread,llm,,Write.,true\n",
        "data/1_raw/essay_templates.csv": "template_id,generator,content,active\ncopied,copy,none,true\n",
        "data/1_raw/evaluation_templates.csv": (
            "template_id,generator,parser,content,active\nnovelty,llm,in_last_line,Judge {{ response }},true\n"
        ),
        "data/1_raw/llm_models.csv": (
            "id,model,provider,display_name,for_generation,for_evaluation,endpoint\n"
            "writer,w/1,w,Writer,true,false,openrouter\n"
            "judge,j/1,j,Judge,false,true,\n"
        ),
        "data/2_tasks/selected_combo_mappings.csv": (
            "combo_id,version,concept_id,description_level,k_max,created_at\nk1,v1,sleep,paragraph,1,2026-01-01\n"
        ),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    write_table(folder, COHORT, generations)


def write_table(folder: Path, cohort_id: str, generations: list[Generation]) -> None:
    """Write the membership of a cohort that has these generations."""
    rows = [replace(one, cohort_id=cohort_id) for one in generations]
    write_membership(folder / "data" / "cohorts" / cohort_id / "membership.csv", rows)

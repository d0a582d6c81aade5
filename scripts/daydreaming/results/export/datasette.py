"""What Datasette is told of an exported database: titles, facets, and what each column means."""

from __future__ import annotations

from typing import Any

from daydreaming.inputs.stages import DEFAULT_STAGES, Stage, StageTable
from daydreaming.results.export.columns import tables_of
from daydreaming.results.export.sqlite import references_of

# By these a reader narrows a table down.
_FACETS = {
    "scores": ["rubric", "judge", "draft_template", "essay_template", "generation_model", "combo_id"],
    "essays_by_score": ["rubric", "draft_template", "essay_template", "generation_model", "combo_id"],
    "means_by_template": ["rubric", "judge"],
    "failures": ["stage", "error", "template_id", "model_id"],
}
_FACETS_OF_VERDICTS = {
    "verdicts": ["rubric", "judge", "first_model", "second_model", "verdict"],
    "points_by_model": ["rubric", "judge", "model", "opponent"],
}


def datasette_metadata(cohort_id: str, stages: StageTable = DEFAULT_STAGES) -> dict[str, Any]:
    """The metadata of the database of a cohort, for `datasette --metadata`."""
    tables: dict[str, Any] = {
        name: {"columns": {column.name: column.meaning for column in columns}}
        for name, columns in tables_of(stages).items()
    }
    of_verdicts = _FACETS_OF_VERDICTS if stages.comparing else {}
    for name, facets in {**{stage.target: _facets(stage) for stage in stages}, **_FACETS, **of_verdicts}.items():
        tables.setdefault(name, {})["facets"] = facets
    for stage in stages.scoring:
        tables[stage.target]["sort_desc"] = "score"
    for target, _ in references_of(stages).values():
        tables[target].setdefault("label_column", {"concepts": "name", "models": "display_name"}.get(target, ""))
    for table in tables.values():
        if not table.get("label_column", "x"):
            del table["label_column"]
    return {
        "title": f"DayDreaming: cohort {cohort_id}",
        "databases": {cohort_id: {"tables": tables}},
    }


def _facets(stage: Stage) -> list[str]:
    """By what a reader narrows the table of a stage down."""
    if stage.makes == "score":
        return ["template_id", "model_id", "score", "error"]
    if stage.takes_pairs:
        return ["template_id", "model_id", "verdict", "error"]
    return ["template_id", "model_id", *(["combo_id"] if stage.is_first else []), "state"]

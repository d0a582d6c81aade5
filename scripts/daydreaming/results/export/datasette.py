"""What Datasette is told of an exported database: titles, facets, and what each column means."""

from __future__ import annotations

from typing import Any

from daydreaming.results.export.columns import TABLES
from daydreaming.results.export.sqlite import REFERENCES

# By these a reader narrows a table down.
_FACETS = {
    "drafts": ["template_id", "model_id", "combo_id", "state"],
    "essays": ["template_id", "model_id", "state"],
    "evaluations": ["template_id", "model_id", "score", "error"],
    "scores": ["rubric", "judge", "draft_template", "essay_template", "generation_model", "combo_id"],
    "essays_by_score": ["rubric", "draft_template", "essay_template", "generation_model", "combo_id"],
    "means_by_template": ["rubric", "judge"],
    "failures": ["stage", "error", "template_id", "model_id"],
}


def datasette_metadata(cohort_id: str) -> dict[str, Any]:
    """The metadata of the database of a cohort, for `datasette --metadata`."""
    tables: dict[str, Any] = {
        name: {"columns": {column.name: column.meaning for column in columns}} for name, columns in TABLES.items()
    }
    for name, facets in _FACETS.items():
        tables.setdefault(name, {})["facets"] = facets
    tables["evaluations"]["sort_desc"] = "score"
    for target, _ in REFERENCES.values():
        tables[target].setdefault("label_column", {"concepts": "name", "models": "display_name"}.get(target, ""))
    for table in tables.values():
        if not table.get("label_column", "x"):
            del table["label_column"]
    return {
        "title": f"DayDreaming: cohort {cohort_id}",
        "databases": {cohort_id: {"tables": tables}},
    }

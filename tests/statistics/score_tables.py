"""Small tables of scores that a test writes by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

DEFAULTS = {
    "draft_template": "thread",
    "generation_template": "copied",
    "generation_model": "writer",
    "evaluation_template": "novelty",
    "evaluation_llm_model": "judge",
    "replicate": 1,
    "cohort_id": "c1",
    "error": "",
}
_ESSAY = ("combo_id", "draft_template", "generation_template", "generation_model")


def table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A table of scores; an essay is what has the same combo, templates and model, unless a row names it."""
    complete = []
    for number, row in enumerate(rows):
        values = {**DEFAULTS, "gen_id": f"v{number}", **row}
        values.setdefault("parent_gen_id", "-".join(str(values[column]) for column in _ESSAY))
        values["score"] = values.get("score") if not values["error"] else None
        complete.append(values)
    return pd.DataFrame(complete)


def by_template(scores: Mapping[str, Iterable[float | None]], **more: Any) -> pd.DataFrame:
    """A table with a draft template for each key, whose values are the scores on combo 0, 1, ...; None failed."""
    return table(
        {"combo_id": f"k{combo}", "draft_template": template, "score": score, "error": "parse" if score is None else ""}
        | more
        for template, values in scores.items()
        for combo, score in enumerate(values)
    )

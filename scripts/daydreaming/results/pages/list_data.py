"""The data of the list: a row for each essay, in scripts that the list loads at its start."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from daydreaming.inputs.records import Scale
from daydreaming.results.pages.essay_plans import EssayPlan
from daydreaming.results.pages.rendering import script_data
from daydreaming.results.pages.shown_text import visible

_LARGEST_PART = 200_000  # characters


@dataclass(frozen=True, slots=True)
class ListedEssay:
    """What the list shows of an essay besides its plan: how its text begins, and the digest of the text."""

    title: str
    text_sha256: str


def list_files(
    cohort_id: str,
    plans: Sequence[EssayPlan],
    listed: Mapping[str, ListedEssay],
    word_parts: Sequence[tuple[str, list[str]]],
    rubrics: Mapping[str, str],
    ends: Mapping[str, Scale],
) -> dict[str, str]:
    """Return the scripts of the list and of the search, by their path in the folder.

    A row is `[gen_id, title, combo, draft template, essay template, model, failure, disagreement, places, digest]`.
    Combo, templates and model are numbers of rows in the tables of `contents.js`; places are, for each scale,
    `[rank, mean, low, high, scores, failed, may be best]`. `ends` has the lowest and the highest score of each rubric.
    """
    tables: dict[str, dict[object, int]] = {"combos": {}, "drafts": {}, "templates": {}, "models": {}}

    def code(table: str, value: object) -> int:
        return tables[table].setdefault(value, len(tables[table]))

    rows: list[list[object]] = [
        [
            plan.gen_id,
            listed[plan.gen_id].title,
            code("combos", (plan.combo_id, tuple(visible(name) for name in plan.concepts))),
            code("drafts", plan.labels["draft_template"]),
            code("templates", plan.labels["generation_template"]),
            code("models", plan.labels["generation_model"]),
            plan.essay.error,
            None if plan.disagreement is None else round(plan.disagreement, 4),
            [
                [one.rank, _short(one.mean), _short(one.low), _short(one.high), one.scores, one.failed, one.may_be_best]
                for one in plan.places
            ],
            listed[plan.gen_id].text_sha256,
        ]
        for plan in plans
    ]
    parts = list(_parts(rows))
    scales = plans[0].scales if plans else ()
    contents = {
        "cohort": cohort_id,
        "essays": len(plans),
        "parts": len(parts),
        "scales": [[scale.rubric, scale.judge] for scale in scales],
        "rubrics": rubrics,
        "ends": ends,
        "words": [first for first, _ in word_parts],
        **{name: list(table) for name, table in tables.items()},
    }
    files = {"data/contents.js": script_data("contents", contents)}
    files |= {f"data/essays-{n}.js": script_data(f"essays {n}", part) for n, part in enumerate(parts)}
    files |= {f"words/{n}.js": script_data(f"words {n}", lines) for n, (_, lines) in enumerate(word_parts)}
    return files


def _parts(rows: list[list[object]]) -> Iterator[list[list[object]]]:
    part: list[list[object]] = []
    size = 0
    for row in rows:
        length = len(json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        if part and size + length > _LARGEST_PART:
            yield part
            part, size = [], 0
        part.append(row)
        size += length
    if part:
        yield part


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 3)

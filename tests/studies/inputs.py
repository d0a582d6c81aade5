"""The inputs of a small study, written by code: catalogs, texts, combos and a configuration.

Every template's text begins with its stage and id, so that a call shows by the first line of its prompt what it is for.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

COHORT = "c1"
CONCEPTS = ("sleep", "tides", "maps")
# Without a body of its own, a draft or essay template has its stage's, and an evaluation template the rubric.
BODIES = {
    "draft": (
        "{% for concept in concepts %}{{ concept.name }}: {{ concept.content }}\n{% endfor %}"
        "Answer with an idea between <essay> and </essay>.\n"
    ),
    "essay": "{{ draft_block }}\n",
    "evaluation": "{{ response }}\nEnd with a line such as SCORE: 5\n",
    # Of stages that a study may add.
    "critique": "{{ essay_block }}\nSay what is weak in it.\n",
    "revision": "{{ essay_block }}\n{{ critique_block }}\nWrite it again.\n",
    "comparison": "{{ response_a }}\n----\n{{ response_b }}\nEnd with a line such as Verdict: A\n",
    "story": "{% for concept in concepts %}{{ concept.name }}\n{% endfor %}Write an essay.\n",
}
PARSERS = {"draft": "essay_block", "evaluation": "in_last_line", "comparison": "preference"}
COPYING_TEMPLATE = "copied"
MODELS = (
    ("writer", "lab/writer", True, False),
    ("judge", "lab/judge", False, True),
)
MODEL_COLUMNS = "id,model,provider,display_name,for_generation,for_evaluation,endpoint,usd_per_mtok_in,usd_per_mtok_out"


@dataclass(frozen=True)
class Choice:
    """What a study is made of. The essay template `copied` copies, all others call; `combos` None: all pairs.

    `config` is laid over the configuration, key by key. `added` has the templates of stages that it adds.
    """

    drafts: Sequence[str] = ("thread",)
    essays: Sequence[str] = (COPYING_TEMPLATE,)
    evaluations: Sequence[str] = ("novelty",)
    combos: Sequence[Sequence[str]] | None = (("sleep", "tides"),)
    config: Mapping[str, Any] = field(default_factory=dict)
    added: Mapping[str, Sequence[str]] = field(default_factory=dict)


def default_config(base_url: str) -> dict[str, Any]:
    """Return a configuration with one endpoint, `local`, that tries a failed call once more at most."""
    endpoint = {"base_url": base_url, "max_concurrency": 16, "timeout_s": 20, "max_retries": 1}
    return {
        "cohort": COHORT,
        "data_root": "data",
        "k_max": 2,
        "default_endpoint": "local",
        "endpoints": {"local": endpoint},
        "stages": {
            "draft": {"temperature": 0.9, "max_tokens": 500, "min_lines": 3},
            "essay": {"temperature": 0.7, "max_tokens": 500},
            "evaluation": {"temperature": 0, "max_tokens": 500},
        },
    }


def write_inputs(data: Path, choice: Choice) -> None:
    """Write everything below the data root that a person would write."""
    raw = data / "1_raw"
    _write_table(
        raw / "concepts_metadata.csv", "concept_id,name,active", ((id_, id_.title(), True) for id_ in CONCEPTS)
    )
    for concept_id in CONCEPTS:
        write(raw / f"concepts/descriptions-paragraph/{concept_id}.txt", f"What is known of {concept_id}.\n")
    for stage, template_ids in _templates(choice).items():
        rows = ((id_, id_.title(), _generator(id_), PARSERS.get(stage, ""), True) for id_ in template_ids)
        _write_table(raw / f"{stage}_templates.csv", "template_id,template_name,generator,parser,active", rows)
        for template_id in template_ids:
            write(template_file(data, stage, template_id), template_text(stage, template_id))
    _write_table(raw / "llm_models.csv", MODEL_COLUMNS, ((*model(*one), "local", 1, 2) for one in MODELS))
    if choice.combos is not None:
        columns = "combo_id,version,concept_id,description_level,k_max,created_at"
        _write_table(data / "2_tasks/selected_combo_mappings.csv", columns, _combo_rows(choice.combos))


def model(id_: str, name: str, for_generation: bool, for_evaluation: bool) -> tuple[Any, ...]:
    """Return the first cells of a row of llm_models.csv."""
    return id_, name, "lab", id_.title(), for_generation, for_evaluation


def template_file(data: Path, stage: str, template_id: str) -> Path:
    """Return where the text of a template is."""
    folder = "evaluation_templates" if stage == "evaluation" else f"generation_templates/{stage}"
    return data / f"1_raw/{folder}/{template_id}.txt"


def template_text(stage: str, template_id: str, body: str | None = None) -> str:
    """Return the text of a template; its first line is what `Run.asked` counts."""
    return f"{stage} {template_id}\n{BODIES[stage] if body is None else body}"


def write_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Write config.yaml."""
    write(folder / "config.yaml", yaml.safe_dump(dict(config), sort_keys=False))


def write(path: Path, text: str) -> None:
    """Write a text file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _templates(choice: Choice) -> dict[str, Sequence[str]]:
    return {"draft": choice.drafts, "essay": choice.essays, "evaluation": choice.evaluations, **choice.added}


def _generator(template_id: str) -> str:
    return "copy" if template_id == COPYING_TEMPLATE else "llm"


def _combo_rows(combos: Iterable[Sequence[str]]) -> Iterable[tuple[Any, ...]]:
    for concepts in combos:
        for concept in concepts:
            yield "_".join(concepts), "v1", concept, "paragraph", len(concepts), "2026-01-01T00:00:00Z"


def _write_table(path: Path, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns.split(","))
    writer.writerows([str(cell).lower() if isinstance(cell, bool) else cell for cell in row] for row in rows)
    write(path, text.getvalue())

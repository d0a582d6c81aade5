"""Data folders as the original project left them, written by code: in its last dialect and layout, or earlier ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studies.inputs import write

NOW, EARLIER = "now", "earlier"
COHORT = "winter"
DRAFTS = ("d_one", "d_two")
# An essay of each draft was copied, one was written.
ESSAYS = {"e_copy_one": "d_one", "e_one": "d_one", "e_copy_two": "d_two", "e_two": "d_two"}
TEXTS = {
    "draft": "{% for concept in concepts %}{{ concept.name }}: {{ concept.content }}\n{% endfor %}Weave them.\n",
    "essay": "Notes:\n{{ links_block }}\nWrite an essay.\n",
    "evaluation": "{{ response }}\nEnd with SCORE: X\n",
}
CONCEPTS = {"sea": "Sea", "clay": "Clay", "wool": "Wool"}
COMBOS = {"combo_v1_one": ("clay", "sea"), "combo_v1_two": ("sea", "wool")}

# What makes the rows of the cohort, in the words of the original project.
SPEC = """\
axes:
  combo_id: [combo_v1_one, combo_v1_two]
  draft_template: [weave]
  draft_llm: [poet]
  essay_template: '@file:items/essays.csv'
  essay_llm: [poet]
  evaluation_template: [rigor]
  evaluation_llm: [critic]
  evaluation_replicate: ['1']
output:
  field_order: [combo_id, draft_template, draft_llm, essay_template, essay_llm, evaluation_template, evaluation_llm]
"""


@dataclass(frozen=True)
class Original:
    """A folder of the original project, and what a test may make wrong in it."""

    data: Path
    dialect: str

    def file(self, stage: str, gen_id: str, name: str) -> Path:
        """A file of a generation."""
        return self.data / "gens" / stage / gen_id / name

    def change_record(self, stage: str, gen_id: str, /, **changes: Any) -> None:
        """Change values of a record; None takes a key out."""
        path = self.file(stage, gen_id, "metadata.json")
        values = {**json.loads(path.read_text(encoding="utf-8")), **changes}
        write(path, json.dumps({key: value for key, value in values.items() if value is not None}))

    def template(self, stage: str, template_id: str) -> Path:
        """The text of a template."""
        folder = "templates" if self.dialect == NOW else "generation_templates"
        if self.dialect == EARLIER and stage == "evaluation":
            return self.data / f"1_raw/evaluation_templates/{template_id}.txt"
        return self.data / f"1_raw/{folder}/{stage}/{template_id}.txt"

    @property
    def membership(self) -> Path:
        """The table of the cohort."""
        return self.data / f"cohorts/{COHORT}/membership.csv"

    @property
    def spec(self) -> Path:
        """The spec of the cohort, in the last dialect."""
        return self.membership.with_name("spec") / "config.yaml"


def write_original(data: Path, dialect: str = NOW) -> Original:
    """Write a folder with two drafts, four essays and an evaluation of each."""
    original = Original(data, dialect)
    _write_catalogs(original)
    for number, (gen_id, combo_id) in enumerate(zip(DRAFTS, COMBOS, strict=True)):
        text = f"An idea, {number}.\nA second line.\nA third.\n"
        _write_generation(original, "draft", gen_id, {"template_id": "weave", "combo_id": combo_id}, "poet", text)
    for gen_id, parent in ESSAYS.items():
        is_copy = "copy" in gen_id
        draft = original.file("draft", parent, "parsed.txt").read_text(encoding="utf-8")
        values = {"template_id": "as-is" if is_copy else "tell", "parent_gen_id": parent}
        _write_generation(
            original, "essay", gen_id, values, None if is_copy else "poet", draft if is_copy else f"Essay {gen_id}.\n"
        )
        values = {"template_id": "rigor", "parent_gen_id": gen_id}
        _write_generation(original, "evaluation", gen_id.replace("e_", "v_"), values, "critic", "7.0\n")
    _write_cohort(original)
    return original


def _write_catalogs(original: Original) -> None:
    raw, is_now = original.data / "1_raw", original.dialect == NOW
    active = "" if is_now else ",true"
    rows = "".join(f"{concept},{name}{active}\n" for concept, name in CONCEPTS.items())
    table = raw / "concepts_metadata.csv" if is_now else raw / "concepts/concepts_metadata.csv"
    write(table, f"concept_id,name{'' if is_now else ',active'}\n{rows}")
    for concept in CONCEPTS:
        write(raw / f"concepts/descriptions-paragraph/{concept}.txt", f"What is known of {concept}.\n")
    tables = {
        "draft": ("weave,Weave,Weaves,{parser},{llm}", "essay_block_lenient", "weave"),
        "essay": ("tell,Tell,Tells,,{llm}\nas-is,As is,Copies,,{copy}", "", "tell"),
        "evaluation": ("rigor,Rigor,Judges,{parser},{llm}", "in_last_line", "rigor"),
    }
    for stage, (lines, parser, template_id) in tables.items():
        words = {"parser": parser, "llm": "llm" if is_now else "true", "copy": "copy" if is_now else "true"}
        last = "generator" if is_now else "active"
        header = f"template_id,template_name,description,parser,{last}\n"
        write(raw / f"{stage}_templates.csv", header + lines.format_map(words) + "\n")
        write(original.template(stage, template_id), TEXTS[stage])
    kind = "specialization" if is_now else "for_generation,for_evaluation"
    kinds = ("writing", "judging") if is_now else ("true,true", "true,true")
    models = f"poet,lab/poet:free,lab,Poet,{kinds[0]}\ncritic,lab/critic,lab,Critic,{kinds[1]}\n"
    write(raw / "llm_models.csv", f"id,model,provider,display_name,{kind}\n{models}")
    header = "combo_id,version,concept_id,description_level,k_max,created_at\n"
    rows = "".join(
        f"{combo_id},v1,{concept},paragraph,2,2025-09-01T10:00:00\n"
        for combo_id, concepts in COMBOS.items()
        for concept in concepts
    )
    write(original.data / "combo_mappings.csv", header + rows)


def _write_generation(
    original: Original, stage: str, gen_id: str, values: Mapping[str, Any], model: str | None, text: str
) -> None:
    """Write a generation; without a model it is a copy."""
    record: dict[str, Any] = {"stage": stage, "gen_id": gen_id, **values}
    if original.dialect == NOW:
        record |= {"origin_cohort_id": COHORT, "mode": "llm" if model else "copy", "replicate": 1, "prompt_chars": 4}
        record |= {"llm_model_id": model} if model else {}
        if model:
            usage = {"prompt_tokens": 5, "completion_tokens": 6, "completion_tokens_details": {"reasoning_tokens": 0}}
            call = {"finish_reason": "stop", "usage": usage, "duration_s": 2.5}
            write(original.file(stage, gen_id, "raw_metadata.json"), json.dumps(call))
    else:
        record |= {"model_id": model, "skip_llm": model is None, "cohort_id": COHORT, "finish_reason": "stop"}
        record |= {"files": {"parsed": f"/home/somebody/data/gens/{stage}/{gen_id}/parsed.txt"}, "usage": "unknown"}
    write(original.file(stage, gen_id, "metadata.json"), json.dumps(record))
    write(original.file(stage, gen_id, "prompt.txt"), f"A prompt of {gen_id}.")
    if model:
        write(original.file(stage, gen_id, "raw.txt"), f"SCORE: {text}" if stage == "evaluation" else text)
    write(original.file(stage, gen_id, "parsed.txt"), text)


def _write_cohort(original: Original) -> None:
    generations = [("draft", gen_id, "", combo, "weave", "poet") for gen_id, combo in zip(DRAFTS, COMBOS, strict=True)]
    for gen_id, parent in ESSAYS.items():
        template_id, model = ("as-is", "") if "copy" in gen_id else ("tell", "poet")
        generations.append(("essay", gen_id, parent, "", template_id, model))
        generations.append(("evaluation", gen_id.replace("e_", "v_"), gen_id, "", "rigor", "critic"))
    if original.dialect == NOW:
        header, rows = "stage,gen_id", [row[:2] for row in generations]
        write(original.spec, SPEC)
        write(original.spec.with_name("items") / "essays.csv", "essay_template\ntell\nas-is\n")
    else:
        header = "stage,gen_id,cohort_id,parent_gen_id,combo_id,template_id,llm_model_id"
        rows = [(*row[:2], COHORT, *row[2:]) for row in generations]
    write(original.membership, "\n".join([header, *(",".join(row) for row in rows)]) + "\n")

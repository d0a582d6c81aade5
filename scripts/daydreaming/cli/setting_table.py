"""What holds for one generation, as a table: each setting, its value, and the place that says it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from daydreaming.base.terminal_tables import table_text
from daydreaming.generation.specification import CallSpecification
from daydreaming.generation.study import Study
from daydreaming.inputs.records import SettingValue
from daydreaming.inputs.setting_models import BODY_SETTINGS
from daydreaming.inputs.templates import template_name

_ASKED = ("temperature", "max_tokens", "output_limit_parameter", "seed", *BODY_SETTINGS)
_READ = ("min_lines", "parser", "score_min", "score_max")
_SHOWN = 60
_NOWHERE = "nowhere"
_ORDER = "A later one wins: stage, endpoint, model, template table, front matter."


def settings_text(study: Study, stage: str, gen_id: str) -> str:
    """Return the settings of a generation in lines of text; a copy has none.

    Raises InputError when the generation is not in the cohort.
    """
    specification = study.specification(stage, gen_id)
    head = f"{stage} {gen_id}: template {template_name(specification.template)}"
    if not isinstance(specification, CallSpecification):
        return f"{head}. A copy: no model is asked, and no setting holds."
    about = f"{head}, model {specification.llm_model_id} ({specification.model}) at {specification.endpoint}."
    rows = [(name, _value(one), one.place if one else _NOWHERE) for name, one in _rows(specification)]
    return "\n".join([about, "", table_text(["setting", "value", "from"], rows), "", _ORDER])


def _rows(specification: CallSpecification) -> Iterator[tuple[str, SettingValue | None]]:
    found = specification.settings
    bodies = [name for name in found if name.startswith("extra_body.")]
    rubric = specification.definition.makes == "score"
    for name in (*_ASKED, *bodies, "context_length", *(_READ if rubric else _READ[:2])):
        yield name, found.get(name)
    is_default = rubric and not {"score_min", "score_max"} <= found.keys()
    if is_default:
        yield "scale", SettingValue(str(specification.template.scale), "the usual one, where nothing else is said")


def _value(one: SettingValue | None) -> str:
    """A value as YAML and JSON write it, on one line."""
    if one is None or one.value is None:
        return "not set"
    value: Any = one.value
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}... ({len(text):,} characters)"

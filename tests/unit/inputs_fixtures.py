"""A small project folder whose inputs are fine, for tests that then make one thing wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from daydreaming.base.errors import Fault, InputError
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.inputs.records import Model
from daydreaming.inputs.resolved_settings import resolved_settings
from daydreaming.inputs.setting_models import StageSettings
from daydreaming.inputs.settings import Settings

CONCEPTS = "concept_id,name,active\ntide,Tides,true\nloom,Looms,true\nmoss,Mosses,true\nsalt,Salt,false\n"
DRAFTS = "template_id,template_name,generator,parser,active\nplain,Plain,llm,essay_block,true\nold,Old,llm,,false\n"
ESSAYS = "template_id,generator,active\npass,copy,true\nwrite,llm,true\n"
EVALUATIONS = "template_id,generator,parser,active\nrubric,llm,in_last_line,true\n"
MODELS = (
    "id,model,provider,display_name,for_generation,for_evaluation,endpoint,usd_per_mtok_in,usd_per_mtok_out\n"
    "writer,acme/writer,acme,Writer,true,false,,0.5,1.5\n"
    "judge,acme/judge,acme,Judge,no,YES,embedded,,\n"
)
TEXTS = {
    "generation_templates/draft/plain.txt": "{% for c in concepts %}{{ c.name }}: {{ c.content }}\n{% endfor %}",
    "generation_templates/essay/pass.txt": "{{ draft_block }}",
    "generation_templates/essay/write.txt": "Write about {{ links_block }}.\n",
    "evaluation_templates/rubric.txt": "Judge this: {{ response }}\n",
    "concepts/descriptions-paragraph/tide.txt": "Tides rise and fall.\n",
    "concepts/descriptions-paragraph/loom.txt": "Looms weave.\n",
    "concepts/descriptions-paragraph/moss.txt": "Mosses creep.\n",
}
COMBO_HEADER = "combo_id,version,concept_id,description_level,k_max,created_at\n"
RAW = Path("data/1_raw")


def write(path: Path | str, text: str | bytes) -> Path:
    """Write a file of the project, folders included."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def make_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `folder` the current one and fill it with inputs that are fine."""
    monkeypatch.chdir(folder)
    tables = {"concepts_metadata": CONCEPTS, "llm_models": MODELS}
    tables |= {"draft_templates": DRAFTS, "essay_templates": ESSAYS, "evaluation_templates": EVALUATIONS}
    for name, text in tables.items():
        write(RAW / f"{name}.csv", text)
    for name, text in TEXTS.items():
        write(RAW / name, text)


def settings_with(**config: object) -> Settings:
    """Return settings with the given keys, all others as they are by default."""
    return settings_from_config(config)


def fault_of(config: dict[str, Any]) -> Fault:
    """The one fault of a configuration."""
    with pytest.raises(InputError) as caught:
        settings_from_config(config, source="study.yaml")
    (fault,) = caught.value.faults
    return fault


def model_at(endpoint: str | None, model_id: str = "writer") -> Model:
    """A model that is asked at an endpoint."""
    return Model(model_id, f"acme/{model_id}", "acme", "", for_generation=True, for_evaluation=True, endpoint=endpoint)


def sampling(settings: Settings, stage: str, endpoint: str) -> StageSettings:
    """How a stage is sampled at an endpoint."""
    return resolved_settings(settings, stage, model_at(endpoint)).sampling

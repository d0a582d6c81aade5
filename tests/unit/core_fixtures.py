"""Values that the tests of the core start from, each with everything set that a test does not care about."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from daydreaming.base.paths import DataPaths
from daydreaming.generation.specification import CallSpecification, ConceptText, CopySpecification
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.inputs.records import Template
from daydreaming.inputs.setting_models import StageSettings
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.stages import DEFAULT_STAGES, ESSAY
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.received import Reply

KEY_ENV = "DAYDREAMING_TEST_KEY"
KEY = "test-key"
DRAFT_REPLY = "One idea.\nAnother idea.\nA third one."


def request(**changes: Any) -> ModelRequest:
    """A small request with everything set."""
    values = {
        "answerer": "http://127.0.0.1:1/v1",
        "model": "acme/writer",
        "messages": ({"role": "user", "content": "Write about tides."},),
        "temperature": 0.7,
        "max_tokens": 100,
        "seed": 1,
        "extra_body": {"top_p": 0.9},
    }
    return ModelRequest(**{**values, **changes})


def reply(name: str = "0" * 64, **changes: Any) -> Reply:
    """A normal reply to the request of that name."""
    values = {
        "text": DRAFT_REPLY,
        "finish_reason": "stop",
        "refusal": None,
        "usage": {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30},
        "cost_usd": 0.01,
        "served_model": "acme/writer-2",
        "request_id": "r-1",
        "started_at": 100.0,
        "finished_at": 101.0,
    }
    return Reply(request_sha256=name, **{**values, **changes})


def settings_for(base_url: str, endpoint: dict[str, Any] | None = None, **config: Any) -> Settings:
    """Settings whose default endpoint is at `base_url`, is called `scripted`, has no key, and tries no call twice."""
    scripted = {"base_url": base_url, "max_retries": 0, **(endpoint or {})}
    name = scripted.pop("name", "scripted")
    return settings_from_config({"default_endpoint": name, "endpoints": {name: scripted}, **config})


def template(stage: str, content: str, parser: str | None = None, generator: str = "llm") -> Template:
    """A template whose text is in the catalog."""
    return Template(stage, f"{stage}-template", generator, parser, active=True, path=None, content=content)


def specification(stage: str = "draft", **changes: Any) -> CallSpecification:
    """A generation of a stage with inline template; `sampling`, `base_url` and all fields can be given."""
    base_url = changes.pop("base_url", "http://127.0.0.1:1/v1")
    texts = {"draft": "Write. {% for c in concepts %}{{ c.name }}: {{ c.content }}{% endfor %}"}
    texts |= {"essay": "Expand this: {{ links_block }}", "evaluation": "Judge with SCORE: {{ response }}"}
    values = {
        "stage": stage,
        "gen_id": f"{stage}-1",
        "cohort_id": "cohort",
        "parent_gen_id": "" if stage == "draft" else "parent-1",
        "combo_id": "combo-1" if stage == "draft" else "",
        "llm_model_id": "writer",
        "replicate": 1,
        "template": template(stage, texts[stage], "in_last_line" if stage == "evaluation" else None),
        "template_digest": "t1",
        "definition": DEFAULT_STAGES[stage],
        "parser": "in_last_line" if stage == "evaluation" else None,
        "parser_digest": "p1",
        "parent": {"draft": None, "essay": ("draft", "parent-1"), "evaluation": ("essay", "parent-1")}[stage],
        "concepts": (),
        "model": "acme/writer",
        "endpoint": "scripted",
        "answerer": base_url,
        "sampling": StageSettings(temperature=0.5, max_tokens=1000),
        "prices": (1.0, 2.0),
    }
    return CallSpecification(**{**values, **changes})


def copy_of_draft(**changes: Any) -> CopySpecification:
    """An essay that passes its draft through."""
    values = {
        "stage": "essay",
        "gen_id": "essay-1",
        "cohort_id": "cohort",
        "parent_gen_id": "parent-1",
        "combo_id": "",
        "llm_model_id": "writer",
        "replicate": 1,
        "template": template("essay", "{{ draft_block }}", generator="copy"),
        "template_digest": "t1",
        "definition": ESSAY,
        "parent": ("draft", "parent-1"),
    }
    return CopySpecification(**{**values, **changes})


def concept(folder: Path, text: str = "Tides rise and fall.") -> ConceptText:
    """A concept whose description is in `folder`."""
    path = folder / "tide.txt"
    path.write_text(text, encoding="utf-8")
    return ConceptText("tide", "Tides", path, "c1")


def write_parent(root: Path, stage: str, text: str) -> Path:
    """Write the parsed text that `specification` names as its parent, below a data root."""
    path = DataPaths(root).generation(stage, "parent-1").parsed
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a Python process of our own; it says what it did on standard output."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def set_age(path: Path, seconds: float) -> None:
    """Let a file look as if it had been written so long ago."""
    moment = time.time() - seconds
    os.utime(path, (moment, moment))

"""A data folder in which generations are made by the real runner and the scripted provider."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from core_fixtures import settings_for, specification, write_parent

from daydreaming.base.errors import GenerationError
from daydreaming.generation.outcome import Outcome
from daydreaming.generation.runner import Runner
from daydreaming.generation.specification import CallSpecification, Specification
from daydreaming.ledger.journal import read_events
from provider import Provider


class Project:
    """A data folder, and a runner on it for every generation, as every run of the workflow has its own."""

    def __init__(self, folder: Path, provider: Provider):
        self.base_url = provider.base_url
        self.root = folder / "data"
        write_parent(self.root, "draft", "The draft.\r\n")
        write_parent(self.root, "essay", "The essay.")

    def specification(self, stage: str = "draft", **changes: Any) -> CallSpecification:
        return specification(stage, base_url=self.base_url, **changes)

    def run(self, made: Specification, *, options: dict[str, bool] | None = None, **config: Any) -> Outcome:
        runner = Runner(settings_for(self.base_url, config.pop("endpoint", None), data_root=str(self.root), **config))
        try:
            return runner.run(made, **(options or {}))
        finally:
            runner.close()

    def failure(self, made: Specification, **config: Any) -> GenerationError:
        with pytest.raises(GenerationError) as caught:
            self.run(made, **config)
        return caught.value

    def text(self, made: Specification, name: str) -> str | None:
        path = self.root / "gens" / made.stage / made.gen_id / f"{name}.txt"
        return path.read_bytes().decode() if path.exists() else None

    def metadata(self, made: Specification) -> dict[str, Any]:
        return json.loads((self.root / "gens" / made.stage / made.gen_id / "metadata.json").read_text())

    def stored(self) -> list[Path]:
        return sorted((self.root / "replies").glob("??/*.json"))

    def results(self) -> list[str]:
        events = read_events(self.root / "cohorts" / "cohort" / "journal.jsonl")
        return [event["result"] for event in events if event["event"] == "generation"]

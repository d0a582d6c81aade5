"""What a generation is, as a run finds it, and texts of another program in its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runner_fixtures import Project

from daydreaming.base.paths import DataPaths
from daydreaming.generation.currency import Currency, Finding, ParentText, look, parent_made_at, parsed_text
from daydreaming.generation.prompting import Prompter
from daydreaming.generation.specification import Specification
from daydreaming.generation.store import text_sha256


def find(project: Project, specification: Specification, **options: Any) -> Finding:
    """What a generation is, as a run finds it."""
    paths, parent = DataPaths(project.root), specification.parent
    texts = []
    if parent is not None:
        content = parsed_text(paths, *parent)
        texts.append(ParentText(text_sha256(content), lambda: content, lambda: parent_made_at(paths, parent)))
    now = Prompter().sources(specification).specification
    return Currency(paths, Prompter(), **options).find(now, look(paths, specification.key), texts)


def folder_of(project: Project, specification: Specification) -> Path:
    return project.root / "gens" / specification.stage / specification.gen_id


def foreign(
    project: Project, made: Specification, text: str = "A foreign text.\nof\nthree lines", **record: Any
) -> Path:
    """Texts of another program in the folder of a generation, and a record if there is anything to say."""
    folder = folder_of(project, made)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "parsed.txt").write_text(text)
    if record:
        (folder / "metadata.json").write_text(json.dumps({"template_id": made.template.template_id, **record}))
    return folder

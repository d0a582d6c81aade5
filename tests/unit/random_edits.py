"""What may happen to the files of a study while nothing runs; each edit changes one, which `draw` picks."""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Callable

from daydreaming.inputs.records import Generation
from studies import Study


def pick(study: Study, draw: random.Random, *stages: str) -> Generation:
    rows = [row for stage in stages or ("draft", "essay", "evaluation") for row in study.rows(stage)]
    return draw.choice(rows)


def edit_parsed(study: Study, draw: random.Random) -> None:
    parsed = study.files(pick(study, draw)).parsed
    if parsed.parent.is_dir():
        parsed.write_text(draw.choice(["9.9", "Edited by hand.\n", ""]))


def edit_raw(study: Study, draw: random.Random) -> None:
    raw = study.files(pick(study, draw, "draft", "evaluation")).raw
    if raw.exists():
        raw.write_text("SCORE: 1\n")


def delete(name: str) -> Callable[[Study, random.Random], None]:
    def delete_it(study: Study, draw: random.Random) -> None:
        getattr(study.files(pick(study, draw)), name).unlink(missing_ok=True)

    return delete_it


def delete_folder(study: Study, draw: random.Random) -> None:
    shutil.rmtree(study.files(pick(study, draw)).folder, ignore_errors=True)


def damage_metadata(study: Study, draw: random.Random) -> None:
    metadata = study.files(pick(study, draw)).metadata
    if metadata.exists():
        content = metadata.read_bytes()
        metadata.write_bytes(draw.choice([b"", b"[]", content[: len(content) // 2], b'{"version": 2}', b"\xff"]))


def edit_record(study: Study, draw: random.Random) -> None:
    """Edit a figure of a record, or who answered, and leave its form as it was."""
    metadata = study.files(pick(study, draw)).metadata
    if metadata.exists():
        edits = [(r'"cost_usd": [^,]+', '"cost_usd": 9.0'), (r'"served_model": "', '"served_model": "x')]
        pattern, new = draw.choice(edits)
        metadata.write_text(re.sub(pattern, new, metadata.read_text(errors="replace"), count=1))


def exchange_metadata(study: Study, draw: random.Random) -> None:
    one, other = (study.files(pick(study, draw, "essay")).metadata for _ in range(2))
    if one.exists() and other.exists():
        shutil.copyfile(one, other) if one != other else None


def edit_template(study: Study, draw: random.Random) -> None:
    row = pick(study, draw)
    template = study.template(row.stage, row.template_id)
    moment = template.stat().st_mtime
    template.write_text(template.read_text() + "More.\n")
    os.utime(template, (moment, moment))


def revert_templates(study: Study, draw: random.Random) -> None:
    for row in [*study.rows("draft"), *study.rows("essay"), *study.rows("evaluation")]:
        template = study.template(row.stage, row.template_id)
        template.write_text(template.read_text().replace("More.\n", ""))


def edit_concept(study: Study, draw: random.Random) -> None:
    study.write("1_raw/concepts/descriptions-paragraph/tides.txt", draw.choice(["They rise.", "They fall."]))


def change_setting(study: Study, draw: random.Random) -> None:
    study.configure(stages={draw.choice(["draft", "evaluation"]): {"temperature": draw.choice([0.1, 0.2])}})


def change_model(study: Study, draw: random.Random) -> None:
    old, new = draw.choice([("lab/writer", "lab/poet"), ("lab/poet", "lab/writer"), ("lab/judge", "lab/critic")])
    table = study.data / "1_raw/llm_models.csv"
    table.write_text(table.read_text().replace(old, new))


def change_parser(study: Study, draw: random.Random) -> None:
    table = study.data / "1_raw/draft_templates.csv"
    text = table.read_text()
    table.write_text(text.replace("essay_block", "identity") if "essay_block" in text else text)


def delete_some_replies(study: Study, draw: random.Random) -> None:
    for reply in sorted(study.paths.replies.glob("??/*.json")):
        if draw.random() < 0.3:
            reply.unlink()


def move_times(study: Study, draw: random.Random) -> None:
    for path in study.paths.gens.rglob("*.txt"):
        moment = draw.uniform(1e9, 2e9)
        os.utime(path, (moment, moment))


EDITS = [
    edit_parsed, edit_raw, delete("parsed"), delete("metadata"), delete("raw"), delete_folder, damage_metadata,
    edit_record, exchange_metadata, edit_template, revert_templates, edit_concept, change_setting, change_model,
    change_parser, delete_some_replies, move_times,
]  # fmt: skip

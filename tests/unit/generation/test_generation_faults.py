"""What goes wrong inside ends as one failed generation; what a copy, a look and a template's edit do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from core_fixtures import copy_of_draft, settings_for, template, write_parent
from currency_fixtures import find, folder_of, foreign
from runner_fixtures import Project

from daydreaming.base.errors import GenerationError
from daydreaming.generation.currency import ParentText, State, look
from daydreaming.generation.prompting import Prompter
from daydreaming.generation.specification import Specification
from daydreaming.generation.store import text_sha256
from daydreaming.generation.work import Workbench
from daydreaming.inputs.setting_models import StageSettings
from daydreaming.ledger.replies import ReplyStore
from provider import Provider, faults


def test_a_folder_in_the_place_of_the_text_is_one_failed_generation(project: Project, provider: Provider):
    made = project.specification()
    (folder_of(project, made) / "parsed.txt").mkdir(parents=True)
    failure = project.failure(made)
    assert failure.kind == "storage"
    assert failure.message.endswith("parsed.txt cannot be read (Is a directory): move it away.")
    assert [path.name for path in folder_of(project, made).iterdir()] == ["parsed.txt"]
    assert (find(project, made).state, provider.calls) == (State.MISSING, 0)


def test_a_raw_txt_that_is_not_utf8_is_no_reply_and_is_kept(project: Project, provider: Provider):
    made = project.specification()
    project.run(made)
    folder = folder_of(project, made)
    (folder / "raw.txt").write_bytes(b"caf\xff")
    (folder / "parsed.txt").unlink()
    project.stored()[0].unlink()
    project.run(made)
    assert provider.calls == 2
    (kept,) = project.root.glob("replies/adopted/draft/draft-1/*.json")
    assert json.loads(kept.read_text())["files"]["raw.txt"] == {"base64": "Y2Fm/w=="}


def digests(project: Project, made: Specification) -> dict[str, str | None]:
    """The digests that the record has of prompt.txt, raw.txt and parsed.txt."""
    return {name: project.metadata(made)[f"{name}_sha256"] for name in ("prompt", "raw", "parsed")}


def on_the_disk(project: Project, made: Specification) -> dict[str, str | None]:
    texts = {name: project.text(made, name) for name in ("prompt", "raw", "parsed")}
    return {name: None if text is None else text_sha256(text) for name, text in texts.items()}


def test_the_record_has_the_digests_of_what_was_written(project: Project, provider: Provider):
    made, copy = project.specification("evaluation"), copy_of_draft()
    for one in (made, copy):
        project.run(one)
        assert digests(project, one) == on_the_disk(project, one)
    assert digests(project, copy)["raw"] is None
    provider.script([faults.reply_content("No number.")])
    changed = replace(made, template=template("evaluation", "Say it: {{ response }}"))
    assert project.failure(changed).kind == "parse"
    reported = digests(project, changed)
    assert (reported, reported["parsed"]) == (on_the_disk(project, changed), None)
    assert project.failure(replace(changed, template=template("evaluation", "{{ nothing }}"))).kind == "template"
    assert (digests(project, changed)["raw"], project.text(changed, "parsed")) == (reported["raw"], None)
    assert on_the_disk(project, changed)["raw"] == reported["raw"]
    assert project.failure(replace(changed, model="acme/poet"), offline=True).kind == "offline"
    assert digests(project, changed) == on_the_disk(project, changed)


def test_numbers_that_no_request_can_hold_end_as_one_failed_generation(project: Project):
    settings = StageSettings.model_construct(
        temperature=None, max_tokens=10**20, min_lines=None, seed=None, extra_body={}
    )
    failure = project.failure(project.specification(sampling=settings))
    assert failure.kind in ("internal", "storage")


def test_an_edited_text_of_the_template_is_rendered_under_its_own_digest(project: Project, tmp_path: Path):
    path = tmp_path / "template.txt"
    path.write_text("Write of tides.")
    made = project.specification(template=replace(template("draft", ""), content=None, path=str(path)))
    made = Prompter().sources(made).specification
    path.write_text("Write of maps.")
    project.run(made)
    assert project.text(made, "prompt") == "Write of maps."
    assert find(project, made).state is State.CURRENT
    path.write_text("Write of tides.")
    assert find(project, made).state is State.OUT_OF_DATE


def test_a_copy_is_current_as_long_as_it_is_its_parent(project: Project):
    made = copy_of_draft()
    project.run(made)
    assert find(project, made).state is State.CURRENT
    write_parent(project.root, "draft", "Another draft.")
    assert find(project, made).reason == "the text of its parent, draft parent-1, changed"
    project.run(made)
    (folder_of(project, made) / "parsed.txt").write_text("edited")
    assert find(project, made).state is State.EDITED
    project.run(made)
    assert project.text(made, "parsed") == "Another draft."


def test_render_only_leaves_texts_of_others(project: Project):
    made = project.specification("essay")
    folder = foreign(project, made)
    project.run(made, options={"render_only": True})
    assert (folder / "parsed.txt").read_text().startswith("A foreign")
    assert not (folder / "metadata.json").exists()


def test_a_record_of_another_program_stays_though_there_is_no_text(project: Project, provider: Provider):
    made = project.specification("essay")
    record = folder_of(project, made) / "metadata.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"template_id": "another"}')
    assert project.failure(made).kind == "conflict"
    assert (record.read_text(), list(record.parent.iterdir())) == ('{"template_id": "another"}', [record])
    assert provider.calls == 0


def test_where_nothing_is_a_failure_is_written_down_though_nobody_could_say_what_was_to_be_made(project: Project):
    made = project.specification("essay", parent=("draft", "unknown"), parent_gen_id="unknown")
    assert project.failure(made).kind == project.metadata(made)["error"] == "parent"


def test_the_record_of_an_adopted_text_that_is_gone_stays_while_it_waits(project: Project, provider: Provider):
    made = project.specification("essay")
    parsed = foreign(project, made) / "parsed.txt"
    project.run(made)
    for path in [parsed, *project.root.glob("replies/adopted/essay/essay-1/*.json")]:
        path.unlink()
    record = parsed.with_name("metadata.json")
    before = record.read_bytes()
    changed = replace(made, template=template("essay", "Another: {{ links_block }}"), template_digest="t2")
    assert project.failure(changed).kind == "waiting"
    assert (record.read_bytes(), provider.calls) == (before, 0)


def test_the_workbench_knows_what_the_user_said(project: Project):
    settings = settings_for(project.base_url, data_root=str(project.root), remake_adopted=True)
    bench = Workbench.for_run(settings, ReplyStore(settings.paths))
    made = project.specification("essay")
    foreign(project, made)
    finding = bench.currency.find(
        Prompter().sources(made).specification, look(settings.paths, made.key), [ParentText("x", str)]
    )
    assert (finding.state, finding.adopted) == (State.OUT_OF_DATE, False)


@pytest.mark.parametrize("part", [{"usage": None}, {"usage": [1]}, {"text": 5}, {"finish_reason": {}}])
def test_a_stored_reply_of_wrong_types_ends_as_one_failed_generation(
    project: Project, provider: Provider, part: dict[str, Any]
):
    made = project.specification()
    project.run(made)
    (stored,) = project.stored()
    values = json.loads(stored.read_text())
    values["reply"].update(part)
    stored.write_text(json.dumps(values))
    (folder_of(project, made) / "parsed.txt").unlink()
    try:
        project.run(made)
    except GenerationError as failure:
        assert project.metadata(made)["error"] == failure.kind
    assert provider.calls == 1
    assert project.results()[0] == "made"
    assert len(project.results()) == 2

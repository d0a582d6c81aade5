"""Texts that no run of ours made: adopted, waiting for the user, never lost on any path."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from core_fixtures import template, write_parent
from currency_fixtures import find, folder_of, foreign
from runner_fixtures import Project

from daydreaming.base.errors import GenerationError
from daydreaming.generation.currency import Finding, State
from daydreaming.generation.store import text_sha256
from daydreaming.inputs.setting_models import StageSettings
from provider import Provider


@pytest.mark.parametrize("record", [{}, {"model_id": "writer", "error": "none", "skip_llm": False}])
@pytest.mark.parametrize("options", [{}, {"overwrite": True}])
@pytest.mark.parametrize("config", [{}, {"offline": True}])
def test_foreign_texts_are_adopted_and_stay(
    project: Project, provider: Provider, record: dict[str, Any], options: dict[str, bool], config: dict[str, Any]
):
    made = project.specification("essay")
    folder = foreign(project, made, **record)
    finding = find(project, made)
    assert (finding.state, finding.adopted) == (State.ADOPTED, True)
    project.run(made, options=options, **config)
    assert (folder / "parsed.txt").read_text() == "A foreign text.\nof\nthree lines"
    assert project.metadata(made)["adopted"] is True
    assert len(list(project.root.glob("replies/adopted/essay/essay-1/*.json"))) == 1
    assert (provider.calls, project.results()) == (0, ["kept"])
    project.run(made, options=options, **config)
    assert find(project, made).state is State.ADOPTED
    assert provider.calls == 0


@pytest.mark.parametrize(
    "change",
    [
        {"template": template("essay", "Other: {{ links_block }}")},
        {"model": "acme/poet"},
        {"replicate": 2},
    ],
    ids=str,
)
def test_a_change_after_adoption_waits_for_the_user(project: Project, provider: Provider, change: dict[str, Any]):
    made = project.specification("essay")
    folder = foreign(project, made)
    project.run(made)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    changed = replace(made, **change)
    assert find(project, changed).state is State.WAITING
    failure = project.failure(changed)
    assert failure.kind == "waiting"
    assert "remake_adopted" in failure.message
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    project.run(changed, remake_adopted=True)
    assert (provider.calls, find(project, changed).state) == (1, State.CURRENT)
    project.run(changed, remake_adopted=True)
    assert provider.calls == 1, "it was made again once"
    kept = [json.loads(path.read_text()) for path in project.root.glob("replies/adopted/essay/essay-1/*.json")]
    assert {one["files"]["parsed.txt"]["text"] for one in kept} == {"A foreign text.\nof\nthree lines"}


def test_how_a_model_is_asked_does_not_concern_an_adopted_text(project: Project):
    made = project.specification("essay")
    foreign(project, made)
    project.run(made)
    asked_otherwise = replace(made, sampling=StageSettings(temperature=1.0), parser_digest="p9")
    assert find(project, asked_otherwise).state is State.ADOPTED


def test_another_parent_text_waits_for_the_user(project: Project):
    made = project.specification("evaluation")
    foreign(project, made, "7.0")
    project.run(made)
    write_parent(project.root, "essay", "Another essay.")
    assert find(project, made).state is State.WAITING
    assert project.failure(made).kind == "waiting"


def test_an_adopted_score_waits_when_its_rubric_gets_another_scale(project: Project, provider: Provider):
    made = project.specification("evaluation")
    folder = foreign(project, made, "4.0")
    project.run(made)
    record = json.loads((folder / "metadata.json").read_text())
    assert (record["score_min"], record["score_max"], record["adopted"]) == (0.0, 10.0, True)
    stars = replace(made, template=replace(made.template, score_max=5.0))
    assert find(project, stars).state is State.WAITING
    assert find(project, stars).reason == "score_max is 5, was not set"
    assert find(project, replace(made, template=replace(made.template, score_key="n"))).state is State.ADOPTED
    assert provider.calls == 0


def test_an_adopted_text_that_was_edited_or_deleted_is_put_back(project: Project, provider: Provider):
    made = project.specification("evaluation")
    parsed = foreign(project, made, "7.0") / "parsed.txt"
    project.run(made)
    parsed.write_text("9.0")
    assert (find(project, made).state, find(project, made).adopted) == (State.EDITED, True)
    project.run(made)
    assert parsed.read_text() == "7.0"
    parsed.unlink()
    project.run(made)
    assert (parsed.read_text(), provider.calls) == ("7.0", 0)


def test_what_the_record_of_another_program_says_of_how_it_went_stays(project: Project):
    made = project.specification("evaluation")
    said = {
        "template_sha1": "0" * 40,
        "started_at": 100.0,
        "finished_at": 102.5,
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        "served_model": "acme/judge-2",
        "score_as_written": "7/10",
        "imported_from": "elsewhere",
    }
    folder = foreign(project, made, "7.0", error="none", **said)
    for name in ("raw.txt", "prompt.txt"):
        (folder / name).write_text(name)
    project.run(made)
    record = project.metadata(made)
    assert {name: record[name] for name in said} == said
    assert (record["duration_s"], record["adopted"], record["error"]) == (2.5, True, "none")
    assert (record["raw_sha256"], record["parsed_sha256"]) == (text_sha256("raw.txt"), text_sha256("7.0"))
    assert {name: Path(path).name for name, path in record["files"].items()} == {
        "prompt": "prompt.txt",
        "raw": "raw.txt",
        "parsed": "parsed.txt",
    }


def test_when_nobody_says_when_it_was_made_its_file_does(project: Project):
    made = project.specification("evaluation")
    folder = foreign(project, made, "7.0")
    os.utime(folder / "parsed.txt", (1000.0, 1000.0))
    project.run(made)
    record = project.metadata(made)
    assert (record["started_at"], record["finished_at"], record["duration_s"]) == (1000.0, 1000.0, 0.0)
    assert (record["files"]["prompt"], record["files"]["raw"]) == (None, None)


def test_a_missing_text_is_read_from_raw_txt(project: Project, provider: Provider):
    made = project.specification("evaluation")
    folder = foreign(project, made, "7.0")
    (folder / "parsed.txt").unlink()
    (folder / "raw.txt").write_text("Well.\nSCORE: 6\n")
    project.run(made)
    assert (project.text(made, "parsed"), provider.calls) == ("6.0", 0)
    assert find(project, made).state is State.ADOPTED


def test_a_raw_txt_that_cannot_be_read_fails_and_stays(project: Project, provider: Provider):
    made = project.specification("evaluation")
    folder = folder_of(project, made)
    folder.mkdir(parents=True)
    for content in (b"No number.", b"caf\xff"):
        (folder / "raw.txt").write_bytes(content)
        assert project.failure(made).kind in ("parse", "edited")
        assert [path.name for path in folder.iterdir()] == ["raw.txt"]
        assert (folder / "raw.txt").read_bytes() == content
    assert provider.calls == 0


def test_a_record_of_another_row_is_a_conflict_that_names_both(project: Project, provider: Provider):
    made = project.specification("essay")
    folder = foreign(project, made, model_id="poet")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert find(project, made).state is State.CONFLICT
    failure = project.failure(made)
    assert failure.kind == "conflict"
    assert "'poet'" in failure.message
    assert "'writer'" in failure.message
    assert ({path.name: path.read_bytes() for path in folder.iterdir()}, provider.calls) == (before, 0)


def test_a_foreign_failure_is_no_score_and_its_text_stays(project: Project, provider: Provider):
    made = project.specification("evaluation")
    folder = foreign(project, made, "7.0", error="api")
    finding = find(project, made)
    assert (finding.state, finding.waits) == (State.WAITING, True)
    project.failure(made)
    assert ((folder / "parsed.txt").read_text(), provider.calls) == ("7.0", 0)


def test_a_foreign_failure_without_a_text_is_tried_like_any_other(project: Project, provider: Provider):
    made = project.specification("evaluation")
    folder = foreign(project, made, "7.0", error="api")
    (folder / "parsed.txt").unlink()
    assert find(project, made) == Finding(State.FAILED, "it failed last time (api)")
    project.run(made)
    assert (provider.calls, find(project, made).state) == (1, State.CURRENT)


def test_a_text_is_not_adopted_under_a_parent_that_was_made_after_it(project: Project):
    parent = project.specification("draft", gen_id="parent-1")
    made = project.specification("essay")
    parsed = foreign(project, made) / "parsed.txt"
    os.utime(parsed, (1e9, 1e9))
    project.run(parent, options={"overwrite": True}, remake_adopted=True)
    assert find(project, made).state is State.WAITING
    failure = project.failure(made)
    assert (failure.kind, list(parsed.parent.iterdir())) == ("waiting", [parsed])
    assert "its parent was made after it" in failure.message


@pytest.mark.parametrize("is_adopted", [True, False])
def test_when_another_program_made_a_parent_says_nothing(project: Project, is_adopted: bool):
    parent, made = project.specification("draft", gen_id="parent-1"), project.specification("essay")
    foreign(project, parent, error="none", finished_at=4e9)
    foreign(project, made)
    if is_adopted:
        project.run(parent)
        assert project.metadata(parent)["adopted"] is True
    assert find(project, made).state is State.ADOPTED


def test_a_template_that_does_not_render_leaves_an_adopted_text(project: Project):
    made = project.specification("essay", template=template("essay", "{{ nothing }}"))
    folder = foreign(project, made)
    project.run(made)
    assert (folder / "parsed.txt").read_text().startswith("A foreign")
    missing = replace(made, template=replace(made.template, content=None, path="not/there.txt"))
    assert project.failure(missing).kind == "template"
    assert (folder / "parsed.txt").read_text().startswith("A foreign")


def test_a_damaged_record_that_nobody_can_attribute_waits(project: Project, provider: Provider):
    made = project.specification("essay")
    folder = foreign(project, made)
    (folder / "metadata.json").write_text("{")
    finding = find(project, made)
    assert (finding.state, finding.waits) == (State.WAITING, True)
    assert "delete metadata.json to adopt it" in finding.reason
    assert project.failure(made).kind == "waiting"
    (folder / "metadata.json").unlink()
    project.run(made)
    assert (find(project, made).state, provider.calls) == (State.ADOPTED, 0)


PATHS: dict[str, tuple[dict[str, Any], dict[str, bool], dict[str, Any]]] = {
    "run": ({}, {}, {}),
    "offline": ({}, {}, {"offline": True}),
    "changed template": ({"template": template("evaluation", "SCORE: {{ response }}!")}, {}, {}),
    "template that does not render": ({"template": template("evaluation", "{{ nothing }}")}, {}, {}),
    "changed template, offline": (
        {"template": template("evaluation", "SCORE: {{ response }}!")},
        {},
        {"offline": True},
    ),
    "other model": ({"model": "acme/poet"}, {}, {}),
    "failed parse": ({"template": template("evaluation", "Say nothing. {{ response }}")}, {}, {}),
    "budget": ({"model": "acme/poet"}, {}, {"budget_calls": 0}),
    "overwrite": ({}, {"overwrite": True}, {}),
    "render only": ({}, {"render_only": True}, {}),
    "made again": ({}, {}, {"remake_adopted": True}),
    "made again, offline": ({}, {}, {"remake_adopted": True, "offline": True}),
    "made again, overwrite": ({}, {"overwrite": True}, {"remake_adopted": True}),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", ["foreign", "foreign record", "ours, edited", "ours, reply deleted", "damaged"])
def test_no_path_loses_a_text(project: Project, path: str, origin: str):
    changes, options, config = PATHS[path]
    made = project.specification("evaluation")
    folder = folder_of(project, made)
    if origin.startswith("foreign"):
        foreign(project, made, "6.5", **({"error": "none"} if origin == "foreign record" else {}))
        (folder / "raw.txt").write_text("A foreign judgement.\nSCORE: 6.5")
    else:
        project.run(made)
        if origin != "ours, edited":
            project.stored()[0].unlink()
        if origin == "ours, edited":
            (folder / "parsed.txt").write_text("9.9")
            (folder / "raw.txt").write_text("Edited.\nSCORE: 9.9")
        if origin == "damaged":
            (folder / "metadata.json").write_text("[")
    texts = {(folder / name).read_text() for name in ("raw.txt", "parsed.txt")}
    with contextlib.suppress(GenerationError):
        project.run(replace(made, **changes), options=options, **config)
    assert texts <= everything_kept(project, folder)


def everything_kept(project: Project, folder: Path) -> set[str]:
    """All texts in the folder, in stored replies (with their scores), and in what was kept aside."""
    texts = {path.read_text() for path in folder.glob("*.txt")}
    for path in project.stored():
        text = json.loads(path.read_text())["reply"]["text"]
        texts |= {text, f"{float(text.rsplit('SCORE: ', 1)[-1])}" if "SCORE: " in text else ""}
    for path in project.root.glob("replies/adopted/*/*/*.json"):
        texts |= {one["text"] for one in json.loads(path.read_text())["files"].values()}
    return texts


def test_an_adopted_text_is_kept_again_where_its_copy_is_gone(project: Project, provider: Provider):
    made = project.specification("essay")
    folder = foreign(project, made)
    project.run(made)
    for copy in project.root.glob("replies/adopted/*/*/*.json"):
        copy.unlink()
    project.run(made, remake_adopted=True)
    assert provider.calls == 1
    assert "A foreign text.\nof\nthree lines" in everything_kept(project, folder)


def test_a_text_without_a_record_whose_reply_is_stored_is_ours_without_a_journal(project: Project, provider: Provider):
    made = project.specification()
    project.run(made)
    before = project.text(made, "parsed")
    (folder_of(project, made) / "metadata.json").unlink()
    (project.root / "cohorts/cohort/journal.jsonl").unlink()
    assert find(project, made).state is State.DAMAGED
    assert find(project, replace(made, model="acme/poet")).state is State.ADOPTED
    project.run(made)
    assert (project.text(made, "parsed"), provider.calls) == (before, 1)
    assert not project.metadata(made)["adopted"]

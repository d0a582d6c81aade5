"""What a generation is, by its record, its files and what is asked now; and what a run then does with it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from core_fixtures import copy_of_draft, settings_for, template, write_parent
from runner_fixtures import Project

from daydreaming.base.errors import GenerationError
from daydreaming.base.paths import DataPaths
from daydreaming.generation.currency import Currency, Finding, ParentText, State, look, parent_made_at, parsed_text
from daydreaming.generation.prompting import Prompter
from daydreaming.generation.specification import Specification
from daydreaming.generation.store import text_sha256
from daydreaming.generation.work import Workbench
from daydreaming.inputs.setting_models import StageSettings
from daydreaming.ledger.replies import ReplyStore
from provider import Provider, faults


def find(project: Project, specification: Specification, **options: Any) -> Finding:
    """What a generation is, as a run finds it."""
    paths, parent = DataPaths(project.root), specification.parent
    text = None
    if parent is not None:
        content = parsed_text(paths, *parent)
        text = ParentText(text_sha256(content), lambda: content, lambda: parent_made_at(paths, parent))
    now = Prompter().sources(specification).specification
    return Currency(paths, Prompter(), **options).find(now, look(paths, specification.key), text)


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


def test_what_was_made_from_what_is_asked_is_current_and_nothing_else_is(project: Project):
    made = project.specification("essay")
    assert (find(project, made).state, find(project, made).reason) == (
        State.MISSING,
        "new: nothing of it was made yet",
    )
    project.run(made)
    assert find(project, made) == Finding(State.CURRENT)
    for change, words in (
        ({"template": template("essay", "Other: {{ links_block }}")}, "changed"),
        ({"model": "acme/poet"}, "model is acme/poet"),
        ({"answerer": "http://elsewhere"}, "at http://elsewhere"),
        ({"sampling": StageSettings(temperature=0.6, max_tokens=1000)}, "temperature is 0.6, was 0.5"),
        ({"replicate": 2}, "replicate is 2, was 1"),
        ({"parser": "other"}, "parser is other"),
        ({"parser_digest": "p2"}, "the code of the parser"),
    ):
        finding = find(project, replace(made, **change))
        assert finding.state is State.OUT_OF_DATE
        assert words in finding.reason
    write_parent(project.root, "draft", "Another draft.")
    assert find(project, made).reason == "the text of its parent, draft parent-1, changed"


def test_times_of_files_say_nothing(project: Project):
    made = project.specification()
    project.run(made)
    for moment in (0, 4e9):
        for path in folder_of(project, made).iterdir():
            os.utime(path, (moment, moment))
        assert find(project, made).state is State.CURRENT


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda folder: (folder / "parsed.txt").write_text("9.9"), State.EDITED),
        (lambda folder: (folder / "parsed.txt").write_text(""), State.EDITED),
        (lambda folder: (folder / "parsed.txt").unlink(), State.MISSING),
        (lambda folder: (folder / "metadata.json").write_text(""), State.DAMAGED),
        (lambda folder: (folder / "metadata.json").write_text("[]"), State.DAMAGED),
        (lambda folder: (folder / "metadata.json").write_bytes(b"\xff"), State.DAMAGED),
        (lambda folder: (folder / "metadata.json").unlink(), State.DAMAGED),
        (lambda folder: edit_record(folder, request_sha256=7), State.DAMAGED),
        (lambda folder: edit_record(folder, started_at=None), State.DAMAGED),
        (lambda folder: edit_record(folder, usage=3), State.DAMAGED),
        (lambda folder: edit_record(folder, gen_id="another"), State.DAMAGED),
        (lambda folder: edit_record(folder, parsed_sha256=None), State.OUT_OF_DATE),
    ],
)
def test_what_is_spoilt_is_put_back_without_a_call(
    project: Project, provider: Provider, change: Callable[[Path], object], state: State
):
    made = project.specification()
    project.run(made)
    before = project.text(made, "parsed")
    change(folder_of(project, made))
    finding = find(project, made)
    assert (finding.state, finding.waits) == (state, False)
    assert finding.reason
    project.run(made)
    assert (project.text(made, "parsed"), find(project, made).state) == (before, State.CURRENT)
    assert (provider.calls, project.results()) == (1, ["made", "reused"])


def edit_record(folder: Path, **changes: Any) -> None:
    values = json.loads((folder / "metadata.json").read_text())
    (folder / "metadata.json").write_text(json.dumps({**values, **changes}))


def test_a_failure_is_a_failure_whatever_lies_beside_it(project: Project, provider: Provider):
    provider.script([faults.fault_empty()])
    made = project.specification()
    project.failure(made)
    (folder_of(project, made) / "parsed.txt").write_text("A text.")
    assert find(project, made).reason == "it failed last time (empty)"


def test_a_text_without_a_record_that_a_journal_names_is_ours_even_if_the_model_changed(
    project: Project, provider: Provider
):
    made = project.specification()
    project.run(made)
    (folder_of(project, made) / "metadata.json").unlink()
    other = replace(made, model="acme/poet")
    assert find(project, other).state is State.DAMAGED
    project.run(other)
    assert provider.calls == 2


def test_a_raw_text_that_a_killed_run_left_is_not_adopted_for_another_model(project: Project, provider: Provider):
    made = project.specification()
    project.run(made)
    for name in ("metadata.json", "parsed.txt"):
        (folder_of(project, made) / name).unlink()
    journal = project.root / "cohorts/cohort/journal.jsonl"
    lines = [line for line in journal.read_text().splitlines(keepends=True) if '"generation"' not in line]
    journal.write_text("".join(lines))
    assert find(project, replace(made, model="acme/poet")).state is State.DAMAGED


# Adopted -----------------------------------------------------------------------------------------------------------


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
    assert find(project, changed).state is State.ADOPTED_WAITING
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
    assert find(project, made).state is State.ADOPTED_WAITING
    assert project.failure(made).kind == "waiting"


def test_an_adopted_score_waits_when_its_rubric_gets_another_scale(project: Project, provider: Provider):
    made = project.specification("evaluation")
    folder = foreign(project, made, "4.0")
    project.run(made)
    record = json.loads((folder / "metadata.json").read_text())
    assert (record["score_min"], record["score_max"], record["adopted"]) == (0.0, 10.0, True)
    stars = replace(made, template=replace(made.template, score_max=5.0))
    assert find(project, stars).state is State.ADOPTED_WAITING
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
    assert (finding.state, finding.waits) == (State.FAILED, True)
    project.failure(made)
    assert ((folder / "parsed.txt").read_text(), provider.calls) == ("7.0", 0)


def test_a_text_is_not_adopted_under_a_parent_that_was_made_after_it(project: Project):
    parent = project.specification("draft", gen_id="parent-1")
    made = project.specification("essay")
    parsed = foreign(project, made) / "parsed.txt"
    os.utime(parsed, (1e9, 1e9))
    project.run(parent, options={"overwrite": True}, remake_adopted=True)
    assert find(project, made).state is State.ADOPTED_WAITING


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
    assert (finding.state, finding.waits) == (State.DAMAGED, True)
    assert "delete metadata.json to adopt it" in finding.reason
    assert project.failure(made).kind == "waiting"
    (folder / "metadata.json").unlink()
    project.run(made)
    assert (find(project, made).state, provider.calls) == (State.ADOPTED, 0)


# What goes wrong inside ends as one failed generation ---------------------------------------------------------------


def test_a_folder_in_the_place_of_the_text_is_one_failed_generation(project: Project, provider: Provider):
    made = project.specification()
    (folder_of(project, made) / "parsed.txt").mkdir(parents=True)
    failure = project.failure(made)
    assert failure.kind == "storage"
    assert "parsed.txt cannot be read (Is a directory): move it away" in failure.message
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


def test_the_workbench_knows_what_the_user_said(project: Project):
    settings = settings_for(project.base_url, data_root=str(project.root), remake_adopted=True)
    bench = Workbench.for_run(settings, ReplyStore(settings.paths))
    made = project.specification("essay")
    foreign(project, made)
    finding = bench.currency.find(
        Prompter().sources(made).specification, look(settings.paths, made.key), ParentText("x", str)
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


# No path loses a text ----------------------------------------------------------------------------------------------

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

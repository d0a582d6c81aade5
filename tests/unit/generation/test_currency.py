"""What a generation is, by its record, its files and what is asked now; and what a run then does with it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from core_fixtures import template, write_parent
from currency_fixtures import find, folder_of
from runner_fixtures import Project

from daydreaming.base.paths import DataPaths
from daydreaming.generation.currency import Finding, ParentText, State, digests_of, look
from daydreaming.inputs.setting_models import StageSettings
from daydreaming.ledger.metadata import encode_changed
from provider import Provider, faults


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
        (lambda folder: edit_figure(folder), State.DAMAGED),
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
    (folder / "metadata.json").write_bytes(encode_changed({**values, **changes}))


def edit_figure(folder: Path) -> None:
    """What a person does in an editor: the digest of the record stays."""
    text = (folder / "metadata.json").read_text()
    edited = re.sub(r'"total_tokens": \d+', '"total_tokens": 1', text)
    assert edited != text
    (folder / "metadata.json").write_text(edited)


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_all_of_a_text_counts(project: Project, size: int):
    made = project.specification()
    parsed = folder_of(project, made) / "parsed.txt"
    parsed.parent.mkdir(parents=True)
    content = bytes(position % 251 for position in range(size))
    parsed.write_bytes(content)
    assert look(DataPaths(project.root), made.key).parsed_sha256 == hashlib.sha256(content).hexdigest()


def test_a_text_that_cannot_be_opened_or_read_is_a_finding(project: Project):
    made = project.specification()
    parsed = folder_of(project, made) / "parsed.txt"
    parsed.mkdir(parents=True)
    assert "parsed.txt cannot be read (Is a directory)" in find(project, made).reason
    parsed.rmdir()
    parsed.symlink_to(parsed)
    found = look(DataPaths(project.root), made.key)
    assert found.parsed_sha256 is None
    assert found.problem == "parsed.txt cannot be read (Too many levels of symbolic links): move it away"


def test_the_digests_of_all_that_something_is_made_from_are_recorded():
    first, second = (ParentText(sha256, lambda: "") for sha256 in ("a", "b"))
    assert digests_of([]) == (None, None)
    assert digests_of([first]) == ("a", None)
    assert digests_of([first, second]) == ("a", ["b"])


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

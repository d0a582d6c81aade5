"""Whatever happened to a study: plan, inspection and run agree, and the texts are those of a run from nothing."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest
from plan_fixtures import PlannedStudy, made_in_process
from random_edits import EDITS, change_model, change_setting, edit_concept, edit_template

from daydreaming.generation.currency import State as OnDisk
from daydreaming.inputs.records import Generation
from daydreaming.plan.planning import State
from provider import Provider
from studies import Choice
from studies import Study as Folder

CHOICE = Choice(essays=("copied", "developed"), combos=(("sleep", "tides"), ("sleep", "maps")))
KEPT = (State.UP_TO_DATE, State.ADOPTED)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory, server: Provider) -> Folder:
    """A study of 10 generations that was made in this process."""
    folder = made_in_process(tmp_path_factory.mktemp("made") / "study", server, CHOICE)
    assert server.calls == 8
    return folder


@pytest.fixture
def made(made_once: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlannedStudy:
    folder = made_once.copy(tmp_path / "made")
    monkeypatch.chdir(folder.folder)
    return PlannedStudy(folder)


def run_one(study: Folder, draw: random.Random) -> None:
    PlannedStudy(study).run()


def agree_and_run(study: PlannedStudy) -> None:
    """Plan and inspection agree, the run does what the plan says, and afterwards there is nothing to do."""
    plan, inspection = study.plan(), study.inspection()
    planned = {one.specification.key: one.state for one in plan.generations}
    for key, state in planned.items():
        assert inspection.reason(key) or inspection.state(key) in (OnDisk.CURRENT, OnDisk.ADOPTED)
        if key not in inspection.open:
            assert state in KEPT, f"{key} is left out, and the plan has it as {state}"
    before, calls = len(study.folder.events()), study.folder.provider.calls
    study.run()
    results = {
        (event["stage"], event["gen_id"]): event["result"]
        for event in study.folder.events()[before:]
        if event["event"] == "generation"
    }
    expected = {State.UP_TO_DATE: {"kept"}, State.ADOPTED: {"kept"}, State.COPY: {"copied", "kept"}}
    expected |= {State.REPARSE: {"reused"}, State.CALL: {"made"}, State.REUSE: {"reused"}}
    for key, state in planned.items():
        if key not in inspection.open:
            assert key not in results
        elif state is State.WAITING:
            assert results.get(key, "waiting") == "waiting", "what is made of a text that waits is not tried"
        elif state in expected:
            assert results[key] in expected[state], f"{key} was planned as {state}: {results[key]}"
    numbers = [sum(state is wanted for state in planned.values()) for wanted in (State.CALL, State.UNKNOWN)]
    assert numbers[0] <= study.folder.provider.calls - calls <= sum(numbers)


@pytest.mark.parametrize("seed", range(8))
def test_after_anything_all_agree_and_the_texts_are_those_of_a_run_from_nothing(
    made: PlannedStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
):
    draw = random.Random(seed)
    for _ in range(draw.randint(1, 6)):
        draw.choice([*EDITS, run_one])(made.folder, draw)
    agree_and_run(made)
    assert set(made.inspection().counts()) == {OnDisk.CURRENT}
    assert {one.state for one in made.plan().generations} == {State.UP_TO_DATE}

    nothing = Folder(tmp_path / "nothing", made.folder.provider)
    shutil.copytree(made.folder.folder, nothing.folder)
    for path in (nothing.paths.gens, nothing.paths.replies):
        shutil.rmtree(path)
    monkeypatch.chdir(nothing.folder)
    PlannedStudy(nothing).run()
    assert made.folder.parsed_texts() == nothing.parsed_texts()


def make_foreign(study: Folder, row: Generation, draw: random.Random) -> None:
    """Another program's files in the folder of a generation."""
    files = study.files(row)
    shutil.rmtree(files.folder, ignore_errors=True)
    files.folder.mkdir(parents=True)
    text = (
        f"{draw.randint(0, 9)}.0"
        if row.stage == "evaluation"
        else f"A foreign {row.stage}.\nof\nthree lines {row.gen_id}"
    )
    files.parsed.write_text(text)
    if draw.random() < 0.5:
        files.raw.write_text(f"<essay>\n{text}\n</essay>\nSCORE: {text}")
    if draw.random() < 0.7:
        values = {"stage": row.stage, "gen_id": row.gen_id, "template_id": row.template_id, "error": "none"}
        files.metadata.write_text(json.dumps({**values, "parent_gen_id": row.parent_gen_id or None}))


@pytest.mark.parametrize("seed", range(6))
def test_foreign_texts_stay_whatever_else_is_asked(
    made_once: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
):
    draw = random.Random(seed)
    folder = Folder(tmp_path / "study", made_once.provider)
    shutil.copytree(made_once.folder, folder.folder)
    for path in (folder.paths.gens, folder.paths.replies, *folder.paths.cohorts.glob("*/journal.jsonl")):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    monkeypatch.chdir(folder.folder)
    rows = [row for stage in ("draft", "essay", "evaluation") for row in folder.rows(stage)]
    for row in draw.sample(rows, 5):
        make_foreign(folder, row, draw)
    texts = {path: path.read_bytes() for path in folder.paths.gens.rglob("*.txt") if path.name != "prompt.txt"}
    study = PlannedStudy(folder)
    agree_and_run(study)
    assert {path: path.read_bytes() for path in texts} == texts
    for _ in range(2):
        draw.choice([edit_template, edit_concept, change_setting, change_model])(folder, draw)
    agree_and_run(study)
    assert {path: path.read_bytes() for path in texts} == texts

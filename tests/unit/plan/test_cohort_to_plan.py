"""The plan of a cohort before its table is written, and after its spec was changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from plan import main
from provider import Provider
from studies import Choice
from studies import Study as Folder


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture
def folder(tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A study of two combos and two draft templates, without a table."""
    choice = Choice(drafts=("thread", "contrast"), combos=(("sleep", "tides"), ("sleep", "maps")))
    study = Folder.create(tmp_path / "study", provider, choice)
    monkeypatch.chdir(study.folder)
    return study


def values(capsys: pytest.CaptureFixture[str], *options: str) -> dict:
    assert main(["--directory", ".", "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_cohort_is_planned_before_its_table_is_written(folder: Folder, capsys: pytest.CaptureFixture[str]):
    folder.write("cohorts/c1/spec.yaml", "axes: {draft_template: [thread], evaluation_replicate: 3}\n")
    plan = values(capsys)
    assert "is not written yet" in plan["status"]
    assert plan["axes"]["draft_template"] == {"thread": 6}
    assert plan["axes"]["evaluation_replicate"] == {"1": 2, "2": 2, "3": 2}
    assert plan["total"]["usd"]["most"] > 0
    assert not folder.paths.cohort("c1").membership.exists()
    assert main(["--directory", "."]) == 0
    text = capsys.readouterr().out
    assert "combo                      2             3  sleep_tides, sleep_maps" in text
    folder.build()
    built = values(capsys)
    assert (built["status"], built["axes"], built["rows"]) == ("", plan["axes"], plan["rows"])


def test_without_a_spec_too(folder: Folder, capsys: pytest.CaptureFixture[str]):
    plan = values(capsys)
    assert "is not written yet" in plan["status"]
    assert plan["generations"] == 12


def test_a_spec_that_was_changed_since_is_said_and_can_be_planned(folder: Folder, capsys: pytest.CaptureFixture[str]):
    folder.write("cohorts/c1/spec.yaml", "axes: {draft_template: [thread]}\n")
    folder.build()
    assert values(capsys)["status"] == ""
    folder.write("cohorts/c1/spec.yaml", "axes: {draft_template: [thread, contrast]}\n")
    plan = values(capsys)
    assert "spec.yaml says something else than the table: 6 rows would come and 0 go" in plan["status"]
    assert plan["generations"] == 6
    rebuilt = values(capsys, "--rebuilt")
    assert rebuilt["generations"] == 12
    assert "6 rows would come and 0 go" in rebuilt["status"]


def test_a_fault_of_the_spec_is_the_answer(folder: Folder, capsys: pytest.CaptureFixture[str]):
    folder.write("cohorts/c1/spec.yaml", "axes: {draft_template: [thred]}\n")
    assert main(["--directory", "."]) == 1
    assert "spec.yaml, line 1, key 'axes.draft_template'" in capsys.readouterr().err

"""`show_receipts.py` after a run in which a portal answered first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from runner_fixtures import Project

from daydreaming.generation.specification import CallSpecification
from provider import Provider, faults
from show_receipts import main


@pytest.fixture
def made(project: Project, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> CallSpecification:
    """A draft whose first answer was a web page; the data folder of the project is the configured one."""
    provider.script([faults.fault_html(times=1)])
    made = project.specification()
    project.run(made, endpoint={"max_retries": 1})
    project.root.with_name("config.yaml").write_text("cohort: cohort\n")
    monkeypatch.setenv("COLUMNS", "80")
    return made


def show(project: Project, *words: str) -> int:
    return main(["--directory", str(project.root.parent), *words])


def test_all_that_was_answered_to_a_generation_is_shown(
    project: Project, made: CallSpecification, capsys: pytest.CaptureFixture[str]
):
    assert show(project, "--stage", "draft", "--gen-id", made.gen_id) == 0
    printed = capsys.readouterr().out
    table = printed.splitlines()[: printed.splitlines().index(next(s for s in printed.splitlines() if "1  data" in s))]
    assert max(map(len, table)) <= 80
    rows = [line.split() for line in table if line.lstrip()[:2] in ("1 ", "2 ")]
    assert [row[-1] for row in rows] == ["unused", "reply"]
    assert "stop" in rows[1]
    assert "draft draft-1: The endpoint answered with a web page" in printed
    for path in (project.root / "replies").glob("??/*.*"):
        assert str(path.relative_to(project.root.parent)) in printed


def test_a_request_is_named_by_the_beginning_of_its_name_and_shown_as_json(
    project: Project, made: CallSpecification, capsys: pytest.CaptureFixture[str]
):
    name = project.metadata(made)["request_sha256"]
    assert show(project, "--request", name[:8].upper(), "--json") == 0
    receipt, reply = json.loads(capsys.readouterr().out)
    assert [receipt["number"], reply["number"]] == [1, 2]
    assert (receipt["use"], receipt["status"], receipt["cost_usd"]) == ("unused", 200, None)
    assert (reply["use"], reply["request_sha256"], reply["finish_reason"]) == ("reply", name, "stop")
    assert reply["usage"]["completion_tokens"] > 0
    assert reply["cost_usd"] == project.metadata(made)["cost_usd"]


def test_unused_receipts_and_their_bodies_as_they_came(
    project: Project, made: CallSpecification, capsysbinary: pytest.CaptureFixture[bytes]
):
    assert show(project, "--unused", "--json") == 0
    (receipt,) = json.loads(capsysbinary.readouterr().out)
    assert show(project, "--unused", "--body", "1") == 0
    body = capsysbinary.readouterr().out
    assert len(body) == receipt["body_bytes"]
    assert body.startswith(b"<")
    assert show(project, "--unused", "--body", "2") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--request", "0000"], "no answer to '0000' is kept"),
        (["--stage", "draft", "--gen-id", "nobody"], "no journal names a call for it"),
        (["--unused", "--config", "k_max=none"], "k_max"),
    ],
)
def test_what_nobody_knows_is_an_error(
    project: Project, made: CallSpecification, capsys: pytest.CaptureFixture[str], words: list[str], told: str
):
    assert show(project, *words) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [[], ["--stage", "draft"], ["--gen-id", "a"], ["--unused", "--request", "abcd"], ["--request", "xyz!"]],
)
def test_one_kind_of_answers_has_to_be_asked_for(words: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2


def test_a_folder_without_answers_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["--directory", str(tmp_path), "--unused"]) == 0
    assert capsys.readouterr().out == "No such answer is kept.\n"

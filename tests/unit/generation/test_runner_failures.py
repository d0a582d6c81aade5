from __future__ import annotations

import json
import os
from typing import Any

import pytest
from core_fixtures import KEY_ENV, copy_of_draft, template
from currency_fixtures import foreign
from runner_fixtures import Project

from daydreaming.generation.specification import Specification
from daydreaming.generation.store import text_sha256
from daydreaming.inputs.records import SettingValue
from daydreaming.inputs.setting_models import StageSettings
from daydreaming.ledger.metadata import Metadata, encode_metadata
from provider import Provider, Rule, faults

SHORT = StageSettings(temperature=0.5, max_tokens=1000, min_lines=5)


def record_of_another_request(made: Specification) -> Metadata:
    """A record of ours that is out of date."""
    return Metadata(
        stage=made.stage,
        gen_id=made.gen_id,
        template_id="older",
        started_at=1.0,
        finished_at=2.0,
        error="none",
        fingerprint="template older@1",
        parsed_sha256=text_sha256("An old result."),
    )


def assert_failed(
    project: Project, kind: str, words: str, stage: str = "draft", config: Any = None, **change: Any
) -> dict:
    """Make a generation over an old result; it fails, says how everywhere, and leaves no result. Returns metadata."""
    made = project.specification(stage, **change)
    old = project.root / "gens" / stage / made.gen_id / "parsed.txt"
    old.parent.mkdir(parents=True, exist_ok=True)
    if not old.with_name("metadata.json").exists():
        old.write_text("An old result.")
        old.with_name("metadata.json").write_bytes(encode_metadata(record_of_another_request(made)))
    failure = project.failure(made, **(config or {}))
    metadata = project.metadata(made)
    assert failure.kind == metadata["error"] == kind
    assert failure.message == metadata["error_message"]
    assert words in failure.message
    assert "Traceback" in metadata["error_traceback"]
    assert not old.exists()
    assert metadata["files"]["parsed"] is None
    assert metadata["finished_at"] >= metadata["started_at"] > 2.0
    assert project.results()[-1] == kind
    return metadata


def test_what_a_call_in_vain_took_is_told(project: Project, provider: Provider):
    provider.script([faults.fault_status(500)])
    metadata = assert_failed(project, "api", "status 500", config={"endpoint": {"max_retries": 1}})
    assert metadata["tries"] == provider.calls == 2
    assert metadata["llm_ms"] > 0
    assert metadata["wait_ms"] >= 400


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (faults.fault_status(400), "api", "status 400"),
        (faults.fault_error_in_200(500), "api", "inside a status 200"),
        (faults.fault_html(), "api", "base_url"),
        (faults.fault_429(retry_after=0), "rate_limit", "status 429"),
        (faults.fault_hang(60), "timeout", "0.3 s"),
        (faults.fault_reset("before"), "connection", "No connection"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_call_without_a_reply_leaves_its_report(
    project: Project, provider: Provider, fault: Rule, kind: str, words: str
):
    provider.script([fault])
    # Elsewhere a slow provider would be a timeout, too.
    endpoint = {"timeout_s": 0.3} if kind == "timeout" else {}
    metadata = assert_failed(project, kind, words, config={"endpoint": endpoint})
    raw = project.text(project.specification(), "raw")
    assert raw.startswith(f"{kind}: ")
    assert "Traceback" in raw
    assert metadata["files"]["raw"].endswith("/raw.txt")
    assert (metadata["usage"], project.stored()) == (None, [])


@pytest.mark.parametrize(
    ("fault", "kind", "words", "raw"),
    [
        (faults.fault_truncated(), "truncated", "Raise max_tokens of the stage 'draft'", None),
        (faults.reply_content("Sorry."), "too_short", "1 non-empty lines and min_lines", "Sorry."),
        (faults.fault_refused(), "refused", "I cannot help with that.", ""),
        (faults.fault_null_content(), "empty", "The reply is empty", ""),
        (faults.fault_empty(), "empty", "The reply is empty", ""),
        (faults.reply_content(" \n\t"), "empty", "The reply is empty", " \n\t"),
        (faults.fault_invalid_utf8(), "malformed", "not UTF-8", "caf\ufffd\ufffd"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_reply_that_cannot_be_used_is_kept(
    project: Project, provider: Provider, fault: Rule, kind: str, words: str, raw: str | None
):
    provider.script([fault])
    metadata = assert_failed(project, kind, words, sampling=SHORT)
    text = project.text(project.specification(), "raw")
    assert text == raw if raw is not None else text.startswith("Thought")
    assert [path.stem for path in project.stored()] == [metadata["request_sha256"]]
    project.failure(project.specification(sampling=SHORT))
    assert provider.calls == 1, "it was paid for again"


def test_a_prompt_without_room_is_not_sent_but_a_reply_that_is_there_is_used(project: Project, provider: Provider):
    metadata = assert_failed(project, "too_long", "It was not called", context_length=1000)
    assert (metadata["usage"], provider.calls) == (None, 0)
    project.run(project.specification(gen_id="fits"))
    assert project.run(project.specification(gen_id="later", context_length=1000)).reused
    assert provider.calls == 1


@pytest.mark.parametrize(
    ("place", "told"),
    [("the model writer", " Here min_lines is from the model writer."), ("stages.draft.min_lines", "")],
)
def test_a_failure_by_a_limit_says_where_it_stands_if_not_in_the_stage(
    project: Project, provider: Provider, place: str, told: str
):
    provider.script([faults.reply_content("Sorry.")])
    limits = {name: SettingValue(5, place) for name in ("min_lines", "max_tokens")}
    message = project.failure(project.specification(sampling=SHORT, settings=limits)).message
    without = project.failure(project.specification(gen_id="other", sampling=SHORT)).message
    assert message == without + told
    provider.script([faults.fault_truncated()])
    limits = {"max_tokens": SettingValue(5, place)}
    message = project.failure(project.specification("essay", settings=limits)).message
    assert message.endswith(f" Here max_tokens is from {place}.")


def test_tokens_at_the_limit_are_a_truncated_reply_whatever_the_provider_says(project: Project, provider: Provider):
    provider.script([faults.reply_content("x" * 400)])
    assert_failed(project, "truncated", "after 100 tokens (max_tokens is 100", sampling=StageSettings(max_tokens=100))
    project.run(project.specification(gen_id="other", sampling=StageSettings(max_tokens=101)))


def test_a_reply_that_does_not_parse_is_kept_above_its_report(project: Project, provider: Provider):
    provider.script([faults.reply_content("I like it.\r\n")])
    assert_failed(project, "parse", "The parser 'in_last_line' could not read the reply", "evaluation")
    raw = project.text(project.specification("evaluation"), "raw")
    assert raw.startswith("I like it.\r\n\n=====")
    assert "parse: The parser" in raw
    project.stored()[0].unlink()
    project.failure(project.specification("evaluation"))
    assert project.text(project.specification("evaluation"), "raw").count("=====") == raw.count("=====")
    assert provider.calls == 1


def test_a_template_that_does_not_render_makes_no_call(project: Project, provider: Provider):
    broken = template("draft", "line\n{{ nothing }}")
    metadata = assert_failed(project, "template", "line 2: 'nothing' is undefined", template=broken)
    assert (metadata["request_sha256"], project.text(project.specification(), "raw")) == (None, None)
    assert provider.calls == 0


@pytest.mark.parametrize("content", [None, b"caf\xff"])
def test_a_parent_without_a_text_is_named(project: Project, provider: Provider, content: bytes | None):
    parent = project.root / "gens/draft/parent-1/parsed.txt"
    parent.unlink() if content is None else parent.write_bytes(content)
    assert_failed(project, "parent", "Make the draft 'parent-1' first.", "essay")
    assert project.failure(copy_of_draft()).kind == "parent"
    assert provider.calls == 0


def test_a_missing_key_is_a_failure_of_its_own(project: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(KEY_ENV, raising=False)
    assert_failed(project, "missing_key", KEY_ENV, config={"endpoint": {"api_key_env": KEY_ENV}})


def test_a_call_beyond_the_budget_is_not_made(project: Project, provider: Provider):
    assert_failed(project, "budget", "Raise budget_usd", config={"budget_usd": 0.000001})
    project.run(project.specification(), budget_calls=1)
    assert_failed(project, "budget", "budget_calls is 1", config={"budget_calls": 1}, replicate=2)
    assert provider.calls == 1


def test_offline_uses_stored_replies_and_makes_no_call(project: Project, provider: Provider):
    assert_failed(project, "offline", "offline is true", config={"offline": True})
    assert provider.calls == 0
    project.run(project.specification())
    (project.root / "gens/draft/draft-1/parsed.txt").unlink()
    assert project.run(project.specification(), offline=True).reused
    assert provider.calls == 1


def test_a_stored_reply_that_is_damaged_is_not_paid_for_again(project: Project, provider: Provider):
    project.run(project.specification())
    project.stored()[0].write_text("{")
    (project.root / "gens/draft/draft-1/metadata.json").unlink()
    assert_failed(project, "storage", "is not a stored reply")
    assert (provider.calls, project.stored()[0].read_text()) == (1, "{")


def test_a_full_disk_is_told_before_the_call(project: Project, provider: Provider, monkeypatch: pytest.MonkeyPatch):
    def refuse(*arguments: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    assert_failed(project, "storage", "No space left on device")
    assert provider.calls == 0


@pytest.mark.parametrize(
    "record", ["", "{", '{"template_id": "another"}'], ids=["none", "damaged", "of another program"]
)
def test_what_a_run_was_to_make_again_is_not_there_after_it_failed_and_is_kept(
    project: Project, provider: Provider, record: str
):
    made = project.specification("essay")
    folder = foreign(project, made, "A foreign text.")
    if record:
        (folder / "metadata.json").write_text(record)
    provider.script([faults.fault_status(500)])
    assert project.failure(made, remake_adopted=True).kind == "api"
    assert (project.metadata(made)["error"], project.text(made, "parsed")) == ("api", None)
    kept = [json.loads(path.read_text()) for path in project.root.glob("replies/adopted/essay/essay-1/*.json")]
    assert [one["files"]["parsed.txt"]["text"] for one in kept] == ["A foreign text."]


def test_a_disk_that_refuses_even_the_report_is_told_all_the_same(project: Project, provider: Provider):
    (project.root / "gens" / "evaluation").write_text("a file where a folder should be")
    failure = project.failure(project.specification("evaluation"))
    assert failure.kind == "storage"
    assert "could not be written to metadata.json" in failure.message
    assert str(failure) == f"[storage] {failure.message}"
    assert provider.calls == 0


def test_a_text_that_the_disk_refuses_is_not_said_to_be_there(
    project: Project, provider: Provider, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("daydreaming.generation.store.GenerationStore._write_parsed", refuse)
        metadata = assert_failed(project, "storage", "No space left on device")
    assert (metadata["parsed_sha256"], metadata["files"]["raw"] is None) == (None, False)
    assert project.run(project.specification()).reused
    assert provider.calls == 1


def test_a_fault_of_our_own_keeps_the_reply(project: Project, provider: Provider, monkeypatch: pytest.MonkeyPatch):
    def crash(*arguments: object) -> str:
        raise ZeroDivisionError("in a parser")

    with monkeypatch.context() as broken:
        broken.setattr("daydreaming.generation.judging.get_parser", lambda *arguments: crash)
        assert_failed(project, "internal", "ZeroDivisionError: in a parser")
    assert project.text(project.specification(), "raw").startswith("Thought")
    assert project.run(project.specification()).reused
    assert provider.calls == 1


def test_fresh_attempts_are_made_as_often_as_allowed_and_all_are_kept(project: Project, provider: Provider):
    provider.script([faults.fault_empty(first=2)])
    outcome = project.run(project.specification(), retry_replies={"empty": 2})
    assert (outcome.attempts, provider.calls, len(project.stored())) == (3, 3, 3)
    assert project.metadata(project.specification())["attempts"] == 3
    (project.root / "gens/draft/draft-1/parsed.txt").unlink()
    project.run(project.specification(), retry_replies={"empty": 2})
    assert provider.calls == 3


def test_a_fresh_attempt_that_gets_no_reply_has_nothing_of_the_reply_before_it(project: Project, provider: Provider):
    provider.script([faults.fault_empty(nth=1), faults.fault_status(500, nth=2)])
    metadata = assert_failed(project, "api", "status 500", config={"retry_replies": {"empty": 1}})
    assert (metadata["attempts"], metadata["usage"], metadata["cost_usd"]) == (2, None, None)
    assert project.text(project.specification(), "raw").startswith("api: ")
    project.run(project.specification(), retry_replies={"empty": 1})
    assert provider.calls == 3


def test_no_more_attempts_are_made_than_allowed(project: Project, provider: Provider):
    provider.script([faults.fault_empty()])
    metadata = assert_failed(project, "empty", "The reply is empty", config={"retry_replies": {"empty": 2, "parse": 5}})
    assert (metadata["attempts"], provider.calls, len(project.stored())) == (3, 3, 3)


def test_every_kind_of_useless_reply_has_attempts_of_its_own(project: Project, provider: Provider):
    provider.script([faults.fault_empty(nth=1), faults.fault_truncated(nth=2), faults.fault_refused(nth=3)])
    retries = {"empty": 1, "truncated": 1}
    assert_failed(project, "refused", "refused", config={"retry_replies": retries})
    assert provider.calls == 3
    assert project.run(project.specification(), retry_replies={**retries, "refused": 1}).attempts == 4
    assert provider.calls == 4


def test_a_failure_is_tried_again_by_the_next_run(project: Project, provider: Provider):
    provider.script([faults.fault_status(500, first=1)])
    project.failure(project.specification())
    project.run(project.specification())
    assert (project.results(), provider.calls) == (["api", "made"], 2)
    assert project.metadata(project.specification())["error"] == "none"

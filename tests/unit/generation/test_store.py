from __future__ import annotations

import json
from pathlib import Path

import pytest
from core_fixtures import concept, copy_of_draft, reply, specification
from jsonschema import Draft202012Validator

from daydreaming.base.paths import DataPaths
from daydreaming.cli.command_line import PROJECT
from daydreaming.generation.specification import Specification
from daydreaming.generation.store import PARSE_REPORT_MARKER, GenerationStore, Outcome

FIRST_KEYS = ["stage", "gen_id", "template_id", "template_path", "template_sha1", "model", "parser_name", "skip_llm"]
FIRST_KEYS += ["pass_through_from", "files", "started_at", "finished_at", "duration_s", "mode", "error"]
FIRST_KEYS += ["error_message", "cohort_id"]
SHA = "a" * 64


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GenerationStore:
    monkeypatch.chdir(tmp_path)
    return GenerationStore(DataPaths(Path("data")).generation("draft", "draft-1"))


def outcome(**changes: object) -> Outcome:
    values = {"started_at": 10.0, "finished_at": 12.5, "request_sha256": SHA, "reply": reply(SHA), "attempts": 1}
    return Outcome(**{**values, "prompt_sha256": "b" * 64, "written": {"prompt", "raw", "parsed"}, **changes})


def metadata_of(store: GenerationStore, made: Specification, how: Outcome) -> dict:
    store.write_metadata(made, how)
    metadata = json.loads(store.files.metadata.read_text(encoding="utf-8"))
    schema = json.loads((PROJECT / "schemas" / "metadata.schema.json").read_text())
    assert list(Draft202012Validator(schema).iter_errors(metadata)) == []
    return metadata


def test_the_files_hold_what_was_written_to_the_last_character(store: GenerationStore):
    text = "one\r\ntwo\u2028\n\n"
    store.write_prompt(text)
    store.write_reply(text)
    store.write_parsed(text)
    for path in (store.files.prompt, store.files.raw, store.files.parsed):
        assert path.read_bytes() == text.encode()
    assert store.read_reply() == text


def test_a_reply_is_read_back_without_the_report_below_it(store: GenerationStore):
    assert store.read_reply() is None
    text = f"No score here.\r\n{PARSE_REPORT_MARKER}or was it?\n"
    store.write_parse_error(text, "parse: no score\n\nTraceback ...")
    raw = store.files.raw.read_bytes().decode()
    assert raw.startswith(text)
    assert raw.endswith("parse: no score\n\nTraceback ...")
    assert store.read_reply() == text


def test_a_reply_that_quotes_the_marker_is_read_back_whole(store: GenerationStore):
    text = f"Your log says:{PARSE_REPORT_MARKER}and then nothing.\n"
    store.write_reply(text)
    store.write_metadata(specification(), outcome())
    assert store.read_reply() == text


def test_metadata_has_the_keys_of_the_contract_in_their_order(store: GenerationStore):
    metadata = metadata_of(store, specification(), outcome())
    assert list(metadata)[: len(FIRST_KEYS)] == FIRST_KEYS
    expected = {
        "mode": "llm",
        "error": "none",
        "error_message": None,
        "skip_llm": False,
        "pass_through_from": None,
        "duration_s": 2.5,
        "parent_gen_id": None,
        "combo_id": "combo-1",
        "served_model": "acme/writer-2",
        "cost_usd": 0.01,
        "usage": {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30},
        "files": {name: f"data/gens/draft/draft-1/{name}.txt" for name in ("prompt", "raw", "parsed")},
    }
    assert expected.items() <= metadata.items()


def test_metadata_of_a_copy_names_its_source(store: GenerationStore):
    how = outcome(reply=None, request_sha256=None, written={"prompt", "parsed"})
    metadata = metadata_of(store, copy_of_draft(), how)
    assert (metadata["mode"], metadata["skip_llm"], metadata["model"]) == ("copy", True, None)
    assert metadata["pass_through_from"] == "data/gens/draft/parent-1/parsed.txt"
    assert metadata["files"]["raw"] is None


def test_metadata_of_a_failure_says_what_happened(store: GenerationStore):
    how = outcome(error="parse", error_message="No score.", error_traceback="Trace", written={"prompt", "raw"})
    metadata = metadata_of(store, specification("evaluation"), how)
    assert (metadata["error"], metadata["error_message"], metadata["error_traceback"]) == (
        "parse",
        "No score.",
        "Trace",
    )
    assert metadata["files"]["parsed"] is None


@pytest.mark.parametrize("content", [None, b"", b"{", b"[1]", b"\xff"])
def test_metadata_that_cannot_be_read_is_none(store: GenerationStore, content: bytes | None):
    if content is not None:
        store.write_prompt("Hi.")
        store.files.metadata.write_bytes(content)
    assert store.read_metadata() is None
    assert store.kept_reply() is None


@pytest.mark.parametrize(
    ("error", "changes"),
    [
        ("none", {}),
        ("parse", {}),
        ("truncated", {"finish_reason": "length"}),
        ("refused", {"refusal": "I will not."}),
        ("malformed", {"malformed": "The reply holds bytes that are not UTF-8."}),
    ],
)
def test_a_reply_can_be_told_from_the_files_alone(store: GenerationStore, error: str, changes: dict[str, str]):
    original = reply(SHA, started_at=10.0, finished_at=12.5, **changes)
    message = changes.get("refusal") or changes.get("malformed")
    if error == "parse":
        store.write_parse_error(original.text, "report")
    else:
        store.write_reply(original.text)
    store.write_metadata(specification(), outcome(reply=original, error=error, error_message=message))
    assert store.request_sha256() == SHA
    assert store.kept_reply() == original


def test_a_report_of_a_failed_call_is_no_reply(store: GenerationStore):
    store.write_error("api: The endpoint answered with status 500")
    store.write_metadata(specification(), outcome(reply=None, error="api"))
    assert store.request_sha256() is None
    assert store.kept_reply() is None


def test_a_reply_without_a_raw_text_is_gone(store: GenerationStore):
    store.write_metadata(specification(), outcome())
    assert store.kept_reply() is None


def matches(store: GenerationStore, made: Specification, prompt: str = "b" * 64, parent: str | None = None) -> bool:
    return store.matches(store.read_metadata(), made, prompt, parent)


def test_a_result_matches_what_it_was_made_from_and_nothing_else(store: GenerationStore, tmp_path: Path):
    made = specification(concepts=(concept(tmp_path),))
    assert not matches(store, made)
    store.write_metadata(made, outcome())
    assert not matches(store, made), "there is no parsed.txt"
    store.write_parsed("Result.")
    assert matches(store, made)
    assert not matches(store, made, prompt="c" * 64)
    assert not matches(store, specification(concepts=(concept(tmp_path),), replicate=2))
    store.write_metadata(made, outcome(error="parse"))
    assert not matches(store, made)


def test_a_copy_matches_its_parent_s_text_only(store: GenerationStore):
    store.write_metadata(copy_of_draft(), outcome(reply=None))
    store.write_parsed("The draft.\r\n")
    assert matches(store, copy_of_draft(), parent="The draft.\r\n")
    assert not matches(store, copy_of_draft(), parent="The draft.\n")


def test_removing_a_result_that_is_not_there_is_fine(store: GenerationStore):
    store.remove_parsed()
    store.write_parsed("x")
    store.remove_parsed()
    assert not store.files.parsed.exists()

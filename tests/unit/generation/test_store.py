from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from core_fixtures import copy_of_draft, reply, set_age, specification
from jsonschema import Draft202012Validator
from store_fixtures import PATHS, SHA, outcome, record, replaced

from daydreaming.base.errors import GenerationError
from daydreaming.base.temporary_files import temporary_name
from daydreaming.cli.command_line import PROJECT
from daydreaming.generation.outcome import Outcome, record_of
from daydreaming.generation.specification import Specification
from daydreaming.generation.store import PARSE_REPORT_MARKER, GenerationStore, with_report

FIRST_KEYS = ["stage", "gen_id", "template_id", "template_path", "template_sha1", "model", "parser_name", "skip_llm"]
FIRST_KEYS += ["pass_through_from", "files", "started_at", "finished_at", "duration_s", "mode", "error"]
FIRST_KEYS += ["error_message", "cohort_id"]


def values_of(made: Specification, how: Outcome) -> dict[str, Any]:
    """The record as plain values, which must be as the schema says."""
    import msgspec

    values: dict[str, Any] = msgspec.to_builtins(record_of(made, how, PATHS))
    schema = json.loads((PROJECT / "schemas" / "metadata.schema.json").read_text())
    assert list(Draft202012Validator(schema).iter_errors(values)) == []
    return values


def test_the_files_hold_what_was_written_to_the_last_character(store: GenerationStore):
    text = "one\r\ntwo\u2028\n\n"
    store.write_prompt(text)
    store.replace(record(text, text), raw=text, parsed=text)
    for path in (store.files.prompt, store.files.raw, store.files.parsed):
        assert path.read_bytes() == text.encode()
    assert store.read_reply() == text


def test_a_text_of_none_is_not_there_afterwards(store: GenerationStore):
    store.replace(record("r", "p"), raw="r", parsed="p")
    store.replace(record("r", None), raw=None, parsed=None, keep_raw=True)
    assert (store.files.raw.read_text(), store.files.parsed.exists()) == ("r", False)
    store.replace(record(None, None), raw=None, parsed=None)
    assert not store.files.raw.exists()


def test_a_reply_is_read_back_without_the_report_below_it(store: GenerationStore):
    assert store.read_reply() is None
    text = f"No score here.\r\n{PARSE_REPORT_MARKER}or was it?\n"
    raw = with_report(text, "parse: no score\n\nTraceback ...")
    store.replace(record(raw, None, error="parse", error_message="no score"), raw=raw, parsed=None)
    assert store.read_reply() == text


def test_a_reply_that_quotes_the_marker_is_read_back_whole(store: GenerationStore):
    text = f"Your log says:{PARSE_REPORT_MARKER}and then nothing.\n"
    store.replace(record(text, text), raw=text, parsed=text)
    assert store.read_reply() == text


def test_a_raw_text_that_is_not_utf8_is_named(store: GenerationStore):
    store.replace(record("x", "x"), raw="x", parsed="x")
    store.files.raw.write_bytes(b"caf\xff")
    with pytest.raises(GenerationError, match=r"raw\.txt is not UTF-8"):
        store.read_reply()
    assert store.kept_reply(SHA) is None


def test_metadata_has_the_keys_of_the_contract_in_their_order():
    metadata = values_of(specification(), outcome(reply(SHA)))
    assert list(metadata)[: len(FIRST_KEYS) + 1] == [*FIRST_KEYS, "version"]
    expected = {
        "mode": "llm",
        "error": "none",
        "error_message": None,
        "skip_llm": False,
        "pass_through_from": None,
        "duration_s": 2.5,
        "parent_gen_id": None,
        "combo_id": "combo-1",
        "llm_model_id": "writer",
        "model_id": "writer",
        "served_model": "acme/writer-2",
        "cost_usd": 0.01,
        "usage": {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30},
        "files": {name: f"data/gens/draft/draft-1/{name}.txt" for name in ("prompt", "raw", "parsed")},
    }
    assert expected.items() <= metadata.items()


def test_metadata_of_a_copy_names_its_source():
    how = outcome(request_sha256=None, written={"prompt", "parsed"})
    metadata = values_of(copy_of_draft(), how)
    assert (metadata["mode"], metadata["skip_llm"], metadata["model"]) == ("copy", True, None)
    assert metadata["pass_through_from"] == "data/gens/draft/parent-1/parsed.txt"
    assert metadata["files"]["raw"] is None


def test_metadata_of_a_failure_says_what_happened():
    how = outcome(error="parse", error_message="No score.", error_traceback="Trace", written={"prompt", "raw"})
    metadata = values_of(specification("evaluation"), how)
    assert (metadata["error"], metadata["error_message"], metadata["error_traceback"]) == (
        "parse",
        "No score.",
        "Trace",
    )
    assert metadata["files"]["parsed"] is None


def test_no_duration_is_negative_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch):
    how = Outcome()
    monkeypatch.setattr("time.time", lambda: how.started_at - 3600)
    how.finish()
    assert 0 <= how.finished_at - how.started_at < 60


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
    raw = with_report(original.text or "", "report") if error == "parse" else original.text or ""
    store.replace(record(raw, None, original, error=error, error_message=message), raw=raw, parsed=None)
    assert store.kept_reply(SHA) == original
    assert store.kept_reply("c" * 64) is None
    store.files.raw.write_text(raw + "!")
    assert store.kept_reply(SHA) is None, "somebody edited it"


def test_a_report_of_a_failed_call_is_no_reply(store: GenerationStore):
    failed = record_of(specification(), outcome(error="api", error_message="500"), PATHS)
    store.replace(failed, raw="api: status 500", parsed=None)
    assert store.kept_reply(SHA) is None


# What lies in the folder before a replacement, and what must be among the replies after it --------------------------


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(store: GenerationStore):
    dead = "from daydreaming.base.temporary_files import temporary_name; print(temporary_name('raw.txt'))"
    left = subprocess.run([sys.executable, "-c", dead], capture_output=True, text=True, check=True).stdout.strip()
    store.files.folder.mkdir(parents=True)
    own = temporary_name("some.txt")
    for name in (left, own, ".unrelated.tmp"):
        (store.files.folder / name).write_text("half")
    set_age(store.files.folder / left, 3600)
    replaced(store)
    assert sorted(path.name for path in store.files.folder.glob(".*")) == sorted([own, ".unrelated.tmp"])

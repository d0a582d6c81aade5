"""metadata.json: the keys of the contract, and what is read of whatever lies there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from daydreaming.cli.command_line import PROJECT
from daydreaming.ledger.metadata import (
    Metadata,
    Origin,
    encode_changed,
    encode_metadata,
    parse_metadata,
    read_metadata,
)

OURS: dict[str, Any] = {
    "stage": "draft",
    "gen_id": "d1",
    "template_id": "thread",
    "started_at": 1.0,
    "finished_at": 2.0,
    "error": "none",
    "fingerprint": "template thread@1",
}


def written(**changes: Any) -> bytes:
    return json.dumps({**OURS, **changes}).encode()


def test_the_schema_has_the_same_keys_in_the_same_order():
    schema = json.loads((PROJECT / "schemas/metadata.schema.json").read_text(encoding="utf-8"))
    keys = [field.name for field in msgspec.structs.fields(Metadata)]
    assert list(schema["properties"]) == [*keys, "record_sha256"]
    assert keys[: len(schema["required"])] == schema["required"]
    assert keys[len(schema["required"])] == "version"


def test_a_record_comes_back_as_it_was_written(tmp_path: Path):
    record = Metadata(**OURS, usage={"prompt_tokens": 3}, cost_usd=0.25, adopted=True, error_message="é\u2028")
    (tmp_path / "metadata.json").write_bytes(encode_metadata(record))
    reading = read_metadata(tmp_path / "metadata.json")
    assert (reading.origin, reading.metadata) == (Origin.OURS, record)


def test_what_json_cannot_hold_is_replaced_and_the_rest_is_written():
    content = encode_metadata(Metadata(**OURS, error_message="lone \ud800", max_tokens=10**20))
    record = parse_metadata(content).metadata
    assert (record.error_message, record.max_tokens) == ("lone ?", None)


EDITS = {
    "a cost": lambda content: content.replace(b'"cost_usd": 0.25', b'"cost_usd": 0.26'),
    "who answered": lambda content: content.replace(b'"served_model": "lab/a"', b'"served_model": "lab/b"'),
    "a key more": lambda content: content.replace(b'  "stage"', b'  "note": 1,\n  "stage"', 1),
    "a key behind the digest": lambda content: content[:-3] + b',\n  "cost_usd": 9.0\n}\n',
    "another layout": lambda content: json.dumps({**json.loads(content), "cost_usd": 9}).encode(),
    "the digest": lambda content: content[:-5] + b'?"\n}\n',
    "the digest twice": lambda content: content[:-3] + b"," + content[content.rindex(b'\n  "record') :],
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edited_record_says_nothing(edit: Callable[[bytes], bytes]):
    content = encode_metadata(Metadata(**OURS, cost_usd=0.25, served_model="lab/a"))
    edited = edit(content)
    assert (parse_metadata(content).origin, edited != content) == (Origin.OURS, True)
    reading = parse_metadata(edited)
    assert (reading.origin, reading.problem) == (
        Origin.DAMAGED,
        "metadata.json is not what was written: it was edited",
    )


def test_a_text_in_a_record_is_not_taken_for_its_digest():
    record = Metadata(
        **OURS, error_message='"record_sha256": "0"\n}\n', error_traceback='\n  "record_sha256": "1"\n}\n'
    )
    assert parse_metadata(encode_metadata(record)).metadata == record


def test_a_record_that_a_program_changed_has_its_own_digest():
    content = encode_metadata(Metadata(**OURS, cost_usd=0.25))
    changed = encode_changed({**json.loads(content), "cost_usd": 0.5})
    assert (parse_metadata(changed).origin, parse_metadata(changed).metadata.cost_usd) == (Origin.OURS, 0.5)


def test_a_record_of_an_earlier_version_has_no_digest():
    assert parse_metadata(written(cost_usd=0.5)).metadata.cost_usd == 0.5


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (written()[:-20], "is not JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"\xff\xfe", "is not JSON"),
        (written(error_message="x").replace(b'"x"', b'"\xff"'), "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (written(request_sha256=5), "wrong types"),
        (written(usage=[1]), "wrong types"),
        (written(error=None), "wrong types"),
        (written(fingerprint=7), "wrong types"),
        (written(version=2, fingerprint=None), "no fingerprint"),
        (written(started_at=None), "does not say when"),
        (written(error=""), "how it went"),
        (written(gen_id=""), "whose record"),
        (b"{}", "what it was made from"),
        (b'{"error": null, "stage": "draft"}', "what it was made from"),
    ],
)
def test_a_damaged_record_says_what_is_wrong_with_it(content: bytes, problem: str):
    reading = parse_metadata(content)
    assert reading.origin is Origin.DAMAGED
    assert problem in reading.problem
    assert reading.metadata == Metadata()


def test_a_record_without_its_times_is_damaged():
    values = {key: value for key, value in OURS.items() if key != "started_at"}
    assert parse_metadata(json.dumps(values).encode()).origin is Origin.DAMAGED


def test_a_record_of_an_earlier_version_is_read():
    reading = parse_metadata(written(unknown_key=[1], template_sha1=None))
    assert (reading.origin, reading.metadata.version, reading.metadata.parsed_sha256) == (Origin.OURS, 1, None)


@pytest.mark.parametrize("error", [None, False, "", "none"])
def test_a_record_of_another_program_is_read_as_far_as_it_goes(error: object):
    values = {"stage": "essay", "gen_id": "e1", "template_id": 7, "model_id": "writer", "parent_gen_id": "d1"}
    reading = parse_metadata(json.dumps({**values, "error": error, "usage": "none", "skip_llm": False}).encode())
    record = reading.metadata
    assert (reading.origin, record.failed) == (Origin.FOREIGN, False)
    assert (record.template_id, record.catalog_model, record.parent_gen_id) == (None, "writer", "d1")


def test_a_failure_of_another_program_is_a_failure():
    record = parse_metadata(b'{"template_id": "t", "error": {"code": 5}}').metadata
    assert record.failed
    assert "5" in record.error


def test_nothing_there_and_what_cannot_be_opened(tmp_path: Path):
    assert read_metadata(tmp_path / "metadata.json").origin is Origin.NONE
    assert read_metadata(tmp_path).origin is Origin.DAMAGED
    assert read_metadata("nul\0byte").origin is Origin.DAMAGED
    (tmp_path / "file").write_text("")
    assert read_metadata(tmp_path / "file" / "metadata.json").origin is Origin.NONE


def test_a_long_record_is_read_whole(tmp_path: Path):
    (tmp_path / "metadata.json").write_bytes(written(error_traceback="x" * 3_000_000))
    assert len(read_metadata(tmp_path / "metadata.json").metadata.error_traceback or "") == 3_000_000

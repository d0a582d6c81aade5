from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from core_fixtures import copy_of_draft, reply, set_age, specification
from jsonschema import Draft202012Validator

from daydreaming.base.errors import GenerationError
from daydreaming.base.paths import DataPaths
from daydreaming.base.temporary_files import temporary_name
from daydreaming.cli.command_line import PROJECT
from daydreaming.generation.outcome import Outcome, Received, record_of
from daydreaming.generation.specification import Specification
from daydreaming.generation.store import PARSE_REPORT_MARKER, GenerationStore, text_sha256, with_report
from daydreaming.ledger.metadata import Metadata
from daydreaming.ledger.received import Reply
from daydreaming.ledger.replies import ReplyStore
from daydreaming.llm.tries import CallTimes

FIRST_KEYS = ["stage", "gen_id", "template_id", "template_path", "template_sha1", "model", "parser_name", "skip_llm"]
FIRST_KEYS += ["pass_through_from", "files", "started_at", "finished_at", "duration_s", "mode", "error"]
FIRST_KEYS += ["error_message", "cohort_id"]
SHA = "a" * 64
PATHS = DataPaths(Path("data"))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GenerationStore:
    monkeypatch.chdir(tmp_path)
    return GenerationStore(PATHS, ("draft", "draft-1"), ReplyStore(PATHS))


def outcome(received: Reply | None = None, **changes: Any) -> Outcome:
    values: dict[str, Any] = {"started_at": 10.0, "finished_at": 12.5, "request_sha256": SHA, "attempts": 1}
    values |= {"prompt_sha256": "b" * 64, "written": {"prompt", "raw", "parsed"}}
    if received is not None:
        values["received"] = Received(received, times=CallTimes(0.0, 5.0, 0.0, 1))
    return Outcome(**{**values, **changes})


def record(raw: str | None, parsed: str | None, received: Reply | None = None, **changes: Any) -> Metadata:
    digests = {"raw_sha256": raw and text_sha256(raw), "parsed_sha256": parsed and text_sha256(parsed)}
    how = outcome(received or reply(SHA), **{**digests, **changes})
    return record_of(specification(), how, PATHS)


def values_of(made: Specification, how: Outcome) -> dict[str, Any]:
    """The record as plain values, which must be as the schema says."""
    import msgspec

    values: dict[str, Any] = msgspec.to_builtins(record_of(made, how, PATHS))
    schema = json.loads((PROJECT / "schemas" / "metadata.schema.json").read_text())
    assert list(Draft202012Validator(schema).iter_errors(values)) == []
    return values


def kept(store: GenerationStore) -> list[dict[str, Any]]:
    """The files of the generation that were kept among the replies."""
    return [json.loads(path.read_text())["files"] for path in sorted(PATHS.replies.glob("adopted/draft/draft-1/*"))]


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


def stored_reply(text: str = "made") -> Reply:
    """A reply that is in the store."""
    one = reply(SHA, text=text)
    ReplyStore(PATHS).adopt(one, source="test")
    return one


def replaced(store: GenerationStore) -> None:
    store.replace(record("new", "new", request_sha256="d" * 64), raw="new", parsed="new")


def test_a_view_of_a_stored_reply_is_replaced_without_a_copy(store: GenerationStore):
    store.replace(record("made", "made", stored_reply()), raw="made", parsed="made")
    replaced(store)
    assert kept(store) == []


def test_a_reply_that_only_raw_txt_holds_is_stored_under_its_request(store: GenerationStore):
    store.replace(record("made", "made", reply(SHA, text="made")), raw="made", parsed="made")
    replaced(store)
    found = ReplyStore(PATHS).load(SHA)
    assert found is not None
    assert (found.text, kept(store)) == ("made", [])


@pytest.mark.parametrize("name", ["raw", "parsed"])
def test_an_edited_text_is_kept(store: GenerationStore, name: str):
    store.replace(record("made", "made", stored_reply()), raw="made", parsed="made")
    getattr(store.files, name).write_text("edited by hand")
    replaced(store)
    (files,) = kept(store)
    assert files[f"{name}.txt"] == {"text": "edited by hand"}


def test_foreign_texts_are_kept_whatever_their_bytes(store: GenerationStore):
    store.files.folder.mkdir(parents=True)
    store.files.raw.write_bytes(b"caf\xff")
    store.files.parsed.write_text("parsed")
    store.files.metadata.write_text('{"model_id": "x"}')
    replaced(store)
    (files,) = kept(store)
    assert files["raw.txt"] == {"base64": "Y2Fm/w=="}
    assert files["parsed.txt"] == {"text": "parsed"}
    assert files["metadata.json"] == {"text": '{"model_id": "x"}'}
    assert store.adopted.parsed_with(hashlib.sha256(b"parsed").hexdigest()) == b"parsed"
    assert store.adopted.parsed_with(SHA) is None


@pytest.mark.parametrize("name", ["raw", "parsed"])
def test_each_edit_is_kept_beside_the_others(store: GenerationStore, name: str):
    for text in ("first", "second"):
        store.replace(record("made", "made", stored_reply()), raw="made", parsed="made")
        getattr(store.files, name).write_text(text)
        replaced(store)
    assert {files[f"{name}.txt"]["text"] for files in kept(store)} == {"first", "second"}


@pytest.mark.parametrize("content", [b"parsed", b"caf\xff", b""])
def test_a_kept_text_is_found_by_its_digest_whatever_its_bytes(store: GenerationStore, content: bytes):
    store.files.folder.mkdir(parents=True)
    store.files.parsed.write_bytes(content)
    replaced(store)
    assert store.adopted.parsed_with(hashlib.sha256(content).hexdigest()) == content


def test_what_is_kept_is_written_once(store: GenerationStore):
    store.files.folder.mkdir(parents=True)
    store.files.parsed.write_text("foreign")
    path = store.adopted.keep(store.files)
    content = path.read_bytes()
    assert (store.adopted.keep(store.files), path.read_bytes()) == (path, content)


def test_a_kept_text_is_found_beside_files_that_cannot_be_read(store: GenerationStore):
    store.files.folder.mkdir(parents=True)
    store.files.raw.write_text("without a parsed text")
    folder = store.adopted.keep(store.files).parent
    damaged = [
        "",
        "{",
        "[]",
        "5",
        "{}",
        '{"files": []}',
        '{"files": {"parsed.txt": 5}}',
        '{"files": {"parsed.txt": {}}}',
    ]
    for number, content in enumerate([*damaged, '{"files": {"parsed.txt": {"base64": "?"}}}']):
        (folder / f"{number}.json").write_text(content)
    (folder / "bytes.json").write_bytes(b"\xff")
    (folder / "folder.json").mkdir()
    store.files.parsed.write_text("the text")
    store.adopted.keep(store.files).rename(folder / "z.json")
    assert store.adopted.parsed_with(hashlib.sha256(b"the text").hexdigest()) == b"the text"


def test_a_reply_without_a_text_beside_it_is_kept(store: GenerationStore):
    store.files.folder.mkdir(parents=True)
    store.files.raw.write_text("paid for, by nobody knows whom")
    replaced(store)
    (files,) = kept(store)
    assert files["raw.txt"] == {"text": "paid for, by nobody knows whom"}


def test_what_no_model_wrote_is_replaced_without_a_copy(store: GenerationStore):
    copy = outcome(request_sha256=None, parsed_sha256=text_sha256("copied"))
    store.replace(record_of(specification(), copy, PATHS), raw=None, parsed="copied")
    report = outcome(error="api", error_message="500", raw_sha256=text_sha256("api: 500"))
    store.replace(record_of(specification(), report, PATHS), raw="api: 500", parsed=None)
    replaced(store)
    assert kept(store) == []


def test_a_record_of_another_program_vouches_for_no_reply(store: GenerationStore):
    store.files.folder.mkdir(parents=True)
    store.files.raw.write_text("made")
    says = {"template_id": "t", "request_sha256": SHA, "usage": {"total_tokens": 3}, "raw_sha256": text_sha256("made")}
    store.files.metadata.write_text(json.dumps(says))
    assert store.kept_reply(SHA) is None


def test_a_file_in_the_place_of_the_folder_holds_nothing(store: GenerationStore):
    store.files.folder.parent.mkdir(parents=True)
    store.files.folder.write_text("a file")
    assert (store.read_reply(), store.raw_sha256()) == (None, None)


@pytest.mark.parametrize("content", [None, "{"])
def test_a_reply_is_read_without_its_report_though_its_record_is_gone(store: GenerationStore, content: str | None):
    store.files.folder.mkdir(parents=True)
    store.files.raw.write_text(with_report("made", "report"))
    if content is not None:
        store.files.metadata.write_text(content)
    assert store.read_reply() == "made"


def test_a_damaged_record_leaves_nothing_unkept(store: GenerationStore):
    store.replace(record("made", "made", stored_reply()), raw="made", parsed="made")
    store.files.metadata.write_text("{")
    replaced(store)
    assert len(kept(store)) == 1


def test_where_the_stored_reply_is_damaged_raw_txt_is_kept(store: GenerationStore):
    store.replace(record("made", "made", stored_reply()), raw="made", parsed="made")
    PATHS.reply(SHA).write_text("{")
    replaced(store)
    (files,) = kept(store)
    assert files["raw.txt"] == {"text": "made"}


def test_nothing_is_replaced_where_the_disk_refuses_the_copy(store: GenerationStore):
    store.files.folder.mkdir(parents=True)
    store.files.parsed.write_text("foreign")
    PATHS.replies.mkdir(parents=True)
    (PATHS.replies / "adopted").write_text("a file where a folder should be")
    for replace_it in (lambda: replaced(store), lambda: store.write_record(record("r", "p"))):
        with pytest.raises(OSError):
            replace_it()
    assert store.files.parsed.read_text() == "foreign"
    assert not store.files.metadata.exists()


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

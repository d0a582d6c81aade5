"""What a store keeps of a model's texts before anything replaces them."""

from __future__ import annotations

import hashlib
import json

import pytest
from core_fixtures import reply, specification
from store_fixtures import PATHS, SHA, kept, outcome, record, replaced

from daydreaming.generation.outcome import record_of
from daydreaming.generation.store import GenerationStore, text_sha256, with_report
from daydreaming.ledger.received import Reply
from daydreaming.ledger.replies import ReplyStore


def stored_reply(text: str = "made") -> Reply:
    """A reply that is in the store."""
    one = reply(SHA, text=text)
    ReplyStore(PATHS).adopt(one, source="test")
    return one


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

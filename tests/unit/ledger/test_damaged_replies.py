"""Files of the reply store that were edited, that earlier versions wrote, or that are no replies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from core_fixtures import request
from reply_fixtures import not_a_reply, save

from daydreaming.base.errors import GenerationError
from daydreaming.ledger.received import Reply
from daydreaming.ledger.replies import ReplyStore


@pytest.mark.parametrize(
    ("old", "new"),
    [("One idea.", "Another idea."), ('"cost_usd": 0.01', '"cost_usd": 0.001')],
)
def test_a_reply_that_was_edited_is_never_used(store: ReplyStore, old: str, new: str):
    save(store, request())
    path = store.path(request().sha256)
    text = path.read_text(encoding="utf-8")
    edited = text.replace(old, new) if old in text else text.replace("One idea.", "One")
    assert edited != text
    path.write_text(edited, encoding="utf-8")
    with pytest.raises(GenerationError) as caught:
        store.load(request().sha256)
    assert caught.value.kind == "edited"
    assert str(path) in caught.value.message
    assert store.exists(request().sha256), "it is not called for again by itself"
    assert store.cost_usd(request().sha256) is None
    path.write_text(text, encoding="utf-8")
    assert store.load(request().sha256) is not None


def test_an_edited_receipt_is_named_too(store: ReplyStore):
    not_a_reply(store, request())
    (receipt,) = store.path(request().sha256).parent.glob("*.receipt")
    receipt.write_text(receipt.read_text().replace("Sign in", "Sign out"))
    with pytest.raises(GenerationError) as caught:
        store.load(request().sha256)
    assert caught.value.kind == "edited"
    assert str(receipt) in caught.value.message
    assert store.exists(request().sha256), "it may be what was paid for"
    assert store.cost_usd(request().sha256) is None


def test_white_space_is_no_edit(store: ReplyStore):
    saved = save(store, request())
    path = store.path(request().sha256)
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert store.load(request().sha256) == saved


OLD = {
    "text": "One idea.", "finish_reason": "stop", "refusal": None, "usage": {"completion_tokens": 3}, "cost_usd": 0.5,
    "served_model": "m", "request_id": "r", "started_at": 1, "finished_at": 2.5, "malformed": None,
}  # fmt: skip


def write_old(store: ReplyStore, **changes: object) -> Path:
    path = store.path(request().sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "request_sha256": request().sha256,
        "request": {},
        "reply": {**OLD, **changes},
        "received": {"body": "{}"},
    }
    path.write_text(json.dumps({**content, "stage": "draft", "gen_id": "g1"}))
    return path


def test_a_file_of_the_first_version_is_read(store: ReplyStore):
    write_old(store)
    assert store.load(request().sha256) == Reply(request().sha256, **{**OLD, "started_at": 1.0})


@pytest.mark.parametrize(
    "changes",
    [{"cost_usd": "a lot"}, {"usage": None}, {"usage": {"completion_tokens": "3"}}, {"text": 5}, {"started_at": None}],
)
def test_a_wrong_type_is_a_fault_that_names_the_file(store: ReplyStore, changes: dict[str, object]):
    path = write_old(store, **changes)
    with pytest.raises(GenerationError) as caught:
        store.load(request().sha256)
    assert caught.value.kind == "storage"
    assert str(path) in caught.value.message
    assert next(iter(changes)) in caught.value.message
    assert store.cost_usd(request().sha256) is None


def test_amounts_below_zero_of_an_old_file_are_no_amounts(store: ReplyStore):
    write_old(store, cost_usd=-1000, usage={"prompt_tokens": -5, "completion_tokens": 3})
    loaded = store.load(request().sha256)
    assert (loaded.cost_usd, loaded.usage) == (None, {"completion_tokens": 3})


def test_a_file_of_a_later_version_is_left_alone(store: ReplyStore):
    save(store, request())
    path = store.path(request().sha256)
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 99}))
    with pytest.raises(GenerationError, match="version is 99"):
        store.load(request().sha256)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"reply": null}', b'{"reply": {"text": "a"}}', b"\xff", b'{"reply": {"x": 1}}'],
)
def test_a_file_that_is_no_reply_is_an_error_and_stays(store: ReplyStore, content: bytes):
    path = store.path(request().sha256)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(GenerationError) as caught:
        store.load(request().sha256)
    assert caught.value.kind == "storage"
    assert str(path) in caught.value.message
    assert "move it away" in caught.value.message
    assert path.read_bytes() == content


def test_a_file_that_cannot_be_read_is_an_error(store: ReplyStore):
    store.path(request().sha256).mkdir(parents=True)
    with pytest.raises(GenerationError, match="cannot be read"):
        store.load(request().sha256)

from __future__ import annotations

import asyncio
import base64
import json
import os
from pathlib import Path

import pytest
from core_fixtures import reply, request

from daydreaming.base.errors import GenerationError
from daydreaming.base.paths import DataPaths
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.replies import Reply, ReplyStore


@pytest.fixture
def store(tmp_path: Path):
    replies = ReplyStore(DataPaths(tmp_path / "data"))
    yield replies
    replies.close()


def save(store: ReplyStore, asked: ModelRequest, received: bytes = b'{"id": 1}', **changes: object) -> Reply:
    answer = reply(asked.sha256, **changes)
    room = store.room_for(asked)
    try:
        room.save(answer, received, stage="draft", gen_id="g1")
    finally:
        room.discard()
    return answer


def files_of(store: ReplyStore) -> list[str]:
    folder = store.path(request().sha256).parent
    return sorted(path.name for path in folder.iterdir())


def test_what_is_stored_comes_back(store: ReplyStore):
    assert store.load(request().sha256) is None
    assert not store.exists(request().sha256)
    saved = save(store, request(), text="Grüße\r\n\u2028 \U0001f600\x00", refusal=None, malformed="odd")
    assert store.exists(request().sha256)
    assert store.load(request().sha256) == saved


def test_the_file_is_named_by_the_request_and_tells_all(store: ReplyStore, tmp_path: Path):
    save(store, request(), received=b'{"choices": "as they came"}')
    name = request().sha256
    path = tmp_path / "data" / "replies" / name[:2] / f"{name}.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["request"] == json.loads(json.dumps(request().content))
    assert content["received"] == {"body": '{"choices": "as they came"}'}
    assert (content["stage"], content["gen_id"], content["request_sha256"]) == ("draft", "g1", name)
    assert content["reply"]["cost_usd"] == 0.01
    assert files_of(store) == [path.name]


def test_bytes_that_are_no_text_are_kept_to_the_last_one(store: ReplyStore):
    save(store, request(), received=b"caf\xff\x00")
    content = json.loads(store.path(request().sha256).read_text())
    assert base64.b64decode(content["received"]["body_base64"]) == b"caf\xff\x00"


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


def test_room_that_was_not_used_is_given_back(store: ReplyStore):
    room = store.room_for(request(max_tokens=100_000))
    (reserved,) = room.path.parent.iterdir()
    assert reserved.stat().st_size > 1_000_000
    room.discard()
    assert list(room.path.parent.iterdir()) == []
    room.discard()


def test_a_full_disk_is_told_before_anything_is_paid(store: ReplyStore, monkeypatch: pytest.MonkeyPatch):
    def refuse(*arguments: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(GenerationError) as caught:
        store.room_for(request())
    assert caught.value.kind == "storage"
    assert "No call was made" in caught.value.message
    assert "No space left" in caught.value.message
    assert files_of(store) == []


def test_a_folder_that_refuses_is_told_before_anything_is_paid(store: ReplyStore, tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "replies").write_text("a file where a folder should be")
    with pytest.raises(GenerationError, match="No call was made"):
        store.room_for(request())


def test_a_reply_that_the_folder_refuses_is_kept_elsewhere(
    store: ReplyStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))

    def refuse(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    room = store.room_for(request())
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(GenerationError) as caught:
        room.save(reply(request().sha256), b"{}")
    room.discard()
    assert caught.value.kind == "storage"
    (rescued,) = (tmp_path / "elsewhere").rglob("*.json")
    assert str(rescued) in caught.value.message
    assert not store.exists(request().sha256)
    monkeypatch.undo()
    rescued.rename(store.path(request().sha256))
    assert store.load(request().sha256) == reply(request().sha256)


def test_a_reply_of_unexpected_length_is_stored_all_the_same(store: ReplyStore):
    saved = save(store, request(max_tokens=1), received=b"x" * 3_000_000, text="y" * 1_000_000)
    assert store.load(request(max_tokens=1).sha256) == saved


def test_a_reply_known_from_its_generation_alone_can_be_adopted(store: ReplyStore):
    adopted = reply(request().sha256)
    store.adopt(adopted, source="data/gens/draft/a/raw.txt")
    assert store.load(request().sha256) == adopted
    content = json.loads(store.path(request().sha256).read_text())
    assert (content["request"], content["received"]) == (None, {"adopted_from": "data/gens/draft/a/raw.txt"})


def test_a_reply_as_it_was_received_is_never_overwritten_by_an_adopted_one(store: ReplyStore):
    save(store, request(), text="as it was received")
    content = store.path(request().sha256).read_bytes()
    store.adopt(reply(request().sha256, text="another one"), source="raw.txt")
    assert store.path(request().sha256).read_bytes() == content


def test_one_at_a_time_pays_for_a_request(store: ReplyStore):
    paid = []

    async def pay(number: int) -> None:
        async with store.in_flight(request().sha256):
            if store.load(request().sha256) is None:
                await asyncio.sleep(0.02)
                save(store, request())
                paid.append(number)

    async def all_at_once() -> None:
        await asyncio.gather(*(pay(number) for number in range(5)))

    asyncio.run(all_at_once())
    assert paid == [0]


def test_different_requests_do_not_wait_for_each_other(store: ReplyStore):
    async def both() -> None:
        async with store.in_flight(request().sha256), store.in_flight(request(replicate=2).sha256):
            pass

    asyncio.run(asyncio.wait_for(both(), 5))

"""Room on the disk for an answer, before it is paid for, and what becomes of one that the disk refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from core_fixtures import request
from reply_fixtures import body, files_of, not_a_reply, save

from daydreaming.base.errors import GenerationError
from daydreaming.base.paths import DataPaths
from daydreaming.ledger.reading import NoReplyError
from daydreaming.ledger.received import Received
from daydreaming.ledger.replies import ReplyStore


@pytest.fixture
def store(tmp_path: Path):
    replies = ReplyStore(DataPaths(tmp_path / "data"))
    yield replies
    replies.close()


def test_room_that_was_not_used_is_given_back(store: ReplyStore):
    room = store.room_for(request(max_tokens=100_000))
    (reserved,) = room.path.parent.iterdir()
    assert reserved.stat().st_size > 1_000_000
    room.discard()
    assert list(room.path.parent.iterdir()) == []
    again = store.room_for(request(max_tokens=100_000))
    room.discard()  # what is there now is not its own
    assert len(list(room.path.parent.iterdir())) == 1
    again.discard()


def test_who_has_got_an_answer_gives_back_nobody_else_s_room(store: ReplyStore):
    answered = store.room_for(request())
    with pytest.raises(NoReplyError):
        answered.keep(Received.of(b"<html>"))
    again = store.room_for(request())
    answered.discard()
    assert [path.suffix for path in sorted(again.path.parent.iterdir())] == [".reserved", ".receipt"]
    again.discard()


def test_there_is_room_for_the_longest_answer_and_for_the_prompt_beside_it(store: ReplyStore):
    def reserved(**asked: object) -> int:
        room = store.room_for(request(**asked))
        size = sum(path.stat().st_size for path in room.path.parent.iterdir())
        room.discard()
        return size

    few, many, unlimited = (reserved(max_tokens=limit) for limit in (100, 1100, None))
    # Four bytes a character, four characters a token.
    assert many - few >= 1000 * 4 * 4
    assert 0 < unlimited <= few
    # The request is stored beside its answer, twice while it is put into place.
    message = "x" * 10_000
    assert reserved(max_tokens=100, messages=({"role": "user", "content": message},)) - few >= 25_000


def test_room_that_a_killed_process_left_is_used_again(store: ReplyStore):
    left = store.room_for(request())
    assert save(store, request(), body("Another.")).text == "Another."
    left.discard()
    assert store.load(request().sha256).text == "Another."
    assert files_of(store) == [store.path(request().sha256).name]


def test_the_folder_of_the_first_reply_survives_a_power_loss(store: ReplyStore, monkeypatch: pytest.MonkeyPatch):
    synchronized: set[int] = set()
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        fsync(descriptor)
        synchronized.add(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", watched)
    save(store, request())
    assert store.path(request().sha256).parent.parent.stat().st_ino in synchronized


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_no_file_stays_open(store: ReplyStore):
    save(store, request(seed=0))
    before = open_files()
    for seed in range(1, 4):
        save(store, request(seed=seed))
    assert open_files() == before


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


def test_a_folder_that_another_process_makes_in_the_same_moment_is_no_hindrance(
    store: ReplyStore, monkeypatch: pytest.MonkeyPatch
):
    folder, really_open = store.path(request().sha256).parent, os.open

    def open_too_early(path: object, *arguments: int) -> int:
        if not folder.exists():
            folder.mkdir(parents=True)
            raise FileNotFoundError(2, "No such file or directory")
        return really_open(path, *arguments)

    monkeypatch.setattr(os, "open", open_too_early)
    assert save(store, request()).text == "One idea."


def refuse(*arguments: object, **options: object) -> None:
    raise OSError(5, "Input/output error")


@pytest.mark.parametrize(
    "refused", [("os.fsync",), ("os.replace",), ("os.write",), ("os.fsync", "pathlib.Path.unlink")], ids="-".join
)
def test_a_reply_that_the_folder_refuses_is_kept_elsewhere(
    store: ReplyStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, refused: tuple[str, ...]
):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
    before = open_files()
    room = store.room_for(request())
    with monkeypatch.context() as patch:
        for name in refused:
            patch.setattr(name, refuse)
        with pytest.raises(GenerationError) as caught:
            room.keep(Received.of(body()))
    room.discard()
    assert (caught.value.kind, open_files()) == ("storage", before)
    (rescued,) = (tmp_path / "elsewhere").rglob("*.json")
    assert str(rescued) in caught.value.message
    assert bool(files_of(store)) == store.exists(request().sha256) == ("pathlib.Path.unlink" in refused)
    rescued.rename(store.path(request().sha256))
    assert store.load(request().sha256).text == "One idea."


@pytest.mark.parametrize("step", ["os.write", "os.ftruncate", "os.replace"])
def test_killed_while_it_stores_an_answer_it_leaves_no_part_of_one(
    store: ReplyStore, monkeypatch: pytest.MonkeyPatch, step: str
):
    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    room = store.room_for(request())
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(step, killed)
        room.receive(Received.of(body()))
    assert [path.suffix for path in room.path.parent.iterdir()] == [".reserved"]
    assert store.load(request().sha256) is None
    assert save(store, request(), body("Another.")).text == "Another."
    room.discard()


def test_a_folder_that_cannot_be_synchronized_has_the_reply_all_the_same(
    store: ReplyStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("daydreaming.ledger.reply_room.sync_folder", refuse)
    saved = save(store, request())
    assert files_of(store) == [store.path(request().sha256).name]
    assert store.load(request().sha256) == saved


def test_a_folder_whose_name_could_not_be_made_safe_is_tried_again(store: ReplyStore, monkeypatch: pytest.MonkeyPatch):
    tried: list[str] = []

    def refuse_once(folder: Path) -> None:
        tried.append(folder.name)
        if tried.count("replies") == 1 and folder.name == "replies":
            refuse()

    monkeypatch.setattr("daydreaming.ledger.reply_room.sync_folder", refuse_once)
    for _ in range(3):
        not_a_reply(store, request())
    folder = store.path(request().sha256).parent.name
    assert tried == [folder, "replies", folder, "replies", "data", folder]


@pytest.mark.parametrize("refused", ["os.fsync", "os.replace"])
def test_what_is_no_reply_is_told_as_that_even_where_the_folder_refuses_it(
    store: ReplyStore, monkeypatch: pytest.MonkeyPatch, refused: str
):
    monkeypatch.setattr(refused, refuse)
    not_a_reply(store, request())


def test_a_reply_of_unexpected_length_is_stored_all_the_same(store: ReplyStore):
    saved = save(store, request(max_tokens=1), body("y" * 3_000_000))
    assert store.load(request(max_tokens=1).sha256) == saved

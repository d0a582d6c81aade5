from __future__ import annotations

import asyncio
import base64
import json
import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest
from core_fixtures import reply, request
from reply_fixtures import ACCOUNT, body, files_of, not_a_reply, save

from daydreaming.base.atomic import write_all
from daydreaming.base.errors import GenerationError
from daydreaming.base.paths import DataPaths
from daydreaming.ledger.reading import NoReplyError
from daydreaming.ledger.received import Received, Reply
from daydreaming.ledger.replies import ReplyStore


def test_what_is_stored_comes_back(store: ReplyStore):
    assert store.load(request().sha256) is None
    assert not store.exists(request().sha256)
    assert store.cost_usd(request().sha256) is None
    saved = save(store, request(), body("Grüße\r\n\u2028 \U0001f600\x00"))
    assert saved.text == "Grüße\r\n\u2028 \U0001f600\x00"
    assert store.exists(request().sha256)
    assert store.load(request().sha256) == saved
    assert store.cost_usd(request().sha256) == 0.01


def test_the_file_is_named_by_the_request_and_tells_all(store: ReplyStore, tmp_path: Path):
    save(store, request(), body())
    name = request().sha256
    path = tmp_path / "data" / "replies" / name[:2] / f"{name}.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert path.stat().st_mode & 0o111 == 0
    assert content["version"] == 2
    assert content["request"] == json.loads(json.dumps(request().content))
    assert content["received"] == {"body": body().decode(), "started_at": 100.0, "finished_at": 101.0}
    assert (content["account"], content["request_sha256"], content["prices"]) == (ACCOUNT, name, [1.0, 2.0])
    assert (content["reply"]["text"], content["reply"]["cost_usd"]) == ("One idea.", 0.01)
    assert files_of(store) == [path.name]


def test_bytes_that_are_no_text_are_kept_to_the_last_one(store: ReplyStore):
    received = body("caf?").replace(b"?", b"\xff\x00")
    saved = save(store, request(), received)
    assert "not UTF-8" in saved.malformed
    content = json.loads(store.path(request().sha256).read_text())
    assert base64.b64decode(content["received"]["body_base64"]) == received


def test_what_is_no_reply_is_kept_as_a_numbered_receipt(store: ReplyStore):
    not_a_reply(store, request(), b"<html>Sign in</html>")
    not_a_reply(store, request(), b'{"error": {"message": "overloaded"}}')
    name = request().sha256
    assert files_of(store) == [f"{name}.1.receipt", f"{name}.2.receipt"]
    assert not store.exists(name)
    assert store.load(name) is None
    assert [
        json.loads((store.path(name).parent / file).read_text())["received"]["body"] for file in files_of(store)
    ] == [
        "<html>Sign in</html>",
        '{"error": {"message": "overloaded"}}',
    ]
    saved = save(store, request())
    assert files_of(store) == [f"{name}.1.receipt", f"{name}.2.receipt", f"{name}.json"]
    assert store.load(name) == saved


def test_an_answer_is_on_the_disk_before_anyone_looks_at_it(store: ReplyStore, monkeypatch: pytest.MonkeyPatch):
    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("daydreaming.ledger.reply_room.read_reply", killed)
    with pytest.raises(KeyboardInterrupt):
        save(store, request(), body("Paid for."))
    monkeypatch.undo()
    assert files_of(store) == [f"{request().sha256}.1.receipt"]
    assert store.exists(request().sha256)
    assert store.load(request().sha256).text == "Paid for."
    assert store.cost_usd(request().sha256) == 0.01


def test_a_disk_that_refuses_the_reply_leaves_the_receipt_which_is_as_good(
    store: ReplyStore, monkeypatch: pytest.MonkeyPatch
):
    def refuse(source: object, target: Path) -> None:
        if str(target).endswith(".json"):
            raise OSError(28, "No space left on device")
        Path(str(source)).rename(target)

    monkeypatch.setattr("daydreaming.ledger.reply_room.os.replace", refuse)
    saved = save(store, request())
    assert files_of(store) == [f"{request().sha256}.1.receipt"]
    assert store.load(request().sha256) == saved


@pytest.mark.parametrize(("received", "name"), [(None, "{}.json"), (b"<html>", "{}.1.receipt")])
def test_what_is_kept_survives_a_power_loss(
    store: ReplyStore, monkeypatch: pytest.MonkeyPatch, received: bytes | None, name: str
):
    """The content is on the disk before it has its name; the name, and its folder's, before anyone is told."""
    steps: list[str] = []
    really = {"write": write_all, "fsync": os.fsync, "replace": os.replace}

    def note(step: str, *arguments: object) -> None:
        steps.append(step)
        really.get(step, lambda *_: None)(*arguments)

    def folder_synced(folder: Path) -> None:
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
        steps.append(f"folder with {' '.join(names)}")

    monkeypatch.setattr("daydreaming.ledger.reply_room.write_all", partial(note, "write"))
    monkeypatch.setattr("daydreaming.ledger.reply_room.os.fsync", partial(note, "fsync"))
    monkeypatch.setattr("daydreaming.ledger.reply_room.os.replace", partial(note, "replace"))
    room = store.room_for(request())
    steps.clear()
    monkeypatch.setattr("daydreaming.ledger.reply_room.sync_folder", folder_synced)
    with suppress(NoReplyError):
        room.keep(Received.of(received or body()))
    room.discard()
    synced = [f"folder with {one}" for one in (name.format(request().sha256), request().sha256[:2], "replies")]
    made_safe = ["write", "fsync", "replace"] if received is None else ["fsync"]
    assert steps == ["write", "replace", *made_safe, *synced]
    # The folders' names are safe now, for all replies of this process.
    steps.clear()
    again = store.room_for(request())
    with suppress(NoReplyError):
        again.keep(Received.of(b"<html>"))
    again.discard()
    assert len([step for step in steps if step.startswith("folder")]) == 1


def test_a_receipt_that_a_power_loss_emptied_is_nothing(store: ReplyStore):
    not_a_reply(store, request())
    (receipt,) = store.path(request().sha256).parent.glob("*.receipt")
    for content in (b"", b"\0" * 4096):
        receipt.write_bytes(content)
        assert store.load(request().sha256) is None
    saved = save(store, request())
    assert store.load(request().sha256) == saved


def test_the_first_receipt_that_holds_a_reply_is_the_reply(store: ReplyStore, monkeypatch: pytest.MonkeyPatch):
    not_a_reply(store, request())
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("daydreaming.ledger.reply_room.read_reply", Mock(side_effect=KeyboardInterrupt))
        save(store, request(), body("The second."))
    assert [name.rpartition(".")[2] for name in files_of(store)] == ["receipt", "receipt"]
    assert store.exists(request().sha256)
    assert store.load(request().sha256).text == "The second."


def test_an_answer_that_was_too_large_is_not_asked_for_again_below_the_limit_that_it_broke(store: ReplyStore):
    room = store.room_for(request())
    with pytest.raises(NoReplyError):
        room.keep(Received.of(b"", larger_than=1000))
    room.discard()
    for limit in (999, 1000):
        with pytest.raises(GenerationError) as caught:
            store.load(request().sha256, limit)
        assert caught.value.kind == "malformed"
    assert store.load(request().sha256, 1001) is None
    assert store.load(request().sha256) is None
    assert not store.exists(request().sha256)


def test_what_is_claimed_is_claimed_by_one_alone(store: ReplyStore):
    first, second = request().sha256, request(seed=2).sha256
    with store.claimed([second]) as theirs:
        assert theirs == {second}
        with store.claimed([first, second]) as ours, store.claimed([first]) as nothing:
            assert (ours, nothing) == ({first}, set())
        with store.claimed([first]) as given_back:
            assert given_back == {first}
    with store.claimed([first, second]) as all_of_them:
        assert all_of_them == {first, second}
        store.close()
        with store.claimed([first]) as given_back_by_all:
            assert given_back_by_all == {first}
    with pytest.raises(KeyboardInterrupt), store.claimed([first]):
        raise KeyboardInterrupt
    with store.claimed([first]) as after_an_end_in_the_middle:
        assert after_an_end_in_the_middle == {first}


def test_what_is_in_flight_cannot_be_claimed(store: ReplyStore):
    async def claimed_meanwhile() -> set[str]:
        names = [request().sha256, request(seed=2).sha256]
        async with store.in_flight(names[0]):
            with store.claimed(names) as taken:
                return set(taken)

    assert asyncio.run(claimed_meanwhile()) == {request(seed=2).sha256}


def test_a_reply_known_from_its_generation_alone_can_be_adopted(store: ReplyStore):
    adopted = reply(request().sha256)
    store.adopt(adopted, source="data/gens/draft/a/raw.txt")
    assert store.load(request().sha256) == adopted
    content = json.loads(store.path(request().sha256).read_text())
    assert content["request"] is None
    assert content["received"] == {
        "adopted_from": "data/gens/draft/a/raw.txt",
        "started_at": 100.0,
        "finished_at": 101.0,
    }


def test_a_reply_as_it_was_received_is_never_overwritten_by_an_adopted_one(store: ReplyStore):
    save(store, request(), body("as it was received"))
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


def test_who_waits_goes_on_when_the_reply_is_stored_whatever_its_payer_still_does(store: ReplyStore):
    async def look() -> Reply | None:
        async with store.in_flight(request().sha256):
            return store.load(request().sha256)

    async def scene() -> None:
        async with store.in_flight(request().sha256):
            waiting = asyncio.create_task(look())
            await asyncio.sleep(0.05)
            assert not waiting.done()
            saved = save(store, request())
            assert await asyncio.wait_for(waiting, 10) == saved
            # It had no lock, and has given none back.
            with store.claimed([request().sha256]) as taken:
                assert taken == set()

    asyncio.run(scene())


def test_different_requests_do_not_wait_for_each_other(store: ReplyStore):
    async def both() -> None:
        async with store.in_flight(request().sha256), store.in_flight(request(replicate=2).sha256):
            pass

    asyncio.run(asyncio.wait_for(both(), 60))


@pytest.mark.parametrize("as_receipt", [False, True])
def test_what_was_moved_to_the_archive_is_found_there(as_receipt: bool, store: ReplyStore, tmp_path: Path):
    saved, paths = save(store, request()), DataPaths(tmp_path / "data")
    home = paths.reply(request().sha256)
    archived = paths.archived(home)
    archived.parent.mkdir(parents=True)
    home.rename(archived.with_name(f"{home.stem}.1.receipt") if as_receipt else archived)
    later = ReplyStore(paths)
    assert later.load(request().sha256) == saved
    assert later.exists(request().sha256)
    assert not later.exists(request(seed=2).sha256)
    came_later = save(later, request(seed=2))
    assert later.load(request(seed=2).sha256) == came_later
    assert later.exists(request(seed=2).sha256)

"""What the store keeps of the answers to a request is shown as it is, whatever state a file is in."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from core_fixtures import reply, request

from daydreaming.base.errors import GenerationError
from daydreaming.base.paths import DataPaths
from daydreaming.ledger.kept_answers import KeptAnswer, answers_to, body_of, requests_named, requests_of, unused_answers
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.reading import NoReplyError
from daydreaming.ledger.received import Received
from daydreaming.ledger.replies import ReplyStore

PORTAL = b"<html>Sign in</html>"
PAID = {"choices": [{"message": {"content": "One idea."}, "finish_reason": "stop"}], "usage": {"cost": 0.25}}


@pytest.fixture
def paths(tmp_path: Path) -> DataPaths:
    return DataPaths(tmp_path / "data")


def keep(paths: DataPaths, body: bytes, asked: ModelRequest | None = None, finished_at: float = 101.0) -> None:
    """Store an answer as a call does."""
    store = ReplyStore(paths)
    room = store.room_for(asked or request())
    with suppress(NoReplyError):
        room.keep(Received.of(body, finished_at=finished_at), (1.0, 2.0), {"stage": "draft", "gen_id": "g1"})
    room.discard()
    store.close()


def only(answers: list[KeptAnswer]) -> KeptAnswer:
    (answer,) = answers
    return answer


def test_a_reply_is_shown_behind_the_receipts_of_what_came_before(paths: DataPaths):
    for number in range(11):
        keep(paths, b'{"error": "%d"}' % number)
    keep(paths, json.dumps(PAID).encode())
    *receipts, answer = answers_to(paths, request().sha256)
    assert [body_of(one) for one in receipts] == [b'{"error": "%d"}' % number for number in range(11)]
    assert {one.use for one in receipts} == {"unused"}
    assert all("error inside a status 200" in (one.problem or "") for one in receipts)
    assert (answer.use, answer.problem, answer.finish_reason, answer.cost_usd) == ("reply", None, "stop", 0.25)
    assert (answer.status, answer.answered_at, answer.body_bytes) == (200, 101.0, len(json.dumps(PAID)))
    assert answer.account == {"stage": "draft", "gen_id": "g1"}
    assert answer.path == paths.reply(request().sha256)


def test_a_receipt_that_a_killed_process_left_is_the_reply_unless_there_is_another(
    paths: DataPaths, monkeypatch: pytest.MonkeyPatch
):
    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("daydreaming.ledger.reply_room.read_reply", killed)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            keep(paths, json.dumps(PAID).encode())
    monkeypatch.undo()
    first, second = answers_to(paths, request().sha256)
    assert (first.use, second.use) == ("reply", "unused")
    assert "already" in (second.problem or "")
    assert unused_answers(paths) == [second]
    keep(paths, json.dumps(PAID).encode())
    assert [one.use for one in answers_to(paths, request().sha256)] == ["unused", "unused", "reply"]


def test_damaged_files_are_shown_with_what_is_wrong_and_hide_no_other(paths: DataPaths):
    for _ in range(4):
        keep(paths, PORTAL)
    folder = paths.reply(request().sha256).parent
    first, second, third, _ = sorted(folder.iterdir())
    first.write_bytes(first.read_bytes().replace(b"Sign in", b"Sign on"))
    second.write_bytes(b"\0" * 40)
    third.unlink()
    edited, empty, whole = unused_answers(paths)
    assert (edited.use, empty.use, whole.use) == ("unreadable", "unreadable", "unused")
    assert "changed after it was stored" in (edited.problem or "")
    assert "is empty" in (empty.problem or "")
    assert "a web page" in (whole.problem or "")
    with pytest.raises(GenerationError):
        body_of(edited)


def test_unused_answers_of_all_requests_come_oldest_first(paths: DataPaths):
    for number in (3, 1, 2):
        keep(paths, PORTAL, request(replicate=number), finished_at=100.0 + number)
    keep(paths, json.dumps(PAID).encode(), request(replicate=1))
    (paths.replies / "ab").mkdir(exist_ok=True)
    (paths.replies / "ab" / "notes.receipt").write_text("of somebody else")
    assert [one.answered_at for one in unused_answers(paths)] == [101.0, 102.0, 103.0]
    assert unused_answers(DataPaths(paths.root / "other")) == []


def test_a_paid_answer_that_cannot_be_used_is_the_reply_and_says_why(paths: DataPaths):
    keep(paths, json.dumps({"choices": [], "usage": {"cost": 0.5}}).encode())
    answer = only(answers_to(paths, request().sha256))
    assert (answer.use, answer.cost_usd) == ("reply", 0.5)
    assert "no choices" in (answer.problem or "")
    assert unused_answers(paths) == []


def test_an_adopted_reply_has_no_body_and_says_where_it_came_from(paths: DataPaths):
    store = ReplyStore(paths)
    store.adopt(reply(request().sha256), source="data/gens/draft/old/raw.txt")
    store.close()
    answer = only(answers_to(paths, request().sha256))
    assert (answer.use, answer.status, answer.body_bytes, answer.answered_at) == ("reply", None, None, 101.0)
    assert "data/gens/draft/old/raw.txt" in (answer.problem or "")


def test_requests_are_found_by_the_beginning_of_their_names(paths: DataPaths):
    keep(paths, PORTAL)
    keep(paths, json.dumps(PAID).encode())
    name = request().sha256
    assert requests_named(paths, name[:4]) == requests_named(paths, name) == [name]
    assert requests_named(paths, name[:4] + ("0" if name[4] != "0" else "1")) == []


def test_the_requests_of_a_generation_are_those_that_any_run_made_for_it(paths: DataPaths):
    lines = [
        {"event": "call_started", "call": "1", "stage": "draft", "gen_id": "g1", "request_sha256": "a" * 64},
        {"event": "call_started", "call": "2", "stage": "essay", "gen_id": "g1", "request_sha256": "b" * 64},
        {"event": "call_started", "call": "3", "stage": "draft", "gen_id": "g1", "request_sha256": "a" * 64},
        {"event": "call_started", "call": "4", "stage": "draft", "gen_id": "g1", "request_sha256": "../../secret"},
        {"event": "call_started", "call": "5", "stage": "draft", "gen_id": "g1", "request_sha256": "c" * 64},
    ]
    for cohort, part in (("one", lines[:3]), ("two", lines[3:])):
        journal = paths.cohort(cohort).journal
        journal.parent.mkdir(parents=True)
        journal.write_text("".join(json.dumps(line) + "\n" for line in part))
    assert requests_of(paths, "draft", "g1") == ["a" * 64, "c" * 64]
    assert requests_of(paths, "draft", "g2") == []

"""Answers that are put into a reply store."""

from __future__ import annotations

import json

import pytest
from core_fixtures import request

from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.reading import NoReplyError
from daydreaming.ledger.received import Received, Reply
from daydreaming.ledger.replies import ReplyStore

ACCOUNT = {"stage": "draft", "gen_id": "g1"}


def body(text: str | None = "One idea.", **changes: object) -> bytes:
    choice = {"message": {"content": text}, "finish_reason": "stop"}
    return json.dumps({"choices": [choice], "usage": {"cost": 0.01}, **changes}).encode()


def save(store: ReplyStore, asked: ModelRequest, received: bytes | None = None) -> Reply:
    room = store.room_for(asked)
    try:
        answer = Received.of(body() if received is None else received, started_at=100.0, finished_at=101.0)
        return room.keep(answer, (1.0, 2.0), ACCOUNT)
    finally:
        room.discard()


def not_a_reply(store: ReplyStore, asked: ModelRequest, received: bytes = b"<html>Sign in</html>") -> None:
    with pytest.raises(NoReplyError):
        save(store, asked, received)


def files_of(store: ReplyStore) -> list[str]:
    folder = store.path(request().sha256).parent
    return sorted(path.name for path in folder.iterdir())

"""Bodies of answers, and what is read of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from core_fixtures import request

from daydreaming.ledger.reading import NoReplyError, read_reply
from daydreaming.ledger.received import Received, Reply

PRICES = (1.0, 3.0)
PAID = {"prompt_tokens": 1000, "completion_tokens": 2000, "total_tokens": 3000}


def completion(message: Any = None, **changes: Any) -> dict[str, Any]:
    choice = {"message": {"content": "Hi."} if message is None else message, "finish_reason": "stop"}
    return {"id": "c-1", "model": "served", "choices": [choice], "usage": {}, **changes}


def read(
    body: Any, headers: dict[str, str] | None = None, prices: tuple[float | None, ...] = PRICES, **values: Any
) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    received = Received.of(content, headers=headers or {}, started_at=1.0, finished_at=2.5, **values)
    assert received.content == content
    return read_reply(request().sha256, received, prices)


def no_reply(body: Any, **values: Any) -> NoReplyError:
    with pytest.raises(NoReplyError) as caught:
        read(body, **values)
    return caught.value

"""Records of the reply store: an answer as it was received, and the reply that was read from it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import msgspec

VERSION = 2

# US dollars per million prompt and completion tokens; None where a price is not known.
Prices = tuple[float | None, float | None]


class Received(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer as it came, before anything interprets it. Times are Unix seconds.

    A body that is no UTF-8 is kept in base64. `incomplete` says why the rest of the body is missing, and `larger_than`
    names the limit in bytes if that is why; `redacted` at how many places a secret was taken out, `adopted_from` that
    the text is known from a generation's files alone.
    """

    status: int = 200
    headers: dict[str, str] = {}
    body: str | None = None
    body_base64: str | None = None
    started_at: float = 0.0
    finished_at: float = 0.0
    incomplete: str | None = None
    larger_than: int | None = None
    redacted: int = 0
    adopted_from: str | None = None

    @classmethod
    def of(cls, content: bytes, **values: Any) -> Received:
        """The record of a body and of what else is known of its answer."""
        try:
            return cls(body=content.decode("utf-8"), **values)
        except UnicodeDecodeError:
            return cls(body_base64=base64.b64encode(content).decode("ascii"), **values)

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        if self.body_base64 is not None:
            return base64.b64decode(self.body_base64)
        return (self.body or "").encode("utf-8")


class Reply(msgspec.Struct, frozen=True):
    """What accounts and parsers need of an answer. Times are Unix seconds, costs US dollars.

    `malformed` says what keeps a reply that was paid for from being used; `redacted` at how many places a secret was
    taken out of the answer.
    """

    request_sha256: str
    text: str | None
    finish_reason: str | None
    refusal: str | None
    usage: dict[str, int]
    cost_usd: float | None
    served_model: str | None
    request_id: str | None
    started_at: float
    finished_at: float
    malformed: str | None = None
    redacted: int = 0


class StoredAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the reply store: a receipt (`reply` is None), or a reply with the answer that it was read from.

    `account` names what the call was for (stage, gen_id, cohort_id, endpoint, ...), `prices` what it was to cost.
    """

    request_sha256: str
    request: dict[str, Any] | None
    reply: dict[str, Any] | None = None
    received: Received
    prices: Prices = (None, None)
    account: Mapping[str, str] = {}

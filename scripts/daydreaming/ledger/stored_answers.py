"""The files of the reply store: how they are written and read, with a version and a digest of themselves."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import orjson

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.ledger.received import VERSION, Received, Reply, StoredAnswer

PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
_PAY_AGAIN = "move it away to pay for the request again"
# What msgspec knows of a type is put together when it is first used. msgspec 0.22 ends the process with a segmentation
# fault where two threads come first at once, so it is done here, while this module is imported.
_KNOWN = tuple(msgspec.json.Decoder(kind) for kind in (StoredAnswer, Reply))


def as_file(answer: StoredAnswer) -> bytes:
    """The bytes of the file that holds a stored answer."""
    content = {
        "version": VERSION,
        "request_sha256": answer.request_sha256,
        "request": answer.request,
        **({"reply": answer.reply} if answer.reply is not None else {}),
        "received": msgspec.to_builtins(answer.received),
        "prices": list(answer.prices),
        "account": dict(answer.account),
    }
    return orjson.dumps({**content, "digest": _digest(content)}, option=PRETTY)


def from_file(path: Path, content: bytes, request_sha256: str) -> StoredAnswer:
    """Read a stored answer, of this version or an earlier one.

    Raises GenerationError: `edited` when the file was changed after it was stored, `storage` when it is no stored
    answer to the request of that name.
    """
    try:
        stored = orjson.loads(content)
        version = stored.get("version", 1)
        if not isinstance(version, int) or version > VERSION:
            raise ValueError(f"its version is {version!r}, and this program reads up to {VERSION}")
        if version > 1 and stored.pop("digest", None) != _digest(stored):
            raise GenerationError(
                FailureKind.EDITED,
                f"{path} was changed after it was stored (its digest does not agree with it). It is neither used nor "
                f"asked for again: put the file back as it was, or {_PAY_AGAIN}.",
            )
        answer = msgspec.convert(_as_now(stored) if version == 1 else stored, StoredAnswer)
        if answer.request_sha256 != request_sha256:
            raise ValueError(f"it is the reply to the request {answer.request_sha256}")
        return answer
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # msgspec's are ValueErrors
        cure = f"Repair it, or {_PAY_AGAIN}."
        raise GenerationError(FailureKind.STORAGE, f"{path} is not a stored reply ({error}). {cure}") from error


def values_of(reply: Reply) -> dict[str, Any]:
    """A reply as it stands in its file."""
    values: dict[str, Any] = msgspec.to_builtins(reply)
    del values["request_sha256"]
    return values


def reply_of(path: Path, answer: StoredAnswer) -> Reply:
    """The reply that a file holds. Raises GenerationError (storage) for values of a wrong type."""
    values = dict(answer.reply or {})
    try:
        reply = msgspec.convert({**values, "request_sha256": answer.request_sha256}, Reply)
    except msgspec.ValidationError as error:
        cure = f"Repair it, or {_PAY_AGAIN}."
        raise GenerationError(FailureKind.STORAGE, f"{path} is not a stored reply ({error}). {cure}") from error
    # Earlier versions kept what a server said of its cost even where it was below zero.
    usage = {name: count for name, count in reply.usage.items() if count >= 0}
    cost = reply.cost_usd if reply.cost_usd is not None and reply.cost_usd >= 0 else None
    return msgspec.structs.replace(reply, usage=usage, cost_usd=cost)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _as_now(stored: dict[str, Any]) -> dict[str, Any]:
    """A file of version 1, which had no digest and its account among the other keys."""
    known = ("request_sha256", "request", "reply", "received")
    account = {name: value for name, value in stored.items() if name not in known and isinstance(value, str)}
    reply = stored["reply"]
    if not isinstance(reply, dict):
        raise TypeError("it has no reply")
    times = {name: reply.get(name, 0.0) for name in ("started_at", "finished_at")}
    received = {**msgspec.to_builtins(Received()), **(stored.get("received") or {}), **times}
    return {**{name: stored.get(name) for name in known}, "received": received, "account": account}

"""What the reply store keeps of the answers to a request, reply and receipts, for people who look after one.

Nothing is written and nothing that is damaged stops the look: it is shown with what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.base.paths import DataPaths
from daydreaming.ledger.journal import read_events
from daydreaming.ledger.metadata import read_metadata
from daydreaming.ledger.reading import NoReplyError, read_reply
from daydreaming.ledger.received import Received, Reply, StoredAnswer
from daydreaming.ledger.stored_answers import from_file, reply_of

_REQUEST_NAME = re.compile(r"[0-9a-f]{64}")
_RECEIPT_NAME = re.compile(rf"({_REQUEST_NAME.pattern})\.([1-9][0-9]*)\.receipt")


class Use(StrEnum):
    """What an answer is to its request."""

    REPLY = "reply"
    UNUSED = "unused"
    UNREADABLE = "unreadable"


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer to a request. Times are Unix seconds, costs US dollars, sizes bytes; None is not known.

    `problem` says why it is not used, or what is wrong with a reply that was paid for; `account` what it was for.
    """

    request_sha256: str
    path: Path
    use: Use
    problem: str | None = None
    answered_at: float | None = None
    status: int | None = None
    finish_reason: str | None = None
    usage: Mapping[str, int] = {}
    cost_usd: float | None = None
    body_bytes: int | None = None
    account: Mapping[str, str] = {}


def answers_to(paths: DataPaths, request_sha256: str) -> list[KeptAnswer]:
    """All that was answered to a request, oldest first: its receipts by their numbers, then its reply.

    Raises OSError where the folder cannot be read.
    """
    path = paths.reply(request_sha256)
    receipts = sorted(
        (int(name[2]), receipt)
        for receipt in path.parent.glob(f"{request_sha256}.*.receipt")
        if (name := _RECEIPT_NAME.fullmatch(receipt.name))
    )
    has_reply = path.exists()
    answers = []
    for _, receipt in receipts:
        answers.append(_look(receipt, request_sha256, has_reply=has_reply))
        has_reply = has_reply or answers[-1].use is Use.REPLY
    return [*answers, _look(path, request_sha256, has_reply=False)] if path.exists() else answers


def unused_answers(paths: DataPaths) -> list[KeptAnswer]:
    """The receipts of all requests that are not their reply, oldest first. Raises OSError."""
    names = (_RECEIPT_NAME.fullmatch(path.name) for path in paths.replies.glob("??/*.receipt"))
    requests = dict.fromkeys(name[1] for name in names if name)
    unused = (one for request in requests for one in answers_to(paths, request) if one.use is not Use.REPLY)
    return sorted(unused, key=lambda one: (one.answered_at or 0.0, one.path))


def requests_named(paths: DataPaths, beginning: str) -> list[str]:
    """The requests with an answer whose names begin so (hexadecimal digits, at least two of them), sorted."""
    found = (path.name[:64] for path in (paths.replies / beginning[:2]).glob(f"{beginning}*"))
    return sorted({name for name in found if _REQUEST_NAME.fullmatch(name)})


def requests_of(paths: DataPaths, stage: str, gen_id: str) -> list[str]:
    """The requests that were made for a generation, oldest first, as its record and the journals of all cohorts say."""
    called = (
        event.get("request_sha256")
        for folder in sorted(paths.cohorts.glob("*/"))
        for event in read_events(paths.cohort(folder.name).journal)
        if event["event"] == "call_started" and (event.get("stage"), event.get("gen_id")) == (stage, gen_id)
    )
    recorded = read_metadata(paths.generation(stage, gen_id).metadata).metadata.request_sha256
    names = dict.fromkeys((*called, recorded))
    return [name for name in names if name is not None and _REQUEST_NAME.fullmatch(name)]


def body_of(answer: KeptAnswer) -> bytes:
    """The body of an answer as it was received. Raises GenerationError for a damaged file, OSError."""
    return _stored(answer.path, answer.request_sha256).received.content


def _look(path: Path, request_sha256: str, *, has_reply: bool) -> KeptAnswer:
    """What one file of the store is. A receipt is its request's reply where there is no other one before it."""
    try:
        answer = _stored(path, request_sha256)
        reply, problem = _reply_in(path, answer)
    except (GenerationError, OSError) as error:
        message = error.message if isinstance(error, GenerationError) else f"{path} cannot be read: {error}."
        return KeptAnswer(request_sha256=request_sha256, path=path, use=Use.UNREADABLE, problem=message)
    if reply is not None and has_reply:
        problem = "Its request has a reply already."
    return KeptAnswer(
        request_sha256=request_sha256,
        path=path,
        use=Use.REPLY if reply is not None and not has_reply else Use.UNUSED,
        problem=problem,
        answered_at=_answered_at(answer.received, reply),
        status=None if answer.received.adopted_from else answer.received.status,
        finish_reason=reply.finish_reason if reply else None,
        usage=reply.usage if reply else {},
        cost_usd=reply.cost_usd if reply else None,
        body_bytes=None if answer.received.adopted_from else len(answer.received.content),
        account=answer.account,
    )


def _stored(path: Path, request_sha256: str) -> StoredAnswer:
    content = path.read_bytes()
    if not content.strip(b"\0"):
        raise GenerationError(FailureKind.STORAGE, f"{path} is empty: the machine stopped as it was written.")
    return from_file(path, content, request_sha256)


def _reply_in(path: Path, answer: StoredAnswer) -> tuple[Reply | None, str | None]:
    """The reply that a file holds, and what is wrong with it; None, and why, for a receipt that holds none."""
    if answer.reply is not None:
        reply = reply_of(path, answer)
        adopted = answer.received.adopted_from
        return reply, reply.malformed or (f"Adopted from {adopted}." if adopted else None)
    try:
        reply = read_reply(answer.request_sha256, answer.received, answer.prices)
    except NoReplyError as error:
        incomplete = answer.received.incomplete
        return None, error.message if incomplete is None else f"The answer broke off: {incomplete}"
    return reply, reply.malformed


def _answered_at(received: Received, reply: Reply | None) -> float | None:
    return received.finished_at or (reply.finished_at if reply else None) or None

"""From an answer as it was received to the reply that it holds: a pure step, that can be repeated without a call."""

from __future__ import annotations

import re
from typing import Any

from daydreaming.base.errors import FailureKind
from daydreaming.ledger.anthropic_answers import as_completion
from daydreaming.ledger.bodies import BodyError, json_object, reported_usage
from daydreaming.ledger.costs import cost_usd, token_counts, was_paid
from daydreaming.ledger.received import Prices, Received, Reply

SHOWN_CHARACTERS = 300
_THOUGHTS = frozenset({"thinking", "reasoning", "redacted_thinking"})


class NoReplyError(Exception):
    """An answer of status 2xx that neither holds a reply nor reports that anything was paid.

    `code` is the HTTP status that an error inside the answer names, `error` that error.
    """

    def __init__(self, message: str, *, perhaps_billed: bool = True, code: int | None = None, error: Any = None):
        super().__init__(message)
        self.message = message
        self.kind = FailureKind.API
        self.perhaps_billed = perhaps_billed
        self.code = code
        self.error = error


def read_reply(request_sha256: str, received: Received, prices: Prices) -> Reply:
    """Return the reply that a received answer holds.

    What reports tokens or a cost above zero is a reply, whatever else is wrong with it: `malformed` then says what.
    `prices` are US dollars per million prompt and completion tokens. Raises NoReplyError, and nothing else.
    """
    content_type = received.headers.get("content-type", "").lower()
    try:
        body, malformed = json_object(received.content, content_type)
    except BodyError as error:
        # A body that was cut off, or with something behind it, may still say what was paid.
        body, malformed = {"usage": reported_usage(received.content)}, None
        fault: NoReplyError | None = _no_object(received, error)
    else:
        body = as_completion(body)
        fault = _fault(body, _choice(body), received)
    usage, choice = body.get("usage"), _choice(body)
    if fault is not None and not was_paid(usage):
        raise fault
    if fault is not None:
        limit = received.larger_than
        malformed = fault.message if limit is None else too_large(limit, was_paid=True)
    message = _mapping(choice.get("message"))
    return Reply(
        request_sha256=request_sha256,
        text=_text(message.get("content")),
        finish_reason=_word(choice.get("finish_reason")),
        refusal=_text(message.get("refusal")) or _refusal_part(message.get("content")),
        usage=token_counts(usage),
        cost_usd=cost_usd(usage, prices),
        served_model=_word(body.get("model")),
        request_id=received.headers.get("x-request-id") or _word(body.get("id")),
        started_at=received.started_at,
        finished_at=received.finished_at,
        malformed=malformed,
        redacted=received.redacted,
    )


def shown(text: str | bytes) -> str:
    """The beginning of a text on one line, for a message."""
    if isinstance(text, bytes):
        text = text[: SHOWN_CHARACTERS * 4].decode("utf-8", errors="replace")
    return " ".join(clean(text[: SHOWN_CHARACTERS * 4]).split())[:SHOWN_CHARACTERS]


def clean(text: str) -> str:
    """A text that every file can hold: lone surrogates become U+FFFD."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def error_text(error: Any) -> str:
    """What an error object says, with what a router passes on of the provider behind it (`metadata.raw`)."""
    if not isinstance(error, dict):
        return shown(str(error))
    text = shown(str(error.get("message") or error))
    metadata = _mapping(error.get("metadata"))
    provider, raw = _word(metadata.get("provider_name")), metadata.get("raw")
    if raw:
        text += f" ({provider or 'the provider'}: {shown(raw if isinstance(raw, str) else str(raw))})"
    return text


def too_large(limit: int, *, was_paid: bool = False) -> str:
    """What is said of an answer that was larger than a limit in bytes; one that was surely paid is the reply."""
    what = f"The answer is larger than {limit:,} bytes (max_reply_bytes of the endpoint)."
    if was_paid:
        return f"{what} It was paid for. To pay again, raise max_reply_bytes and move the stored reply away."
    return f"{what} It was probably paid for, and is not asked for again by itself: raise max_reply_bytes to ask again."


def _no_object(received: Received, error: BodyError) -> NoReplyError:
    content = received.content
    if received.larger_than is not None:
        return NoReplyError(too_large(received.larger_than))
    page = content.lstrip()[:1] == b"<"
    what = "a web page, not JSON: is the endpoint's base_url right?" if page else f"{error}:"
    return NoReplyError(f"The endpoint answered with {what} {shown(content)}", perhaps_billed=not page)


def _choice(body: dict[str, Any]) -> dict[str, Any]:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _fault(body: dict[str, Any], choice: dict[str, Any], received: Received) -> NoReplyError | None:
    """Why a body holds no answer; None if it holds one."""
    error = body.get("error") or choice.get("error")
    if error:
        code = error.get("code") if isinstance(error, dict) else None
        status = int(str(code)) if re.fullmatch(r"[45]\d\d", str(code), re.ASCII) else None
        message = f"The endpoint answered with an error inside a status 200 (code {shown(str(code))}): "
        return NoReplyError(message + error_text(error), perhaps_billed=False, code=status, error=error)
    if not choice:
        return NoReplyError(f"The answer holds no choices: {shown(received.content)}")
    if received.incomplete is not None and not choice.get("finish_reason"):
        return NoReplyError(f"The answer broke off: {received.incomplete}")
    return None


def _text(content: Any) -> str | None:
    """The text of a message: a string, or the text parts of a list. Thoughts that stand apart are no part of it."""
    if isinstance(content, list):
        parts = [_part(part) for part in content]
        content = "".join(part for part in parts if part)
    return clean(content) if isinstance(content, str) else None


def _part(part: Any) -> str | None:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or part.get("type") in _THOUGHTS:
        return None
    text = part.get("text")
    text = text.get("value") if isinstance(text, dict) else text
    return text if isinstance(text, str) else None


def _refusal_part(content: Any) -> str | None:
    parts = [part.get("refusal") for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return clean("".join(part for part in parts if isinstance(part, str))) or None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _word(value: Any) -> str | None:
    """A short text of a body; None for a value of another type."""
    return clean(value)[:SHOWN_CHARACTERS] if isinstance(value, str) else None

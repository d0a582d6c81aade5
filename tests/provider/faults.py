"""Builders for the rules that tests want most. Each takes the conditions of `When` and `times` as keywords."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

from provider.rules import Answer, Reset, Rule, When


def fault_429(retry_after: float | None = 1, **conditions: Any) -> Rule:
    """Too many requests, with `Retry-After` (seconds) unless it is None."""
    headers = {"x-ratelimit-remaining-requests": "0"}
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    return rule("429", Answer(status=429, headers=headers), **conditions)


def fault_status(status: int, **conditions: Any) -> Rule:
    """An HTTP error with an error object as its body, e.g. 400, 401, 500 or 503."""
    return rule(str(status), Answer(status=status), **conditions)


def fault_reset(moment: Reset, **conditions: Any) -> Rule:
    """A TCP reset before, during or after the reply's body."""
    return rule(f"reset {moment}", Answer(reset=moment), **conditions)


def fault_cut_body(**conditions: Any) -> Rule:
    """The connection is closed, without a reset, in the middle of the body."""
    return rule("cut body", Answer(close_during=True), **conditions)


def fault_hang(seconds: float, **conditions: Any) -> Rule:
    """Silence for so many seconds, then a reset."""
    return rule("hang", Answer(hang_s=seconds), **conditions)


def fault_down(seconds: float | None = None, **conditions: Any) -> Rule:
    """The call that meets this rule is reset, as are all others; connections are refused for so many seconds.

    None: until `Provider.release`.
    """
    return rule("down", Answer(down_for_s=seconds or 0.0, held=seconds is None), **conditions)


def fault_html(**conditions: Any) -> Rule:
    """A web page with status 200, as captive portals and gateways send."""
    page = "<!doctype html><html><body><h1>Please sign in</h1></body></html>"
    return rule("html", Answer(body=page, headers={"content-type": "text/html; charset=utf-8"}), **conditions)


def fault_error_in_200(code: int = 502, **conditions: Any) -> Rule:
    """An error object with status 200, as routers send when the model behind them fails."""
    body = json.dumps({"error": {"message": "the upstream model failed", "code": code}})
    return rule("error in 200", Answer(body=body), **conditions)


def fault_null_content(**conditions: Any) -> Rule:
    """A chat completion whose content is null."""
    return rule("null content", Answer(message={"content": None}), **conditions)


def fault_empty(**conditions: Any) -> Rule:
    """A chat completion whose content is empty."""
    return rule("empty", Answer(message={"content": ""}), **conditions)


def fault_truncated(**conditions: Any) -> Rule:
    """A reply that ran into its token limit: `finish_reason` is `length`."""
    return rule("truncated", Answer(finish_reason="length"), **conditions)


def fault_refused(**conditions: Any) -> Rule:
    """A refusal: no content, a `refusal` text."""
    return rule("refused", Answer(message={"content": None, "refusal": "I cannot help with that."}), **conditions)


def fault_large(characters: int = 20_000_000, **conditions: Any) -> Rule:
    """A well-formed reply of so many characters."""
    return rule("large", Answer(pad_content_to=characters), **conditions)


def fault_invalid_utf8(**conditions: Any) -> Rule:
    """A chat completion whose content holds bytes that are not UTF-8."""
    body = (
        b'{"id": "invalid", "object": "chat.completion", "created": 0, "model": "scripted", "choices": [{"index": 0, '
        b'"finish_reason": "stop", "message": {"role": "assistant", "content": "caf\xff\xfe"}}]}'
    )
    return rule("invalid utf-8", Answer(body_base64=base64.b64encode(body).decode()), **conditions)


def fault_redirect(target: str, status: int = 307, **conditions: Any) -> Rule:
    """A redirect of a call to another address."""
    return rule("redirect", Answer(status=status, headers={"location": target}), **conditions)


def fault_loading(**conditions: Any) -> Rule:
    """What llama.cpp's server answers while it loads its model."""
    body = json.dumps({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}})
    return rule("loading", Answer(status=503, body=body), **conditions)


def fault_gzip_bomb(megabytes: int, status: int = 200, **conditions: Any) -> Rule:
    """A body that is a thousandth of what it unpacks to."""
    piece, checksum = b" " * 1_000_000, 0
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    # Packed up to a full flush, a piece is the same bytes wherever it stands.
    packed = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(megabytes):
        checksum = zlib.crc32(piece, checksum)
    end = packer.flush() + struct.pack("<II", checksum, megabytes * len(piece) % 2**32)
    body = bytes.fromhex("1f8b08000000000002ff") + packed * megabytes + end
    headers = {"content-encoding": "gzip"}
    answer = Answer(status=status, headers=headers, body_base64=base64.b64encode(body).decode())
    return rule("gzip bomb", answer, **conditions)


def reply_raw(head: str, body: bytes | None = None, **conditions: Any) -> Rule:
    """A response whose head is sent as it is given (lines ended by \\n), with a completion as its body by default."""
    content = completion_bytes() if body is None else body
    raw = head.replace("{length}", str(len(content))).replace("\n", "\r\n").encode("latin-1") + b"\r\n" + content
    return rule("raw", Answer(raw_base64=base64.b64encode(raw).decode()), **conditions)


def reply_body(body: bytes | dict[str, Any], headers: dict[str, str] | None = None, **conditions: Any) -> Rule:
    """Any body, of status 200."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(headers=headers or {}, body_base64=base64.b64encode(content).decode())
    return rule("body", answer, **conditions)


def reply_stream(*events: dict[str, Any] | str, **conditions: Any) -> Rule:
    """An event stream, although none was asked for; a text is sent as it is, without `data:`."""
    lines = [event if isinstance(event, str) else f"data: {json.dumps(event)}" for event in events]
    content = "\n\n".join([*lines, "data: [DONE]", ""]).encode()
    return reply_body(content, {"content-type": "text/event-stream"}, **conditions)


def completion_bytes(content: str = "A tide table remembers.", **changes: Any) -> bytes:
    """The body of a normal completion that reports what it cost; `changes` are top-level keys."""
    body = {
        "id": "c-1",
        "model": "scripted",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12, "cost": 0.25},
    }
    return json.dumps({**body, **changes}).encode()


def reply_content(content: str, **conditions: Any) -> Rule:
    """A normal reply with this content."""
    return rule("content", Answer(message={"content": content}), **conditions)


def reply_cost(usd: float, **conditions: Any) -> Rule:
    """A normal reply that reports what it cost in `usage.cost`, as OpenRouter does."""
    return rule("cost", Answer(usage={"cost": usd}), **conditions)


def reply_slowly(seconds: float, **conditions: Any) -> Rule:
    """A normal reply after so many seconds."""
    return rule("slow", Answer(latency_s=seconds), **conditions)


def reply_held(**conditions: Any) -> Rule:
    """A normal reply after `Provider.release`."""
    return rule("held", Answer(held=True), **conditions)


def reply_together(calls: int, seconds: float = 0.2, **conditions: Any) -> Rule:
    """Normal replies so many seconds after so many calls were in flight at once: time for one too many to come."""
    return rule("together", Answer(together=calls, latency_s=seconds), **conditions)


def rule(name: str, answer: Answer, times: int | None = None, **conditions: Any) -> Rule:
    """Any answer, for the calls that `conditions` (the fields of `When`) select."""
    return Rule(name=name, answer=answer, when=When(**conditions), times=times)

"""The JSON object in a body, whatever is wrong with the body: bad bytes, great depth, huge numbers, an event stream."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

# Deeper values are nothing that anyone asks for, and both JSON packages refuse depths above a thousand.
DEEPEST = 64
# Longer whole numbers exceed 64 bits.
LONGEST_NUMBER = 18
_NOT_UTF8 = "The reply holds bytes that are not UTF-8."
_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_UTF8_BOM = b"\xef\xbb\xbf"


class BodyError(ValueError):
    """A body that holds no JSON object."""


def json_object(content: bytes, content_type: str = "") -> tuple[dict[str, Any], str | None]:
    """Return the JSON object of a body, and what is wrong with its encoding (None: nothing).

    The chunks of an event stream are put together to the object that it stands for. Raises BodyError.
    """
    content = content.removeprefix(_UTF8_BOM)
    if content_type.startswith("text/event-stream") or re.match(rb"\s*(data|event|id|retry)?:", content):
        return _of_stream(content)
    value, malformed = _json(content)
    if not isinstance(value, dict):
        raise BodyError("not a JSON object")
    return value, malformed


def _json(content: bytes) -> tuple[Any, str | None]:
    try:
        return orjson.loads(content), None
    except ValueError:
        pass
    text, malformed = _decoded(content)
    try:
        return _loads(text), malformed
    except RecursionError:
        return _loads(_shallow(text)), malformed


def _decoded(content: bytes) -> tuple[str, str | None]:
    try:
        return content.decode("utf-8"), None
    except UnicodeDecodeError:
        return content.decode("utf-8", errors="replace"), _NOT_UTF8


def _loads(text: str) -> Any:
    """Lone surrogates, NaN, raw control characters and numbers of any size, which orjson refuses, are read."""
    try:
        return json.loads(text, strict=False, parse_int=_whole_number)
    except ValueError as error:
        raise BodyError(f"not JSON ({error})") from error


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else float(digits)


def _shallow(text: str) -> str:
    """A JSON text with null in place of everything below DEEPEST levels."""
    kept: list[str] = []
    depth = start = 0
    for token in _TOKENS.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept.append(text[start : token.start()] + "null")
        elif token[0] in "]}":
            depth -= 1
            if depth == DEEPEST:
                start = token.end()
    return "".join(kept) + (text[start:] if depth <= DEEPEST else "")


def _of_stream(content: bytes) -> tuple[dict[str, Any], str | None]:
    """The chat completion that the chunks of an event stream make; a stream that is none at all raises BodyError."""
    text, malformed = _decoded(content)
    whole: dict[str, Any] = {}
    choice: dict[str, Any] = {}
    message: dict[str, str] = {}
    for data in re.findall(r"^data:[ \t]*(.*?)[ \t\r]*$", text, re.MULTILINE):
        if data in {"", "[DONE]"}:
            continue
        chunk, _ = _json(data.encode("utf-8", errors="surrogatepass"))
        if not isinstance(chunk, dict):
            raise BodyError("an event stream with an event that is not a JSON object")
        # Usage and errors come in chunks of their own, often the last one.
        whole.update({name: value for name, value in chunk.items() if name != "choices" and value is not None})
        _add_chunk(choice, message, chunk.get("choices"))
    if not whole and not choice:
        raise BodyError("an event stream without events")
    return {**whole, **({"choices": [{**choice, "message": message}]} if choice else {})}, malformed


def _add_chunk(choice: dict[str, Any], message: dict[str, str], choices: Any) -> None:
    """Add what one chunk says of the first choice."""
    of_first = [part for part in choices if isinstance(part, dict)] if isinstance(choices, list) else []
    for part in of_first:
        if part.get("index", 0) not in (0, None):
            continue
        choice["index"] = 0
        choice.update({name: part[name] for name in ("finish_reason", "error") if part.get(name) is not None})
        # Some servers send the whole message in an event of its own.
        said = part.get("delta") if isinstance(part.get("delta"), dict) else part.get("message")
        for name in ("content", "refusal"):
            if isinstance(said, dict) and isinstance(said.get(name), str):
                message[name] = message.get(name, "") + said[name]

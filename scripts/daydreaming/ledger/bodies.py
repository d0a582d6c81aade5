"""The JSON object in a body, whatever is wrong with the body: bad bytes, great depth, huge numbers, an event stream."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import orjson

# Deeper values are nothing that anyone asks for, and both JSON packages refuse depths above a thousand.
DEEPEST = 64
# Longer whole numbers exceed 64 bits.
LONGEST_NUMBER = 18
_NOT_UTF8 = "The reply holds bytes that are not UTF-8."
_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_UTF8_BOM = b"\xef\xbb\xbf"
# Within a text of the body the quotes would be escaped.
_USAGE = re.compile(r'(?<!\\)"usage"\s{0,20}:\s{0,20}(?=\{)')
_MOST_USAGES = 100


class BodyError(ValueError):
    """A body that holds no JSON object."""


def json_object(content: bytes, content_type: str = "") -> tuple[dict[str, Any], str | None]:
    """Return the JSON object of a body, and what is wrong with its encoding (None: nothing).

    The chunks of an event stream are put together to the object that it stands for. Raises BodyError.
    """
    content = content.removeprefix(_UTF8_BOM)
    # Some gateways call a whole object an event stream.
    is_stream = content_type.startswith("text/event-stream") and not re.match(rb"\s*[{\[]", content)
    if is_stream or re.match(rb"\s*(data|event|id|retry)?:", content):
        return _of_stream(content)
    value, malformed = _json(content)
    if isinstance(value, list) and len(value) == 1:
        [value] = value
    if not isinstance(value, dict):
        raise BodyError("not a JSON object")
    return value, malformed


def reported_usage(content: bytes) -> dict[str, Any]:
    """The last `usage` object in a body that is no JSON as a whole, such as one that was cut off; {} without one."""
    text, _ = _decoded(content)
    for place in reversed(list(_USAGE.finditer(text))[-_MOST_USAGES:]):
        with suppress(ValueError, RecursionError):
            usage, _ = _DECODER.raw_decode(text, place.end())
            return dict(usage)
    return {}


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
        return _DECODER.decode(text)
    except ValueError as error:
        raise BodyError(f"not JSON ({error})") from error


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else float(digits)


_DECODER = json.JSONDecoder(strict=False, parse_int=_whole_number)


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
    """The chat completion that the chunks of an event stream make; a stream that is none at all raises BodyError.

    An event that cannot be read is passed over and said: the others may tell what was paid.
    """
    text, malformed = _decoded(content)
    whole: dict[str, Any] = {}
    choice: dict[str, Any] = {}
    message: dict[str, list[Any]] = {}
    for chunk in _chunks(text):
        if not isinstance(chunk, dict):
            # What is behind the end of the answer is none of it.
            if not choice.get("finish_reason"):
                malformed = f"The reply is an event stream with an event that is no JSON object: {str(chunk)[:100]}"
            continue
        # Usage and errors come in chunks of their own, often the last one.
        whole.update({name: value for name, value in chunk.items() if name != "choices" and value is not None})
        _add_chunk(choice, message, chunk.get("choices"))
    if not whole and not choice:
        raise BodyError(f"an event stream without {'an event that is a JSON object' if malformed else 'events'}")
    said = {name: _joined(parts) for name, parts in message.items()}
    return {**whole, **({"choices": [{**choice, "message": said}]} if choice else {})}, malformed


def _chunks(text: str) -> Iterator[Any]:
    """The value of each event, its text where that is no JSON (WHATWG HTML, server-sent events).

    An event's data may stand on several lines. Where a server leaves out the empty lines between events, each is one.
    """
    for block in re.split(r"\n{2,}", re.sub(r"\r\n?", "\n", text)):
        lines = [line.strip(" \t") for line in re.findall(r"^data:(.*)$", block, re.MULTILINE)]
        whole = _value_or_text("\n".join(lines))
        values = [whole] if not isinstance(whole, str) else map(_value_or_text, lines)
        yield from (value for value in values if value not in ("", "[DONE]"))


def _value_or_text(text: str) -> Any:
    try:
        return _json(text.encode("utf-8", errors="surrogatepass"))[0]
    except BodyError:
        return text


def _add_chunk(choice: dict[str, Any], message: dict[str, list[Any]], choices: Any) -> None:
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
            if isinstance(said, dict) and isinstance(said.get(name), str | list):
                piece = said[name]
                message.setdefault(name, []).extend([piece] if isinstance(piece, str) else piece)


def _joined(parts: list[Any]) -> str | list[Any]:
    """The text that pieces make; pieces that are objects (content parts) stay a list."""
    return "".join(parts) if all(isinstance(part, str) for part in parts) else parts

"""The lines of a journal: their types, and what becomes of a line that cannot be used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import orjson

_BLOCK_BYTES = 1 << 20
BAD_LINE = "bad_line"

_Usd = Annotated[float, msgspec.Meta(ge=0, le=1e15)]
_Count = Annotated[int, msgspec.Meta(ge=0)]


class _CallStarted(msgspec.Struct):
    call: str
    request_sha256: str = ""
    reserved_usd: _Usd | None = None
    run: str | None = None
    stage: str = ""
    gen_id: str = ""
    template_id: str = ""
    llm_model_id: str = ""


class _CallEnded(msgspec.Struct):
    call: str
    cost_usd: _Usd | None = None
    perhaps_billed: bool | None = None
    prompt_tokens: _Count | None = None
    completion_tokens: _Count | None = None
    total_tokens: _Count | None = None
    kind: str | None = None
    run: str | None = None


class _Generation(msgspec.Struct):
    stage: str
    gen_id: str
    template_id: str
    llm_model_id: str
    result: str
    saved_usd: _Usd | None = None
    run: str | None = None


_TYPES: dict[str, type] = {"call_started": _CallStarted, "call_ended": _CallEnded, "generation": _Generation}
# Made known to msgspec here: see `stored_answers`.
_KNOWN: tuple[msgspec.json.Decoder[Any], ...] = tuple(msgspec.json.Decoder(kind) for kind in _TYPES.values())


def parse_event(line: bytes) -> dict[str, Any] | None:
    """A line's event; None for an empty line and for one that a power loss tore.

    A line that was whole and cannot be used (a wrong type, an amount below zero) becomes an event `bad_line` that says
    what its `problem` is: nobody counts it, and the summary of a run names it.
    """
    if not line:
        return None
    try:
        event = orjson.loads(line)
    except ValueError as error:
        # A torn line has no end; its call, if it was one, stays without an end, too.
        return None if not line.rstrip().endswith(b"}") else _bad(f"it is not JSON ({error})")
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        return _bad("it is not an event")
    try:
        if (kind := _TYPES.get(event["event"])) is not None:
            msgspec.convert(event, kind)
    except msgspec.ValidationError as error:
        return _bad(str(error))
    return event


def _bad(problem: str) -> dict[str, Any]:
    return {"event": BAD_LINE, "problem": problem}


def events_from(descriptor: int, position: int) -> Iterator[dict[str, Any]]:
    """The events in an open journal from a position on, as far as their lines are complete.

    The number of a bad line is counted from there.
    """
    rest, number = b"", 0
    while block := os.pread(descriptor, _BLOCK_BYTES, position):
        position += len(block)
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            number += 1
            event = parse_event(line)
            if event is not None:
                yield event if event["event"] != BAD_LINE else {**event, "line": number}

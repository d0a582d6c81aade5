"""What goes wrong, in the user's words: faults in inputs, and failures of a generation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in an input: where it is, what it is, and what to do about it."""

    file: str
    problem: str
    cure: str
    row: int | None = None
    column: str | None = None
    key: str | None = None
    line: int | None = None  # of a text; a table has rows

    def __str__(self) -> str:
        place = self.file
        if self.line is not None:
            place += f", line {self.line}"
        if self.row is not None:
            place += f", row {self.row}"
        if self.column is not None:
            place += f", column {self.column!r}"
        if self.key is not None:
            place += f", key {self.key!r}"
        return f"{place}: {self.problem} {self.cure}"


class InputError(Exception):
    """One or more faults in what the user gave; nothing has been changed when it is raised."""

    def __init__(self, faults: Fault | Iterable[Fault]):
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Fault, ...]]]:
        return type(self), (self.faults,)


class FailureKind(StrEnum):
    """Why a generation has no `parsed.txt`: the values of `error` in metadata.json besides `none`."""

    TEMPLATE = "template"
    PARENT = "parent"
    MISSING_KEY = "missing_key"
    API = "api"
    RATE_LIMIT = "rate_limit"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    UNFINISHED = "unfinished"
    PROMPT_CUT = "prompt_cut"
    TOO_LONG = "too_long"
    REFUSED = "refused"
    EMPTY = "empty"
    TOO_SHORT = "too_short"
    PARSE = "parse"
    BUDGET = "budget"
    OFFLINE = "offline"
    NOT_TRIED = "not_tried"
    STORAGE = "storage"
    EDITED = "edited"
    CONFLICT = "conflict"
    WAITING = "waiting"
    INTERNAL = "internal"


class GenerationError(Exception):
    """A generation that failed, with its kind and a message that says what to do."""

    def __init__(self, kind: FailureKind, message: str):
        self.kind = kind
        self.message = message
        super().__init__(f"[{kind}] {message}")

    def __reduce__(self) -> tuple[type[GenerationError], tuple[FailureKind, str]]:
        return type(self), (self.kind, self.message)


class RunStoppedError(Exception):
    """A generation that needed a call when its run had been stopped; its files are as before."""


class ParseError(Exception):
    """A reply in which a parser does not find what it looks for."""

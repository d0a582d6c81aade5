"""Files in pieces, so that a text that occurs in several of them is stored once: as a line of `generations.jsonl` each.

A piece is a text of its own, or says where it stands already: in a file of an earlier line, which its SHA-256 names,
whole or cut out, as it is or as it is written inside of JSON.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Annotated, Literal

import msgspec

# Shorter texts are stored where they are: to say where else they stand would take as much.
SHORTEST_SHARED = 100
# How a text may stand in another one: as it is; in JSON; in JSON (in two ways) inside of JSON, as a body in a reply.
Form = Literal["json", "ascii-json"]
_FORMS: tuple[tuple[Form, ...], ...] = ((), ("json",), ("json", "json"), ("ascii-json", "json"))


class Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text of an earlier file: its SHA-256, the characters that are meant (`stop` None: to its end), its form."""

    of: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    start: Annotated[int, msgspec.Meta(ge=0)] = 0
    stop: Annotated[int, msgspec.Meta(ge=0)] | None = None
    forms: Annotated[tuple[Form, ...], msgspec.Meta(max_length=2)] = ()


Piece = str | Reference


class StoredFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of `generations.jsonl`: a file, the SHA-256 of its bytes, and its pieces, or its bytes where no text."""

    name: str
    sha256: str
    pieces: tuple[Piece, ...] = ()
    base64: str | None = None


class Text(msgspec.Struct, frozen=True):
    """A text that an earlier line holds."""

    sha256: str
    text: str


class TooLargeError(ValueError):
    """Pieces that come to more than a file may be."""


class Composer:
    """Takes files to pieces; each may refer to those before it."""

    def __init__(self) -> None:
        self._stored: set[str] = set()

    def store(
        self, name: str, content: bytes, shared: Sequence[Text] = (), *, inside: Text | None = None
    ) -> StoredFile:
        """The line for a file. `shared` are earlier texts that may stand in it, `inside` one that it may stand in."""
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 in self._stored and len(content) >= SHORTEST_SHARED:
            return StoredFile(name, sha256, (Reference(sha256),))
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            return StoredFile(name, sha256, base64=base64.b64encode(content).decode("ascii"))
        self._stored.add(sha256)
        if inside is not None and len(text) >= SHORTEST_SHARED and (start := inside.text.find(text)) >= 0:
            return StoredFile(name, sha256, (Reference(inside.sha256, start, start + len(text)),))
        return StoredFile(name, sha256, _pieces(text, shared))


def restored(stored: StoredFile, text_of: Callable[[str], str], most_bytes: int) -> bytes:
    """The bytes of a file; `text_of` gives the text of an earlier one by its SHA-256.

    Raises TooLargeError for more than `most_bytes`, KeyError for a reference to what is not there, ValueError for
    bytes that are not those that the line names.
    """
    if stored.base64 is not None:
        content = base64.b64decode(stored.base64, validate=True)
    else:
        parts, size = [], 0
        for piece in stored.pieces:
            text = piece if isinstance(piece, str) else _text(piece, text_of, most_bytes)
            parts.append(text.encode("utf-8"))
            size += len(parts[-1])
            if size > most_bytes:
                raise TooLargeError
        content = b"".join(parts)
    if len(content) > most_bytes:
        raise TooLargeError
    if hashlib.sha256(content).hexdigest() != stored.sha256:
        raise ValueError("its content is not the one that its digest names")
    return content


def in_form(text: str, forms: Sequence[Form]) -> str:
    """A text as it is written inside of JSON, without the quotes, once for each form."""
    for form in forms:
        text = json.dumps(text, ensure_ascii=form == "ascii-json")[1:-1]
    return text


def _text(reference: Reference, text_of: Callable[[str], str], most_bytes: int) -> str:
    text = text_of(reference.of)[reference.start : reference.stop]
    for form in reference.forms:
        text = in_form(text, [form])
        if len(text) > most_bytes:
            raise TooLargeError
    return text


def _pieces(text: str, shared: Sequence[Text]) -> tuple[Piece, ...]:
    pieces: list[Piece] = [text]
    for one in shared:
        if len(one.text) < SHORTEST_SHARED:
            continue
        seen = set()
        for forms in _FORMS:
            written = in_form(one.text, forms)
            if written not in seen:
                seen.add(written)
                pieces = _split(pieces, written, Reference(one.sha256, forms=forms))
    return tuple(pieces)


def _split(pieces: Sequence[Piece], written: str, reference: Reference) -> list[Piece]:
    split: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, Reference):
            split.append(piece)
            continue
        parts = piece.split(written)
        for before, _ in pairwise(parts):
            split += [before, reference] if before else [reference]
        if parts[-1] or len(parts) == 1:
            split.append(parts[-1])
    return split

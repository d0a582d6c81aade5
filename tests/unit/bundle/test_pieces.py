"""Files in pieces come back to the last byte, whatever is in them, and share what they can."""

from __future__ import annotations

import json

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daydreaming.bundle.pieces import SHORTEST_SHARED, Composer, Reference, StoredFile, Text, TooLargeError, restored

LARGEST = 1_000_000
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).map(lambda text: text * 20)


def come_back(*stored: StoredFile, largest: int = LARGEST) -> list[bytes]:
    """The files as they are restored after having been written down, one after the other."""
    texts: dict[str, str] = {}
    files = []
    for one in stored:
        line = msgspec.json.decode(msgspec.json.encode(one), type=StoredFile)
        files.append(restored(line, texts.__getitem__, largest))
        texts[one.sha256] = files[-1].decode("utf-8", "replace")
    return files


def reply_with(prompt: str, text: str, *, ascii_only: bool) -> bytes:
    """A stored reply: the prompt in JSON, the text in JSON inside of JSON."""
    body = json.dumps({"choices": [{"message": {"content": text}}]}, ensure_ascii=ascii_only)
    return orjson.dumps({"request": {"messages": [{"content": prompt}]}, "body": body}, option=orjson.OPT_INDENT_2)


@given(parent=TEXTS, before=TEXTS, raw=TEXTS, other=st.binary(max_size=200), ascii_only=st.booleans())
def test_what_is_stored_comes_back(parent: str, before: str, raw: str, other: bytes, ascii_only: bool):
    prompt = f"{before}{parent}{before}"
    reply = reply_with(prompt, raw, ascii_only=ascii_only)
    composer = Composer()
    first = composer.store("parent", parent.encode())
    shared = [Text(first.sha256, parent)]
    second = composer.store("prompt", prompt.encode(), shared)
    third = composer.store("raw", raw.encode(), shared)
    fourth = composer.store("parsed", raw[3:-3].encode(), shared, inside=Text(third.sha256, raw))
    known = [Text(second.sha256, prompt), Text(third.sha256, raw), *shared]
    fifth = composer.store("reply", reply, known)
    sixth = composer.store("other", other, known)
    contents = [parent.encode(), prompt.encode(), raw.encode(), raw[3:-3].encode(), reply, other]
    assert come_back(first, second, third, fourth, fifth, sixth) == contents


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_reply_holds_neither_its_prompt_nor_its_text(ascii_only: bool):
    prompt, raw = 'Ask "why"\n— twice. ' * 20, 'Say "because"\n— ünd. ' * 20
    composer = Composer()
    known = [Text(composer.store(text, text.encode()).sha256, text) for text in (prompt, raw)]
    stored = composer.store("reply", reply_with(prompt, raw, ascii_only=ascii_only), known)
    assert [piece.of for piece in stored.pieces if isinstance(piece, Reference)] == [one.sha256 for one in known]
    assert not [piece for piece in stored.pieces if isinstance(piece, str) and ("why" in piece or "because" in piece)]


def test_the_same_content_is_stored_once():
    composer, content = Composer(), b"x" * SHORTEST_SHARED
    first, second = composer.store("a", content), composer.store("b", content)
    assert second.pieces == (Reference(first.sha256),)
    assert come_back(first, second) == [content, content]


def test_no_more_comes_out_than_is_allowed():
    text = '"' * 1000
    first = Composer().store("a", text.encode())
    for pieces in ((Reference(first.sha256),) * 11, (Reference(first.sha256, forms=("json", "json")),) * 4):
        with pytest.raises(TooLargeError):
            come_back(first, StoredFile("b", "0" * 64, pieces), largest=10_000)

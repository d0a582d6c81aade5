"""Thoughts are no answer: what a reasoning model writes before it answers is cut off before any parser reads.

The marks are those that chat templates of models in use leave in a reply; docs/parsers.md lists them.
"""

from __future__ import annotations

import re

from daydreaming.parsers.contract import unreadable

# A mark in code quotes is one that the text talks about.
_MARK = re.compile(
    r"(?<!`)(?:"
    r"<(?P<tag_closes>/?)(?P<tag>think|thinking|reasoning|thought|thoughts|seed:think)\s{0,20}>"
    r"|\[(?P<bracket_closes>/?)THINK\]"
    r"|◁(?P<triangle_closes>/?)think▷"
    r")",
    re.IGNORECASE,
)
# gpt-oss: <|start|>assistant<|channel|>analysis<|message|>...<|end|>; the answer is in the channel `final`.
_CHANNEL = re.compile(
    r"<\|channel\|>\s{0,20}(?P<name>\w{1,40})[^<\n]{0,200}(?:<\|constrain\|>[^<\n]{0,200})?<\|message\|>"
)
_END_OF_MESSAGE = re.compile(r"<\|(?:end|return|call|start|channel)\|>")
_CHANNEL_MARKER = "<|channel|>"
# What is left of the same where a server drops the markers and keeps the words between them.
_BARE_CHANNEL = re.compile(r"\s*analysis(?=[A-Z\W])")
_BARE_FINAL = "assistantfinal"
_FIRST_CHARACTERS = ("<", "[", "◁")
_MOST_MARKS = 10_000


def answer_of(text: str) -> str:
    """Return a reply without the model's thoughts; a reply without marks of thoughts is returned as it is.

    A block ends at the next closing tag of its kind, and at the end of the reply where none follows. A closing tag
    that nothing opened ends thoughts that began with the reply: some chat templates swallow the opening tag.

    Raises:
        ParseError: the reply is nothing but thoughts.
    """
    answer = _without_blocks(_final_message(text))
    if answer != text and not answer.strip():
        raise unreadable("The reply is nothing but thoughts: no answer follows them.", text)
    return answer


def _final_message(text: str) -> str:
    """Return the last message in the channel `final`: "" where there are only others, all where there are none."""
    if _CHANNEL_MARKER not in text:
        return text.rpartition(_BARE_FINAL)[2] if _BARE_CHANNEL.match(text) else text
    names = [(channel["name"], channel.end()) for channel in _CHANNEL.finditer(text)]
    finals = [start for name, start in names if name == "final"]
    if finals:
        end = _END_OF_MESSAGE.search(text, finals[-1])
        return text[finals[-1] : end.start() if end else len(text)]
    return "" if names else text


def _without_blocks(text: str) -> str:
    if not any(character in text for character in _FIRST_CHARACTERS):
        return text
    pieces: list[str] = []
    opened_by: str | None = None
    position = 0
    for count, mark in enumerate(_MARK.finditer(text)):
        if count == _MOST_MARKS:
            raise unreadable(f"The reply has more than {_MOST_MARKS} marks of thoughts.", text)
        kind = mark[0].replace("/", "").replace(" ", "").lower()
        closes = bool(mark["tag_closes"] or mark["bracket_closes"] or mark["triangle_closes"])
        if opened_by is None:
            if closes:
                pieces.clear()
            else:
                pieces.append(text[position : mark.start()])
                opened_by = kind
            position = mark.end()
        elif closes and kind == opened_by:
            opened_by, position = None, mark.end()
    if position == 0:
        return text
    if opened_by is None:
        pieces.append(text[position:])
    return _joined(pieces)


def _joined(pieces: list[str]) -> str:
    """Put together what stands around the blocks; what two lines said is never read as one line."""
    kept = [piece for piece in pieces if piece.strip()]
    lines = [piece if piece.endswith("\n") else f"{piece}\n" for piece in kept[:-1]]
    return "".join([*lines, *kept[-1:]]).lstrip()

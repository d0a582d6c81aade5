"""The words that say that a score follows, and whose score it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import takewhile

from daydreaming.parsers.score_tokens import tokenize
from daydreaming.parsers.score_words import DETERMINERS, DOUBT, FINAL, OTHER, TOTAL

# How far before a label is looked: it bounds the work, whatever the length of a line.
_BEFORE = 160
_SCORE, _OVERALL = "score", "overall"
_LIST_MARK = re.compile(r"\s*(?:[-+•–—>|<\[]|\*(?=\s)|\(?\d{1,2}[.)](?=\s))\s*")
_TAG = re.compile(r"<\w{0,40}$")
_EMPHASIS = re.compile(r"[*#_`\s]*")


class Subject(IntEnum):
    """What a statement says it is the score of; the higher one decides."""

    PART = 1  # of one criterion (`Novelty score: 3`), in a bracket, or `a score of 7`
    TEXT = 2  # `the score is 7` in running text
    LINE = 3  # a line that begins with `Score`
    TOTAL = 4  # `Total Score`, `Overall score`, `Overall:`
    FINAL = 5  # `Final Score`, `Revised score`


@dataclass(frozen=True, slots=True)
class Label:
    """The words that say that a score follows: what stands before `Score`, and where they are in the text."""

    subject: Subject
    begins_line: bool
    is_score: bool
    listed: bool
    bare: bool
    is_tag: bool
    start: int
    end: int


def label_places(text: str) -> Iterator[tuple[int, str]]:
    """Yield where the words `score` and `overall` stand, in their order."""
    # The only capital letter whose small form has another length: places in the two texts must be the same.
    lower = text.replace("İ", "i").lower()
    places = {word: lower.find(word) for word in (_SCORE, _OVERALL)}
    while (found := [(place, word) for word, place in places.items() if place >= 0]) != []:
        place, word = min(found)
        end = place + len(word)
        if not (place and lower[place - 1].isalnum()) and not lower[end : end + 1].isalnum():
            yield place, word
        places[word] = lower.find(word, end)


def label_at(text: str, start: int, word: str) -> Label | None:
    """Say what is labelled by the word that was found; None where it labels no score."""
    limit = max(0, start - _BEFORE)
    newline = text.rfind("\n", limit, start)
    line_is_cut = newline < 0 and limit > 0
    before = text[limit if newline < 0 else newline + 1 : start]
    lead = "" if line_is_cut else lead_of(before)
    tokens = tokenize(before[len(lead) :])
    is_score = word == _SCORE
    words = [token.text for token in reversed(list(takewhile(lambda token: token.kind == "word", reversed(tokens))))]
    mark = tokens[-len(words) - 1].text if len(words) < len(tokens) else ""
    begins = not tokens and not line_is_cut
    if (not is_score and not begins) or set(words) & DOUBT or any(word.endswith("n't") for word in words):
        return None
    if set(words[-3:]) & OTHER or (mark == "-" and not words and tokens[-2:-1] and tokens[-2].text in OTHER):
        return None
    subject = _subject(words, mark, begins) if is_score else Subject.TOTAL
    begins_line = not line_is_cut and len(words) == len(tokens) and set(words) <= FINAL | TOTAL | DETERMINERS
    return Label(
        subject=subject,
        begins_line=begins_line,
        is_score=is_score,
        listed=bool(lead.strip()),
        bare=begins and is_score,
        is_tag=_TAG.search(before) is not None,
        start=start - len(before) + len(lead),
        end=start + len(word),
    )


def lead_of(before: str) -> str:
    """Return the emphasis and list marks that a line begins with."""
    end = 0
    while True:
        step = max(_EMPHASIS.match(before, end).end(), 0)  # type: ignore[union-attr]  # it matches nothing, too
        mark = _LIST_MARK.match(before, step)
        if mark is None:
            return before[:step] if step == len(before) or end else before[:end]
        end = mark.end()


def _subject(words: Sequence[str], mark: str, begins: bool) -> Subject:
    qualifiers = set(words[-3:])
    if qualifiers & FINAL:
        return Subject.FINAL
    if qualifiers & TOTAL:
        return Subject.TOTAL
    if begins:
        return Subject.LINE
    if words and not set(words[-1:]) <= DETERMINERS:
        return Subject.PART
    if not words and mark in ("(", "[", ":", "-", "|", "/"):
        return Subject.PART
    return Subject.TEXT

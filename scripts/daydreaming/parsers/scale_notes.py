"""Scales that a judge names beside a score: `(out of 5)`, `0-10`, `max score 10`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from daydreaming.parsers.score_tokens import Token
from daydreaming.parsers.score_words import FILLING, SCALE_WORDS, UNITS

_NOTE_MARKS = "-:,.=/~"


@dataclass(frozen=True, slots=True)
class ScaleNote:
    """A scale that a judge names: `(out of 5)`, `(0-10)`, `(max 10)`. A bare one names two numbers and nothing else."""

    lowest: Fraction | None
    highest: Fraction
    bare: bool = False


def scale_note(tokens: Sequence[Token]) -> ScaleNote | None:
    """Read a named scale, such as `out of 5`, `0-10` or `max score 10`; None where the tokens name none."""
    if any(
        not (token.number is not None or token.is_word(FILLING | SCALE_WORDS | UNITS) or token.is_mark(_NOTE_MARKS))
        for token in tokens
    ):
        return None
    numbers = [token.number for token in tokens if token.number is not None]
    named = any(token.is_word(SCALE_WORDS) for token in tokens)
    if len(numbers) == 1 and (named or tokens[0].is_mark("/")):
        return ScaleNote(None, numbers[0])
    if len(numbers) == 2 and numbers[0] < numbers[1] and not any(token.is_mark(",=/") for token in tokens):
        return ScaleNote(numbers[0], numbers[1], bare=not named)
    return None


def bracket_group(tokens: Sequence[Token], start: int) -> int | None:
    """Return where the bracket that opens at `start` closes; None if none opens there or it stays open."""
    if start >= len(tokens) or not tokens[start].is_mark("(["):
        return None
    depth = 0
    for index in range(start, len(tokens)):
        depth += tokens[index].is_mark("([") - tokens[index].is_mark(")]")
        if depth == 0:
            return index
    return None

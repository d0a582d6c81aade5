"""Parsers of evaluations: the score in a judge's reply, as decimal text between 0 and 10.

A number counts only where its reading is certain. A range (`7-8`), a decimal comma (`7,5`), a percentage or a
date is an error and not the nearest number: a wrong score is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from math import inf

from daydreaming.parsers.contract import ParserContext, unreadable

LOWEST_SCORE = 0.0
HIGHEST_SCORE = 10.0
_LAST_LINES = 3
_COMPLEX_LINES = 30

_EXACT_LINE = re.compile(r"score:\s*([0-9](?:\.[0-9]+)?)", re.IGNORECASE)
# A place where a score is stated; \d takes in digits of all scripts, so that those we do not read are noticed.
# Repetitions are possessive (`*+`) throughout: a reply of many megabytes of blanks must not take quadratic time.
_MENTION = re.compile(r"\bscore(?:\s*+[:=]\s*+|\s++)(?=[-+.]*+\d)", re.IGNORECASE)
_BLANKS = r"[^\S\n]*+"
_DIGITS = r"[-+]?[0-9]++(?:\.[0-9]++)?"
_NO_MORE_DIGITS = rf"(?!\w|\.\d|{_BLANKS}[%/]|{_BLANKS}(?:[,–—-]{_BLANKS})?\d)"
_OUT_OF = rf"{_BLANKS}out\s+of\b"
_NUMBER = re.compile(rf"({_DIGITS}){_NO_MORE_DIGITS}(?!{_OUT_OF}{_BLANKS}(?!10\b))", re.IGNORECASE)
_FRACTION = re.compile(
    rf"({_DIGITS})(?:{_BLANKS}/|{_OUT_OF}){_BLANKS}(?:(?P<maximum>{_DIGITS}){_NO_MORE_DIGITS})?", re.IGNORECASE
)
_THREE_DIGITS = re.compile(
    rf"(?:[0-9]{{3}}|[0-9](?:{_BLANKS},{_BLANKS}[0-9]){{2}}|[0-9](?:[^\S\n]++[0-9]){{2}}){_NO_MORE_DIGITS}"
)


def in_last_line(raw_text: str, context: ParserContext) -> str:
    """Return the score stated in the last three lines that are not empty; `*` and `#` are ignored.

    A line that is exactly `SCORE: X` (one digit, decimals allowed) comes first. Otherwise it is the last `Score` with
    three digits (`456` or `4, 5, 6`: their mean) or with a number. Of several, the last one counts.

    Raises:
        ParseError: there is no score, it cannot be read with certainty, or it is outside 0 to 10.
    """
    last_lines = list(islice(_lines_from_the_end(raw_text), _LAST_LINES))
    for line in last_lines:
        if exact := _EXACT_LINE.fullmatch(line):
            return _score_text(float(exact[1]), raw_text)
    for line in last_lines:
        if mentions := list(_MENTION.finditer(line)):
            return _score_text(_three_digits_or_number(line, mentions[-1].end(), raw_text), raw_text)
    raise unreadable("No score found: looked for 'SCORE: X' in the last three lines that are not empty.", raw_text)


def complex_score(raw_text: str, context: ParserContext) -> str:
    """Return the score stated in the last 30 lines; `*` and `#` are ignored.

    It is the last `Score` (also `Final Score`, `Total Score`) with `a/b`, scaled to 10, and only where there is
    none the last one with a number, which may stand on the line below.

    Raises:
        ParseError: there is no score, it cannot be read with certainty, or it is outside 0 to 10.
    """
    text = _without_markup("\n".join(raw_text.rstrip().rsplit("\n", _COMPLEX_LINES)[-_COMPLEX_LINES:]))
    mentions = [mention.end() for mention in _MENTION.finditer(text)]
    for position in reversed(mentions):
        if fraction := _FRACTION.match(text, position):
            if fraction["maximum"] is None:
                raise unreadable("The last score that is a fraction has no readable maximum.", raw_text)
            return _score_text(_out_of_ten(float(fraction[1]), float(fraction["maximum"])), raw_text)
    if not mentions:
        raise unreadable("No score found: looked for 'SCORE: a/b' or 'SCORE: X' in the last 30 lines.", raw_text)
    number = _NUMBER.match(text, mentions[-1])
    if not number:
        raise unreadable("The last score in the reply is neither a fraction nor a plain number.", raw_text)
    return _score_text(float(number[1]), raw_text)


def _lines_from_the_end(text: str) -> Iterator[str]:
    """Yield the lines that are not empty, the last one first, without markup; a huge reply is not split as a whole."""
    end = len(text)
    while end >= 0:
        start = text.rfind("\n", 0, end) + 1
        if line := _without_markup(text[start:end]).strip():
            yield line
        end = start - 1


def _without_markup(text: str) -> str:
    return text.replace("*", "").replace("#", "")


def _three_digits_or_number(line: str, position: int, raw_text: str) -> float:
    if three_digits := _THREE_DIGITS.match(line, position):
        digits = re.findall(r"[0-9]", three_digits[0])
        return sum(map(int, digits)) / len(digits)
    if number := _NUMBER.match(line, position):
        return float(number[1])
    hint = " The parser 'complex' reads fractions." if _FRACTION.match(line, position) else ""
    raise unreadable(f"The score in the last lines is neither three digits nor a plain number.{hint}", raw_text)


def _out_of_ten(points: float, maximum: float) -> float:
    # An impossible maximum gives a score out of range, which is reported as every other.
    return points * HIGHEST_SCORE / maximum if 0 < maximum < inf else inf


def _score_text(score: float, raw_text: str) -> str:
    if not LOWEST_SCORE <= score <= HIGHEST_SCORE:
        raise unreadable(f"The score is outside 0 to 10 ({score:g}).", raw_text)
    # Adding zero turns -0.0 into 0.0; Decimal writes small numbers without an exponent.
    return format(Decimal(repr(score + 0.0)), "f")

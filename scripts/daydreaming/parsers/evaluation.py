"""Parsers of evaluations that read a judge's text: the score that its last lines state (grammar: docs/parsers.md).

A wrong score is worse than none: an expression is read whole or not at all, and of statements that differ with
nothing to say which one counts, none does.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from daydreaming.base.errors import ParseError
from daydreaming.parsers.contract import ParsedScore, ParserContext, unreadable
from daydreaming.parsers.scale import OffScaleError, score_text, scored
from daydreaming.parsers.score_expression import UnreadableError
from daydreaming.parsers.score_labels import Subject
from daydreaming.parsers.score_statements import MOST_LABELS, Statement, find_statements

_LAST_LINES = 3
_COMPLEX_LINES = 30
_BLANKS_AND_MARKUP = " \t\n\v\f\xa0\u2028\u2029\u3000\u200b*#_"
_LARGEST_MEAN_OF_DIGITS = 10


def in_last_line(answer: str, context: ParserContext) -> str:
    """Return the score stated in the last three lines that are not empty.

    A line that is `SCORE: X` and no more comes first. On scales up to 10, `456` and `4, 5, 6` are three digits whose
    mean counts.

    Raises:
        ParseError: there is no score, it cannot be read with certainty, or it is outside the scale.
    """
    window = _last_lines(_unix_lines(answer))
    three_digits = context.score_max <= _LARGEST_MEAN_OF_DIGITS
    return _stated_score(window, answer, context, three_digits=three_digits, lines="three lines that are not empty")


def complex_score(answer: str, context: ParserContext) -> str:
    """Return the score stated in the last 30 lines: of statements of the same thing, one with `a/b` comes first.

    Raises:
        ParseError: there is no score, it cannot be read with certainty, or it is outside the scale.
    """
    window = "\n".join(_unix_lines(answer).rstrip().rsplit("\n", _COMPLEX_LINES)[-_COMPLEX_LINES:])
    return _stated_score(window, answer, context, three_digits=None, lines="30 lines")


def _stated_score(
    window: str, answer: str, context: ParserContext, *, three_digits: bool | None, lines: str
) -> ParsedScore:
    """Read the score of a window; `three_digits` is None for the parser that does not put exact lines first."""
    try:
        statements = find_statements(window, three_digits=bool(three_digits))
    except UnreadableError:
        raise unreadable(f"The last lines name a score more than {MOST_LABELS} times.", answer) from None
    if not statements:
        raise unreadable(f"No score found: looked for 'SCORE: X' or 'SCORE: a/b' in the last {lines}.", answer)
    deciding = _deciding(statements, answer, context, exact_first=three_digits is not None)
    scores = {_score(statement, answer, context): statement for statement in deciding}
    if len(scores) > 1:
        parts = " and ".join(repr(statement.part.strip()[:80]) for statement in list(scores.values())[:3])
        raise ParseError(f"The reply states different scores, and nothing says which one counts: {parts}.")
    [(score, statement)] = scores.items()
    return ParsedScore(score_text(score), statement.written)


def _deciding(
    statements: Sequence[Statement], answer: str, context: ParserContext, *, exact_first: bool
) -> Sequence[Statement]:
    """Return the statements of the highest rank; a statement of the score that cannot be read leaves none."""

    def rank(statement: Statement) -> tuple[bool, Subject, int]:
        note = statement.expression.note if statement.expression else None
        form = 0 if note is None else 1 if note.highest != Fraction(str(context.score_max)) else 2
        return exact_first and statement.exact, statement.subject, form

    highest = max(map(rank, statements))
    for statement in reversed(statements):
        if statement.expression is None and statement.subject >= min(Subject.TEXT, highest[1]):
            raise unreadable("The score is stated in a form that cannot be read.", answer, statement.part)
    deciding = [statement for statement in statements if rank(statement) == highest]
    for statement in statements:
        # Passed over, they would be a score that the judge stated and that no scale explains.
        if statement.subject > deciding[0].subject or (statement.subject >= Subject.TEXT and _is_unsure(statement)):
            _score(statement, answer, context)
    listed = [statement for statement in deciding if statement.listed]
    # Items of a list are the parts of what the line outside of it sums up.
    if 1 < len(listed) < len(deciding):
        return [statement for statement in deciding if not statement.listed]
    return deciding


def _is_unsure(statement: Statement) -> bool:
    """Whether a statement can be read on some scales only: `70%`, `7 (0-10)`."""
    expression = statement.expression
    return expression is not None and (expression.percent or (expression.note is not None and expression.note.bare))


def _score(statement: Statement, answer: str, context: ParserContext) -> Fraction:
    assert statement.expression is not None
    try:
        return scored(statement.expression, context)
    except OffScaleError as error:
        raise unreadable(str(error), answer, statement.part) from None


def _last_lines(text: str) -> str:
    """Return the text from the third last line that is not empty; a line of markup alone is an empty one."""
    end = start = len(text)
    for _ in range(_LAST_LINES):
        # Not line by line: a reply of many megabytes may be nothing but line ends.
        end = len(text[:end].rstrip(_BLANKS_AND_MARKUP))
        if end == 0:
            break
        start = text.rfind("\n", 0, end) + 1
        end = start
    return text[start:].rstrip()


def _unix_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

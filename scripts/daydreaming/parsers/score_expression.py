"""The grammar of a score's expression: what stands behind `SCORE:` is read whole or not at all (docs/parsers.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from daydreaming.parsers.scale_notes import ScaleNote, bracket_group, scale_note
from daydreaming.parsers.score_tokens import Token
from daydreaming.parsers.score_words import FILLING, OF, OUT, QUOTING, REASONS, ROUNDED, UNITS, UNSURE

_FURTHER_MARKS = "^~±≈%?&@°<>≤≥×÷²/+"


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was read: a number, perhaps out of another one, written between two places of its line.

    `whole` says whether nothing followed it on its line; `digits` are those that the number is the mean of.
    """

    number: Fraction
    start: int
    end: int
    note: ScaleNote | None = None
    percent: bool = False
    whole: bool = True
    digits: tuple[int, ...] = ()


class UnreadableError(Exception):
    """An expression that holds a number and is none of the forms of the grammar."""


class QuotedError(Exception):
    """What looked like an expression belongs to a description of the scale."""


def read_expression(tokens: Sequence[Token], *, three_digits: bool = False) -> Expression:
    """Read the expression that a sequence of tokens begins with.

    With `three_digits`, `456` and `4, 5, 6` are read as three digits whose mean counts.

    Raises:
        UnreadableError: it is none of the forms of the grammar, or goes on in a way that leaves its meaning open.
        QuotedError: it is a line of the rubric.
    """
    if three_digits and (mean := _mean_of_three_digits(tokens)):
        return mean
    inner = _inside_brackets(tokens)
    result = _start_of_result(tokens)
    nested = bracket_group(inner, 0) == len(inner) - 1
    if inner and (nested or inner[0].number is not None) and not result:
        expression = read_expression(inner, three_digits=three_digits)
        if not expression.whole:
            raise UnreadableError
        return _with_suffixes(expression, tokens, len(inner) + 2)
    return _value(tokens, result)


def _inside_brackets(tokens: Sequence[Token]) -> Sequence[Token]:
    closing = bracket_group(tokens, 0)
    return tokens[1:closing] if closing is not None else ()


def _mean_of_three_digits(tokens: Sequence[Token]) -> Expression | None:
    """Read `456`, `4, 5, 6` or `4 5 6`; None where something else stands there."""
    digits = _three_digits(tokens)
    if not digits:
        return None
    used = 1 if len(tokens[0].text) == 3 else 5 if tokens[1].is_mark(",") else 3
    if used < len(tokens) and (tokens[used].is_mark("/") or tokens[used].is_word(OUT | OF)):
        return None
    whole = _ends(tokens, used)
    mean = Fraction(sum(digits), 3)
    return Expression(mean, tokens[0].start, tokens[used - 1].end, whole=whole, digits=tuple(digits))


def _three_digits(tokens: Sequence[Token]) -> list[int]:
    if not tokens or tokens[0].number is None:
        return []
    if len(tokens[0].text) == 3 and tokens[0].text.isdigit():
        value = int(tokens[0].text)
        # `100`, `110`, `250` are numbers of their own right: nothing says that three digits are meant.
        if value and (value % 10 == 0 or 100 <= value <= 110):
            raise UnreadableError
        return [int(digit) for digit in tokens[0].text]
    for parts in (tokens[0:5:2], tokens[0:3]):
        separators = tokens[1:5:2] if parts == tokens[0:5:2] else ()
        if (
            len(parts) == 3
            and all(part.kind == "number" and len(part.text) == 1 and part.number is not None for part in parts)
            and all(separator.is_mark(",") for separator in separators)
            and (separators or all(part.spaced for part in parts[1:]))
        ):
            return [int(part.text) for part in parts]
    return []


def _start_of_result(tokens: Sequence[Token]) -> int:
    """Return where the result of a sum begins (`3 (core) + 3 (depth) = 6/10`), 0 where there is no sum."""
    result, index, terms, added = 0, 0, 0, False
    while index < len(tokens):
        token = tokens[index]
        if (closing := bracket_group(tokens, index)) is not None:
            inner = tokens[index + 1 : closing]
            added = added or any(part.is_mark("+") for part in inner)
            terms += any(part.kind == "number" for part in inner)
            index = closing
        elif token.kind == "number":
            terms += 1
        elif token.is_mark("="):
            result = index + 1
        elif token.is_mark("+"):
            added = True
        elif not token.is_mark("-×÷/"):
            break
        index += 1
    return result if added and terms > 1 else 0


def _value(tokens: Sequence[Token], start: int) -> Expression:
    """Read a number and the scale that is named with it."""
    index, sign = start, 1
    if index < len(tokens) and tokens[index].is_mark("+-"):
        sign = -1 if tokens[index].text == "-" else 1
        index += 1
    if index >= len(tokens) or tokens[index].number is None or (index > start and tokens[index].spaced):
        raise UnreadableError
    number = tokens[index].number
    assert number is not None
    expression = Expression(sign * number, tokens[start].start, tokens[index].end)
    return _with_suffixes(expression, tokens, index + 1)


def _with_suffixes(expression: Expression, tokens: Sequence[Token], index: int) -> Expression:
    """Take in what belongs to a number: its unit, `/10`, `out of 10`, and brackets behind it."""
    while index < len(tokens):
        token = tokens[index]
        if token.is_word(UNITS):
            index += 1
        elif token.is_mark("%") and not expression.percent and expression.note is None:
            expression = replace(expression, percent=True, end=token.end)
            index += 1
        elif (length := _length_of_maximum(tokens[index:])) > 0:
            maximum = tokens[index + length - 1]
            assert maximum.number is not None
            if expression.note and token.is_mark("/"):
                raise UnreadableError
            expression = _on_scale(expression, ScaleNote(None, maximum.number), maximum.end)
            index += length
        elif (closing := bracket_group(tokens, index)) is not None:
            expression = _with_bracket(expression, tokens[index + 1 : closing], tokens[closing].end)
            index = closing + 1
        elif token.text == "on" and (length := _length_of_scale(tokens[index:])) > 0:
            note = scale_note(tokens[index : index + length])
            assert note is not None
            expression = _on_scale(expression, note, tokens[index + length - 1].end)
            index += length
        else:
            break
    return replace(expression, whole=_ends(tokens, index))


def _length_of_maximum(tokens: Sequence[Token]) -> int:
    """Count the tokens of `/10`, `out of 10`, `out of a possible 10` or `of 10`; 0 where none of them begins.

    Raises UnreadableError where one begins and no number follows.
    """
    if tokens[0].is_mark("/"):
        length = 1
    elif tokens[0].is_word(OUT) and len(tokens) > 1 and tokens[1].is_word(OF):
        length = 2
    elif tokens[0].is_word(OF):
        length = 1
    else:
        return 0
    while not tokens[0].is_mark("/") and length < len(tokens) and tokens[length].is_word(FILLING):
        length += 1
    if length >= len(tokens) or tokens[length].number is None:
        raise UnreadableError
    return length + 1


def _length_of_scale(tokens: Sequence[Token]) -> int:
    """Count the tokens of `on a scale of 0 to 10` or `on a 10-point scale`; 0 where neither begins."""
    for length in range(min(len(tokens), 9), 2, -1):
        named = any(token.text == "scale" for token in tokens[:length])
        if named and (tokens[length - 1].number is not None or tokens[length - 1].text == "scale"):
            return length if scale_note(tokens[:length]) else 0
    return 0


def _with_bracket(expression: Expression, inner: Sequence[Token], end: int) -> Expression:
    """Take in a bracket behind a number: a scale, a rounding, the same in percent, or words without a number."""
    if (note := scale_note(inner)) is not None:
        return _on_scale(expression, note, end)
    rounded = bool(inner) and inner[0].is_word(ROUNDED) and not any(token.text == "from" for token in inner)
    if rounded or not any(token.kind == "number" for token in inner):
        if any(token.is_word(UNSURE) for token in inner[:1]):
            raise UnreadableError
        return expression
    percentage = inner[0].number if len(inner) == 2 and inner[1].is_mark("%") else None
    if percentage and expression.note and expression.number * 100 == percentage * expression.note.highest:
        return expression
    raise UnreadableError


def _on_scale(expression: Expression, note: ScaleNote, end: int) -> Expression:
    if expression.percent or (expression.note and expression.note.highest != note.highest):
        raise UnreadableError
    return replace(expression, note=expression.note or note, end=end)


def _ends(tokens: Sequence[Token], index: int) -> bool:
    """Whether nothing stands behind an expression, or something that leaves it as it is.

    Raises UnreadableError or QuotedError where what follows changes or doubts it.
    """
    if index >= len(tokens):
        return True
    token, rest = tokens[index], tokens[index + 1 :]
    if token.kind == "number" or _calculates_on(tokens[index - 1 :]):
        raise UnreadableError
    if token.kind == "word":
        _check_word(token, rest)
        return False
    if token.is_mark("="):
        if rest and rest[0].kind == "number":
            raise UnreadableError
        raise QuotedError
    if _is_arrow(token, rest):
        after = rest[1:] if token.text in "-=" else rest
        if not after or not after[0].is_word(ROUNDED):
            raise UnreadableError
        return False
    if token.is_mark("<") and rest and rest[0].is_mark("/"):
        return True
    if token.is_mark(_FURTHER_MARKS) or (token.text == "-" and not token.spaced and rest and not rest[0].spaced):
        raise UnreadableError
    return _ends_after_mark(token, rest)


def _calculates_on(tokens: Sequence[Token]) -> bool:
    """Whether a calculation or a change of mind goes on among the words: `3 core + 3 depth = 6`, `7 at first → 8`."""
    return any(
        mark.is_mark("+=>") and number.kind == "number" and before.text != "score"
        for before, mark, number in zip(tokens, tokens[1:], tokens[2:], strict=False)
    )


def _ends_after_mark(token: Token, rest: Sequence[Token]) -> bool:
    marks = 0
    while marks < len(rest) and rest[marks].is_mark(".…"):
        marks += 1
    following = rest[marks : marks + 3]
    if following and following[0].is_word(UNSURE) and (not token.is_mark(".!") or _is_number(following[1:])):
        raise UnreadableError
    if following and following[0].kind == "number" and not (token.is_mark(".!;") and following[0].spaced and not marks):
        raise UnreadableError
    return not rest


def _is_number(tokens: Sequence[Token]) -> bool:
    return bool(tokens) and tokens[0].kind == "number"


def _check_word(token: Token, rest: Sequence[Token]) -> None:
    if token.is_word(QUOTING):
        raise QuotedError
    if not token.spaced or token.is_word(UNSURE):
        raise UnreadableError
    if token.is_word(ROUNDED | REASONS):
        return
    # `7 Punkte von 20`: among words that the grammar does not know, a number may change what was said.
    for following in rest[:4]:
        if following.kind == "number":
            raise UnreadableError
        if following.is_word(REASONS) or not (following.kind == "word" or following.is_mark("([+-/")):
            return


def _is_arrow(token: Token, rest: Sequence[Token]) -> bool:
    return token.is_mark(">") or (token.is_mark("-=") and bool(rest) and rest[0].is_mark(">"))

"""The scale of a rubric: from the number that a judge wrote to a score on it, as text."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from daydreaming.parsers.contract import ParserContext
from daydreaming.parsers.score_expression import Expression


class OffScaleError(ValueError):
    """A number that is no score on the rubric's scale; the message says why."""


def scored(expression: Expression, context: ParserContext) -> Fraction:
    """Return the score of an expression on the rubric's scale.

    `a/b` is `a * score_max / b` on a scale that begins at 0. On another one `b` must be its maximum: what 4/5 is on a
    scale from 1 to 7 is not certain.

    Raises:
        OffScaleError: the number is outside the scale, or out of a maximum that is not the scale's.
    """
    lowest, highest = Fraction(str(context.score_min)), Fraction(str(context.score_max))
    note, number = expression.note, expression.number
    if expression.percent and not (lowest == 0 and highest == 100):
        raise OffScaleError(f"The score is a percentage, and the scale is {scale_words(context)}.")
    if note is not None and note.highest != highest:
        if note.bare:
            raise OffScaleError(f"The range behind the score is not the scale {scale_words(context)}.")
        if lowest != 0 or note.lowest not in (None, 0) or note.highest <= 0:
            raise OffScaleError(
                f"The score is out of {float(note.highest):g}, and the scale is {scale_words(context)}."
            )
        number = number * highest / note.highest
    for digit in expression.digits:
        on_scale(Fraction(digit), context)
    return on_scale(number, context)


def on_scale(number: Fraction, context: ParserContext) -> Fraction:
    """Return a number that is within the rubric's scale. Raises OffScaleError for any other."""
    if not Fraction(str(context.score_min)) <= number <= Fraction(str(context.score_max)):
        raise OffScaleError(f"The score is outside {scale_words(context)} ({float(number):g}).")
    return number


def scale_words(context: ParserContext) -> str:
    """Return the scale in words, as `0 to 10`."""
    return f"{context.score_min:g} to {context.score_max:g}"


def score_text(score: Fraction) -> str:
    """Return a score as decimal text without an exponent, such as `7.0`."""
    # Adding zero turns -0.0 into 0.0.
    return format(Decimal(repr(float(score) + 0.0)), "f")

"""What a parser is: the shape that all parsers share, and how they report a reply they cannot read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from daydreaming.base.errors import ParseError

_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class ParserContext:
    """Whose answer is being read, and the scale of its rubric.

    `score_min` and `score_max` bound the score of an evaluation; `score_key` is where `json_score` finds it.
    """

    stage: str
    gen_id: str
    template_id: str
    score_min: float = 0.0
    score_max: float = 10.0
    score_key: str = "score"


class ParsedScore(str):
    """A score as decimal text on the rubric's scale, such as `7.0`, that also knows how the judge wrote it (`7/10`)."""

    __slots__ = ("as_written",)
    as_written: str

    def __new__(cls, text: str, as_written: str) -> ParsedScore:  # noqa: D102  (the class says it)
        score = super().__new__(cls, text)
        score.as_written = as_written
        return score

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]  # str has one argument, this has two
        return str(self), self.as_written


# From an answer (a reply without thoughts) to the parsed text; evaluations return a ParsedScore where they can.
Parser = Callable[[str, ParserContext], str]


def identity(answer: str, context: ParserContext) -> str:
    """Return the answer as it is."""
    return answer


def unreadable(problem: str, answer: str, part: str | None = None) -> ParseError:
    """Build the error of an answer that a parser cannot read: what was looked for, and what was there instead.

    `part` is the piece of the answer that the problem is about; without one, the end of the answer is shown.
    """
    if part is not None:
        return ParseError(f"{problem} It stands in: {part.strip()[:_SHOWN_CHARACTERS]!r}")
    # Only the end is stripped, for an answer of many megabytes is no reason to copy it.
    ending = answer[-_SHOWN_CHARACTERS:].strip()
    seen = f"The reply ends with: {ending!r}" if ending else "The reply is empty, or ends in white space only."
    return ParseError(f"{problem} {seen}")

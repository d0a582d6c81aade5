"""What a parser is: the shape that all parsers share, and how they report a reply they cannot read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from daydreaming.base.errors import ParseError

_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class ParserContext:
    """Whose reply is being read, for parsers that need to know. The ones that come with the project do not."""

    stage: str
    gen_id: str
    template_id: str


Parser = Callable[[str, ParserContext], str]


def identity(raw_text: str, context: ParserContext) -> str:
    """Return the reply as it is."""
    return raw_text


def unreadable(problem: str, raw_text: str) -> ParseError:
    """Build the error of a reply that a parser cannot read: what was looked for, and how the reply ends."""
    # Only the end is stripped, for a reply of many megabytes is no reason to copy it.
    ending = raw_text[-_SHOWN_CHARACTERS:].strip()
    seen = f"The reply ends with: {ending!r}" if ending else "The reply is empty, or ends in white space only."
    return ParseError(f"{problem} {seen}")

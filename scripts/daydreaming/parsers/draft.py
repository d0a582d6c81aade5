"""Parsers of drafts: which part of a model's reply goes on to the essay."""

from __future__ import annotations

import re

from daydreaming.parsers.contract import ParserContext, unreadable

# One pass over the tags, not one expression over whole blocks: that one is quadratic where closing tags are missing.
_IDEA_TAG_LINE = re.compile(
    r"^[ \t]*(?:<essay-idea(?P<attributes>[ \t][^>\n]*)?>|(?P<closing></essay-idea>))[ \t]*\r?(?:\n|\Z)", re.MULTILINE
)
_STAGE = re.compile(r"""(?<![\w-])stage=(?P<quote>["'])(?P<number>[0-9]+)(?P=quote)""")


def essay_idea_last(raw_text: str, context: ParserContext) -> str:
    """Return the inside of the `<essay-idea>` block with the highest numeric `stage`, the last one if none has a stage.

    Both tags stand on lines of their own; a block that is not closed is no block. Of equal stages the last one wins.

    Raises:
        ParseError: there is no such block, or the chosen one is empty.
    """
    blocks = _idea_blocks(raw_text)
    if not blocks:
        raise unreadable(
            "No <essay-idea> block found: looked for <essay-idea ...> and </essay-idea>, each on a line of its own.",
            raw_text,
        )
    staged = [(stage, text) for stage, text in blocks if stage is not None]
    # Lists are reversed because max() keeps the first of equals.
    chosen = max(reversed(staged), key=lambda block: _numeric_order(block[0]))[1] if staged else blocks[-1][1]
    if not chosen.strip():
        raise unreadable("The <essay-idea> block with the highest stage is empty.", raw_text)
    return chosen


def essay_block(raw_text: str, context: ParserContext) -> str:
    """Return the text of the first `<essay>...</essay>`, or all that follows `<essay>` where nothing closes it.

    Raises:
        ParseError: there is no `<essay>`, or nothing in it.
    """
    _, opening, rest = raw_text.partition("<essay>")
    if not opening:
        raise unreadable("No <essay> tag found.", raw_text)
    text = rest.partition("</essay>")[0].strip()
    if not text:
        raise unreadable("The <essay> block is empty.", raw_text)
    return text


def _idea_blocks(raw_text: str) -> list[tuple[str | None, str]]:
    """List the closed blocks in their order: the digits of the stage, if there are any, and the text inside."""
    blocks = []
    opening = None
    for tag in _IDEA_TAG_LINE.finditer(raw_text):
        if not tag["closing"]:
            opening = tag
        elif opening is not None:
            stage = _STAGE.search(opening["attributes"] or "")
            text = raw_text[opening.end() : tag.start()].removesuffix("\n").removesuffix("\r")
            blocks.append((stage["number"] if stage else None, text))
            opening = None
    return blocks


def _numeric_order(digits: str) -> tuple[int, str]:
    """Order digits as numbers, of any length: int() refuses more than 4300 of them."""
    significant = digits.lstrip("0")
    return len(significant), significant

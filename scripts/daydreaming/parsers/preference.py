"""The parser of comparisons: which of two texts a judge prefers, or a tie (grammar: docs/preferences.md).

It returns a preference, not a score, and so is no parser of evaluations: whatever reads a score must not meet it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, cast

from daydreaming.base.errors import ParseError
from daydreaming.parsers.contract import ParserContext, unreadable

Preference = Literal["A", "B", "tie"]

_LOOKED_FOR = "looked for A, B or tie alone on the last line, or for 'Verdict: A'"
_LONGEST_LINE = 400
_SHOWN_PART = 80
# Marks that surround a verdict and say nothing: emphasis, quotes, what LaTeX and HTML add.
_MARKUP = re.compile(
    r"</?(?:b|strong|i|em|u|p|br|code|verdict)\s{0,9}/?>|<\|[a-z_]{1,20}\|>|\\(?:boxed|text|textbf|mathbf)(?=\{)"
    r"|[*_#`\"'“”„‘’$\u200b\ufeff]",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\[([^\[\](){}]*)\]|\(([^\[\](){}]*)\)|\{([^\[\](){}]*)\}")
_LIST_MARK = re.compile(r"\s*(?:[-+•>]|\d{1,2}[.)])\s+")
_WIDE = str.maketrans("ＡＢ：．", "AB:.")
_LABEL = r"(?:(?:the|my)\s+)?(?:(?:final|overall)\s+)?(?:verdict|winner|preference)"
_LINK = r"\s*(?:(?P<mark>[:=])|\s[-–—]\s|\sis\b\s*:?)\s*"
_TEXT = r"(?:(?:the\s+)?(?:response|essay|text)\s+)?"
_LABELLED = re.compile(rf"{_LABEL}{_LINK}(?:{_TEXT}(?P<letter>[ab])|(?:a\s+)?tie)\s*[.!]?", re.IGNORECASE)
_BEGINS_LABELLED = re.compile(rf"{_LABEL}{_LINK}(?P<rest>\S.*)", re.IGNORECASE | re.DOTALL)
_BARE = re.compile(r"(?:(?P<letter>[AB])|[Tt]ie|TIE)\s*[.!]?")
# The required form, quoted: `Verdict: A, B or tie`.
_FORM = re.compile(rf"\W*{_TEXT}A\W+(?:or\W+)?{_TEXT}B\W+(?:or\W+)?(?:a\s+)?tie\W*", re.IGNORECASE)
_NAMES_A_VERDICT = re.compile(r"\b(?:A|B|[Tt]ie|TIE|[Bb]oth|[Nn]either|[Nn]one|[Nn]ot)\b")
_LABEL_WORD = re.compile(r"verdict|winner|preference", re.IGNORECASE)
_LINE_ENDS = "\n\r\u2028\u2029"
_LINE = re.compile(rf"[^{_LINE_ENDS}]+")
# A line of these alone is an empty one.
_BLANKS_AND_MARKUP = f"{_LINE_ENDS} \t\v\f\xa0\u3000\u200b\ufeff-*_#=~`>|"


def preference(answer: str, context: ParserContext) -> Preference:
    """Return which text the last line of an answer prefers: `A`, `B` or `tie`.

    The last line that is not empty must be the verdict and no more: `A`, `B` or `tie`, alone or behind a label
    (`Verdict: A`). Lines above it that begin with a label must say the same.

    Raises:
        ParseError: the last line is no verdict, or another line says another one, or one that cannot be read.
    """
    lines = _lines_from_the_end(answer)
    last = next(lines, "")
    verdict = _stated(last) or _bare(last)
    if verdict is None:
        raise _no_verdict(last, answer)
    _check_line_above(verdict, last, next(lines, ""))
    _check_labelled_lines(verdict, last, answer)
    return verdict


def _stated(line: str) -> Preference | None:
    """The verdict of a line that is a label, a link and a verdict, and no more."""
    match = _LABELLED.fullmatch(_without_list_mark(line))
    return None if match is None else _verdict(match)


def _bare(line: str) -> Preference | None:
    """The verdict of a line that is nothing else. Small letters and items of a list are none."""
    match = _BARE.fullmatch(_plain(line))
    return None if match is None else _verdict(match)


def _verdict(match: re.Match[str]) -> Preference:
    return cast(Preference, match["letter"].upper()) if match["letter"] else "tie"


def _check_line_above(verdict: Preference, last: str, above: str) -> None:
    """Refuse two bare verdicts below each other that differ: nothing says which one counts."""
    other = _bare(above)
    if other not in (None, verdict):
        raise ParseError(f"The last two lines state different verdicts: {_shown(above)} and {_shown(last)}.")


def _check_labelled_lines(verdict: Preference, last: str, answer: str) -> None:
    """Refuse an answer of which a line states another verdict, or begins like one and cannot be read."""
    for line in _labelled_lines(answer):
        other = _stated(line)
        if other == verdict:
            continue
        if other is not None:
            raise ParseError(f"The reply states different verdicts: {_shown(line)} and {_shown(last)}.")
        if _is_unreadable(line):
            raise unreadable("The reply also states a verdict in a form that cannot be read.", answer, line)


def _is_unreadable(line: str) -> bool:
    """Whether a line begins as a statement does, is none, and does not quote the required form either.

    `The winner is hard to name` is prose, for it names neither text.
    """
    begins = _BEGINS_LABELLED.match(_without_list_mark(line))
    if begins is None or _FORM.fullmatch(begins["rest"]):
        return False
    return bool(begins["mark"] or _NAMES_A_VERDICT.search(begins["rest"]))


def _no_verdict(last: str, answer: str) -> ParseError:
    if _BEGINS_LABELLED.match(_without_list_mark(last)):
        return unreadable("The last line states a verdict that is not one of A, B and tie alone.", answer, last)
    return unreadable(f"The last line is no verdict: {_LOOKED_FOR}.", answer)


def _without_list_mark(line: str) -> str:
    return _plain(_LIST_MARK.sub("", line, count=1) if _LIST_MARK.match(line) else line)


def _plain(line: str) -> str:
    """A line without what surrounds a verdict, in narrow letters. Brackets go in pairs: `A)` is an item of a list."""
    text = _MARKUP.sub("", line.translate(_WIDE))
    for _ in range(2):
        text = _BRACKETS.sub(lambda pair: f" {pair[1] or pair[2] or pair[3] or ''} ", text)
    return text.strip()


def _lines_from_the_end(text: str) -> Iterator[str]:
    """The last lines that hold more than markup, the very last first, none of them longer than need be."""
    end = len(text)
    # Markup in one step: a reply of many megabytes may be nothing but lines of it.
    while (filled := len(text[:end].rstrip(_BLANKS_AND_MARKUP))) > 0:
        start = max(text.rfind(mark, 0, filled) for mark in _LINE_ENDS) + 1
        rest = _LINE.match(text, filled - 1, end)
        yield text[start : min(rest.end() if rest else filled, start + _LONGEST_LINE + 1)]
        end = start


def _labelled_lines(text: str) -> Iterator[str]:
    """The lines with a word of a label near their beginning."""
    for match in _LINE.finditer(text):
        start = match.start()
        line = text[start : min(match.end(), start + _LONGEST_LINE + 1)]
        if _LABEL_WORD.search(line, 0, 60):
            yield line


def _shown(line: str) -> str:
    return repr(line.strip()[:_SHOWN_PART])

"""Where a judge's reply states a score, and what kind of statement each one is (docs/parsers.md has the grammar)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from daydreaming.parsers.scale_notes import ScaleNote, bracket_group, scale_note
from daydreaming.parsers.score_expression import Expression, QuotedError, UnreadableError, read_expression
from daydreaming.parsers.score_labels import Label, Subject, label_at, label_places, lead_of
from daydreaming.parsers.score_tokens import Token, tokenize
from daydreaming.parsers.score_words import (
    COPULAS,
    HEDGES,
    NUMBER_WORDS,
    OTHER,
    REASONS,
    ROUNDED,
    SUBJECTS,
    UNITS,
)

# How far around a label is looked: it bounds the work, whatever the length of a line.
_BEHIND = 400
MOST_LABELS = 200


UNREADABLE = Expression(Fraction(-1), 0, 0)


@dataclass(frozen=True, slots=True)
class Statement:
    """A place where a score is stated. `expression` is None where it cannot be read.

    `written` is the expression as it stands in the reply, `part` the statement with its label. `exact` marks a line
    that is `SCORE: X` and no more; `listed` one that is an item of a list.
    """

    subject: Subject
    part: str
    expression: Expression | None = None
    written: str = ""
    exact: bool = False
    listed: bool = False


@dataclass(frozen=True, slots=True)
class _Link:
    """Where an expression begins behind a label, whose score it is, on which scale, and what links the two."""

    position: int
    subject: Subject
    note: ScaleNote | None
    colon: bool
    copula: bool


def find_statements(text: str, *, three_digits: bool) -> list[Statement]:
    """Return all statements of a score in a text, in their order.

    Raises:
        UnreadableError: there are more than `MOST_LABELS` places to look at.
    """
    statements = []
    for count, (start, word) in enumerate(label_places(text)):
        if count == MOST_LABELS:
            raise UnreadableError
        label = label_at(text, start, word)
        if label and (statement := _statement(text, label, three_digits)):
            statements.append(statement)
    return statements


def _statement(text: str, label: Label, three_digits: bool) -> Statement | None:
    line, is_cut = _line(text, label.end)
    tokens = tokenize(line)
    link = _link(tokens, label)
    if link is None:
        return None
    label = replace(label, subject=link.subject)
    if link.position >= len(tokens):
        if not (label.begins_line or link.colon or link.copula):
            return None
        if is_cut:
            return Statement(label.subject, text[label.start : label.end + len(line)], listed=label.listed)
        return _statement_below(text, label, link, label.end + len(line), three_digits)
    part = text[label.start : label.end + len(line)]
    expression = _expression(tokens[link.position :], label, link, three_digits)
    if expression is None:
        return None
    if expression is UNREADABLE or (is_cut and expression.end > _BEHIND // 2):
        return Statement(label.subject, part, listed=label.listed)
    exact = link.colon and link.position == 1
    return _read(label, expression, link.note, line, part, exact=exact)


def _read(label: Label, expression: Expression, note: ScaleNote | None, line: str, part: str, exact: bool) -> Statement:
    written = line[expression.start : expression.end]
    plain = not (expression.note or note or expression.percent or expression.digits) and expression.whole
    if note is not None:
        if expression.percent or (expression.note and expression.note.highest != note.highest):
            return Statement(label.subject, part, listed=label.listed)
        expression = replace(expression, note=expression.note or replace(note, bare=False))
    exact = exact and plain and label.bare
    return Statement(label.subject, part, expression, written, exact=exact, listed=label.listed)


def _line(text: str, start: int) -> tuple[str, bool]:
    """Return the rest of a line from `start`, as far as is looked, and whether it goes on there."""
    end = text.find("\n", start, start + _BEHIND)
    if end >= 0:
        return text[start:end], False
    rest = text[start : start + _BEHIND]
    # A line that only goes on with blanks has come to its end.
    return rest, start + _BEHIND < len(text) and not rest[-_BEHIND // 2 :].isspace()


def _link(tokens: Sequence[Token], label: Label) -> _Link | None:
    """Find what links a label to its expression; None where the label is just a word of the text."""
    index, subject, note = 0, label.subject, None
    if (closing := bracket_group(tokens, 0)) is not None:
        note = scale_note(tokens[1:closing])
        numeric = any(token.kind == "number" for token in tokens[1:closing])
        if note is None and not numeric and subject == Subject.LINE:
            subject = Subject.PART
        # `Score (7/10)`: the bracket is the expression.
        index = closing + 1 if note is not None or not numeric else 0
    elif tokens and tokens[0].is_mark("])"):
        index = 1
    elif (colon := _colon_after_words(tokens)) > 0:
        note = scale_note(tokens[:colon])
        if note is None:
            if not tokens[0].is_word(SUBJECTS) or any(token.is_word(OTHER) for token in tokens[:colon]):
                return None
            subject = Subject.PART if subject == Subject.LINE else subject
        index = colon
    start, colon_stands, copula_stands = index, False, False
    links = ":=|>" if label.is_tag else ":=|"
    while index < len(tokens) and (tokens[index].is_mark(links) or tokens[index].is_word(COPULAS)):
        colon_stands = colon_stands or tokens[index].is_mark(":=")
        copula_stands = copula_stands or tokens[index].kind == "word"
        index += 1
    if index == start and index < len(tokens) and _is_dash(tokens, index):
        index, colon_stands = index + 1, True
    if not label.is_score and (index == 0 or copula_stands):
        return None
    return _Link(index, subject, note, colon_stands, copula_stands)


def _colon_after_words(tokens: Sequence[Token]) -> int:
    """Return where the colon of `Score for novelty:` or `Score out of 10:` stands, 0 where there is none."""
    for index, token in enumerate(tokens[:12]):
        if token.is_mark(":="):
            return index if index and tokens[0].kind == "word" and tokens[0].text != "is" else 0
        if token.kind == "mark" and not token.is_mark("-/"):
            return 0
    return 0


def _is_dash(tokens: Sequence[Token], index: int) -> bool:
    """Whether a dash links a label to a number: `Score - 7`, not `Score -7`, which may be a number below zero."""
    following = tokens[index + 1 : index + 2]
    return (
        tokens[index].is_mark("-")
        and bool(following)
        and following[0].kind == "number"
        and following[0].spaced
        and tokens[index].spaced
    )


def _expression(tokens: Sequence[Token], label: Label, link: _Link, three_digits: bool) -> Expression | None:
    """Read an expression: UNREADABLE where it has no form of the grammar, None where no score is stated after all."""
    if not any(token.kind == "number" for token in tokens[:1]) and _is_placeholder(tokens):
        return None
    try:
        expression = read_expression(tokens, three_digits=three_digits and label.is_score)
    except QuotedError:
        ours = tokens[0].is_mark("([") or (link.colon and label.subject >= Subject.TOTAL)
        return UNREADABLE if ours else None
    except UnreadableError:
        return UNREADABLE if _is_meant(tokens, label, link) else None
    if not label.begins_line and label.subject <= Subject.TEXT and _goes_on(tokens, expression):
        return None
    # `Overall: 8/10` is a score where nothing else stands on its line.
    if not label.is_score and not expression.whole:
        return None
    return expression


def _goes_on(tokens: Sequence[Token], expression: Expression) -> bool:
    """Whether a sentence goes on behind a number with words that may be about the number: `a score of 9 means ...`."""
    following = [token for token in tokens if token.start >= expression.end and not token.is_word(UNITS)]
    return bool(following) and following[0].kind == "word" and not following[0].is_word(REASONS | ROUNDED)


def _is_placeholder(tokens: Sequence[Token]) -> bool:
    """Whether the form of the answer is quoted: `SCORE: X`, `SCORE: [0-10]`, `SCORE: <number>`."""
    inner = list(tokens)
    if len(inner) > 2 and inner[0].is_mark("[<("):
        closing = next((place for place, token in enumerate(inner) if token.is_mark("]>)")), 0)
        inside = inner[1:closing]
        note = scale_note(inside) if inside else None
        if note is not None and note.lowest in (0, 1):
            return True
        if inner[0].is_mark("<") and inside and all(token.kind == "word" for token in inside):
            return True
        inner = inside
    return (
        bool(inner)
        and inner[0].text in ("x", "xx")
        and (len(inner) == 1 or inner[1].is_mark("/.,") or inner[1].kind != "number")
    )


def _is_meant(tokens: Sequence[Token], label: Label, link: _Link) -> bool:
    """Whether a score is stated, though in a form that cannot be read."""
    first = tokens[0]
    if first.kind == "number" or first.is_mark("+-.~<>≈≤≥±([½") or first.is_word(HEDGES):
        return any(_is_numeric(token) for token in tokens[:8])
    if not label.is_score:
        return False
    if first.is_mark(",;") and label.begins_line:
        return tokens[1:2] != [] and tokens[1].kind == "number"
    if link.colon:
        return label.begins_line or any(_is_numeric(token) for token in tokens[:6])
    return link.copula and any(_is_numeric(token) for token in tokens[:2])


def _is_numeric(token: Token) -> bool:
    return token.kind == "number" or token.text in NUMBER_WORDS or any(letter.isnumeric() for letter in token.text)


def _statement_below(text: str, label: Label, link: _Link, line_end: int, three_digits: bool) -> Statement | None:
    """Read the line below a label that stands alone, such as a heading `Final Score`."""
    for start, line, is_cut in _lines_below(text, line_end):
        lead = lead_of(line)
        tokens = tokenize(line[len(lead) :])
        if not tokens:
            continue
        if next(label_places(line), None):
            return None
        part = text[label.start : start + len(line)]
        expression = _expression(tokens, label, link, three_digits)
        if expression is not None and expression is not UNREADABLE and expression.whole and not is_cut:
            return _read(label, expression, link.note, line[len(lead) :], part, exact=False)
        said = any(_is_numeric(token) for token in tokens)
        return Statement(label.subject, part, listed=label.listed) if said else None
    return None


def _lines_below(text: str, line_end: int) -> Iterator[tuple[int, str, bool]]:
    for _ in range(4):
        start = line_end + 1
        if start >= len(text):
            return
        line, is_cut = _line(text, start)
        yield start, line, is_cut
        line_end = start + len(line)

"""What an essay changed in its draft."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from daydreaming.results.pages.shown_text import escape

# Sentences that share less are another sentence: marking single words in them would be confetti.
_LEAST_SHARED = 0.45
_MOST_SENTENCES = 2_000
_MOST_WORDS = 200
_SENTENCE = re.compile(r"[^\n.!?]*(?:[.!?]+[\"'”’)\]]*\s*|\n+|$)")
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


def changes_html(draft: str, essay: str) -> str | None:
    """Return the essay with its additions in `<ins>` and what it dropped from the draft in `<del>`.

    Compares sentence by sentence, and word by word in sentences that are much alike. None where a text has more than
    2,000 sentences: nobody reads such a comparison.
    """
    old, new = _sentences(draft), _sentences(essay)
    if len(old) > _MOST_SENTENCES or len(new) > _MOST_SENTENCES:
        return None
    pieces: list[str] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(escape("".join(new[c:d])))
        elif kind == "replace" and b - a == d - c:
            for before, after in zip(old[a:b], new[c:d], strict=True):
                pieces.extend(_sentence_changes(before, after))
        else:
            pieces.extend(_changed("".join(old[a:b]), "".join(new[c:d])))
    return "".join(pieces)


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE.findall(text) if sentence]


def _sentence_changes(before: str, after: str) -> Iterator[str]:
    old, new = _WORD.findall(before), _WORD.findall(after)
    if len(old) > _MOST_WORDS or len(new) > _MOST_WORDS:
        return _changed(before, after)
    words = SequenceMatcher(None, _without_space(old), _without_space(new), autojunk=False)
    if words.quick_ratio() < _LEAST_SHARED or words.ratio() < _LEAST_SHARED:
        return _changed(before, after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return (
        piece
        for kind, a, b, c, d in matcher.get_opcodes()
        for piece in (
            [escape("".join(new[c:d]))] if kind == "equal" else _changed("".join(old[a:b]), "".join(new[c:d]))
        )
    )


def _without_space(words: list[str]) -> list[str]:
    return [word for word in words if not word.isspace()]


def _changed(before: str, after: str) -> Iterator[str]:
    if before:
        yield f"<del>{escape(before)}</del>"
    if after:
        yield f"<ins>{escape(after)}</ins>"

"""The index of the full-text search: which essays have which words, in small files that a page loads as it needs them.

A page that was opened from a folder may not fetch a file, so the libraries that load an index in parts do not work
there, and one index of all texts in memory takes seconds to load for thousands of essays (docs/reading.md has figures).
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

LARGEST_PART = 150_000  # characters; all of them are ASCII but for words in other scripts
LONGEST_WORD = 40

_WORD = re.compile(r"[^\W_]+")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def words_of(text: str) -> set[str]:
    """Return the words of a text as the search compares them: small letters, without accents, cut at 40 characters."""
    folded = text.lower()
    if not folded.isascii():
        folded = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return {word[:LONGEST_WORD] for word in _WORD.findall(folded)}


@dataclass
class WordIndex:
    """Gathers words, then gives the index in parts."""

    _essays: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, essay: int, words: Iterable[str]) -> None:
        """Note the words of an essay. Essays come in the order of their numbers."""
        for word in words:
            self._essays[word].append(essay)

    def parts(self) -> list[tuple[str, list[str]]]:
        """Return the parts in the order of their words: the first word of each, and its lines.

        A line is a word and the numbers of its essays, each as the distance from the one before, in base 36. A word
        that does not fit in a part goes on in the next one.
        """
        parts: list[tuple[str, list[str]]] = []
        size = LARGEST_PART
        # By code units of UTF-16, as the browser compares.
        for word in sorted(self._essays, key=lambda word: word.encode("utf-16-be", errors="surrogatepass")):
            for line in self._lines(word):
                if size + len(line) > LARGEST_PART:
                    parts.append((word, []))
                    size = 0
                parts[-1][1].append(line)
                size += len(line) + 1
        return parts

    def _lines(self, word: str) -> Iterator[str]:
        before, numbers, size = 0, [], 0
        for essay in self._essays[word]:
            number = _base36(essay - before)
            numbers.append(number)
            size += len(number) + 1
            before = essay
            if size > LARGEST_PART // 2:
                yield f"{word} {' '.join(numbers)}"
                before, numbers, size = 0, [], 0
        if numbers:
            yield f"{word} {' '.join(numbers)}"


def _base36(number: int) -> str:
    if number < 36:
        return _DIGITS[number]
    digits = []
    while number:
        number, digit = divmod(number, 36)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))

"""The pieces that a line of a judge's reply is made of: numbers, words and marks. Emphasis is no piece."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Kind = Literal["number", "word", "mark"]

# Longer numbers are no scores, and reading their digits takes quadratic time.
_LONGEST_NUMBER = 40
_READABLE_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
# Repetitions are possessive (`*+`): a reply of many megabytes must not take quadratic time. \d takes in the digits of
# all scripts, so that those we do not read are noticed.
_TOKEN = re.compile(
    r"""
    (?P<skipped>(?:
        [\s*\#_`"'“”„‘’$\\{}\u200b\ufeff]                                   # blanks, emphasis, quotes, braces
        | (?<=\\)(?:boxed|textbf|mathbf|mathrm|text)(?=\s*\{)            # LaTeX: \\boxed{7}
        | <\|[a-z_]{1,20}\|>                                              # <|im_end|>
        | </?(?:b|strong|i|em|u|span|p|br|h[1-6]|code)\s{0,9}/?>         # HTML
    )++)
    | (?P<number>\d++(?:[.．]\d++)*+)
    | (?P<word>[^\W\d_]++(?:['’][^\W\d_]++)*+)
    | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_NARROW = str.maketrans(
    "０１２３４５６７８９．：／＝＋％（）［］，。；～｜！？〜【】＞＜－–—−‐‑―→⇒➜➔⟶",
    "0123456789.:/=+%()[],.;~|!?~[]><------->>>>>",
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a line: `text` in lower case and with narrow digits and marks; `start` and `end` in the line.

    `spaced` says whether white space stands before it. `number` is the value of a number that can be read.
    """

    kind: Kind
    text: str
    start: int
    end: int
    spaced: bool
    number: Fraction | None = None

    def is_mark(self, marks: str) -> bool:
        """Whether it is one of these marks."""
        return self.kind == "mark" and self.text in marks

    def is_word(self, words: frozenset[str]) -> bool:
        """Whether it is one of these words."""
        return self.kind == "word" and self.text in words


def tokenize(line: str) -> list[Token]:
    """Split a line (or a part of one, which should be short) into its tokens."""
    tokens: list[Token] = []
    spaced = False
    for match in _TOKEN.finditer(line):
        kind = match.lastgroup
        if kind == "skipped":
            spaced = spaced or any(character.isspace() for character in match[0])
            continue
        narrow = match[0].translate(_NARROW).lower()
        if kind == "number":
            token = Token("number", narrow, match.start(), match.end(), spaced, _value(narrow))
        else:
            token = Token("word" if kind == "word" else "mark", narrow, match.start(), match.end(), spaced)
        tokens.append(token)
        spaced = False
    return tokens


def _value(digits: str) -> Fraction | None:
    if len(digits) > _LONGEST_NUMBER or not _READABLE_NUMBER.fullmatch(digits):
        return None
    return Fraction(digits)

"""The grammars that hold the embedded model's replies to a form that parses, in GBNF (llama.cpp's grammar language).

They are part of every request to the embedded model, and so of its name: a change makes all of its texts again.
"""

from __future__ import annotations

_WORD = r"""word ::= [A-Za-z] [a-z]{0,13} ("-" [a-z]{2,9})? "'s"? | [0-9]{1,4}
"""

DRAFT_GRAMMAR = (
    r"""root ::= "<essay>\n" sentence " " sentence "\n" sentence "\n" sentence "\n</essay>"
sentence ::= [A-Z] [a-z]{0,13} ([,;:]? " " word){7,34} [.?]
"""
    + _WORD
)

ESSAY_GRAMMAR = (
    r"""root ::= title "\n\n" sentence " " sentence "\n\n" sentence " " sentence "\n\n" sentence
title ::= "Title: " [A-Z] [a-z]{0,13} (":"? " " titleword){2,13}
titleword ::= [A-Za-z] [a-z]{0,13} | [0-9]{1,4}
sentence ::= [A-Z] [a-z]{0,13} ([,;:]? " " word){7,34} [.?]
"""
    + _WORD
)

# For the texts of stages that a study adds.
TEXT_GRAMMAR = (
    r"""root ::= sentence " " sentence "\n" sentence " " sentence "\n" sentence
sentence ::= [A-Z] [a-z]{0,13} ([,;:]? " " word){7,34} [.?]
"""
    + _WORD
)

PREFERENCE_GRAMMAR = (
    r"""root ::= sentence "\nVerdict: " ("A" | "B" | "tie")
sentence ::= [A-Z] [a-z]{0,13} ([,;:]? " " word){7,34} "."
"""
    + _WORD
)

EVALUATION_GRAMMAR = (
    r"""root ::= sentence "\nSCORE: " ("10" | [0-9])
sentence ::= [A-Z] [a-z]{0,13} ([,;:]? " " word){7,34} "."
"""
    + _WORD
)

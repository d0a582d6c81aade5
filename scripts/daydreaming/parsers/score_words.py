"""The words that the grammar of scores knows (docs/parsers.md). They are English: other words leave a score unread."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What stands before "score".
FINAL = _words("final revised adjusted corrected updated")
TOTAL = _words("total overall")
DETERMINERS = _words("the my this its our your")
# Scores of something else than the text, and bounds of the scale.
OTHER = _words(
    "confidence certainty max maximum min minimum highest lowest possible perfect top best worst initial first "
    "previous prior earlier old original preliminary tentative provisional baseline example sample passing "
    "threshold cutoff sub partial reference expected"
)
# In the same clause before the label, they say that it is not the score.
DOUBT = _words(
    "not no never cannot without rather instead than if between unless whether would could might may neither nor"
)
# What stands between "score" and the number.
SUBJECTS = _words("for on of in")
COPULAS = _words("is of")
HEDGES = _words("about around approximately roughly nearly almost between somewhere circa")
NUMBER_WORDS = _words("zero one two three four five six seven eight nine ten half")
# What stands behind a number.
UNITS = _words("point points pt pts mark marks star stars")
OUT = _words("out")
OF = _words("of")
# What a named scale is made of: "out of a possible 10", "on a scale from 0 to 10".
FILLING = _words("a an the is on from to score scale possible total")
SCALE_WORDS = _words("scale max maximum of out possible range")
ROUNDED = _words("rounded rounding rounds")
# Behind them a number belongs to the reasons: "7 because 3 links are strong".
REASONS = _words("because since as given due with but overall considering despite")
# They make of what stands before them a line of the rubric: "10 for a masterpiece", "5 is average".
QUOTING = _words(
    "for if when where means mean meaning is are was would should could must indicates indicate represents "
    "represent denotes denote corresponds signifies implies reflects requires describes stands equals being"
)
# They make a number unsure, or only a part of what is said: "7 or 8", "7 and a half", "7 plus".
UNSURE = _words(
    "or to and plus minus ish percent per hundred thousand half through until till versus vs up down at maybe "
    "perhaps possibly almost nearly about around approximately roughly x times initially "
    "originally previously formerly before later then"
)

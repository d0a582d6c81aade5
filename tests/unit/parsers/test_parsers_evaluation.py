import pytest

from daydreaming.base.errors import ParseError
from daydreaming.parsers import ParserContext, get_parser

CONTEXT = ParserContext(stage="evaluation", gen_id="v1", template_id="novelty")


def parse(name: str, text: str) -> str:
    return get_parser("score", name)(text, CONTEXT)


IN_LAST_LINE = [
    ("REASONING: fine.\nSCORE: 7", "7.0"),
    ("SCORE: 7.25", "7.25"),
    ("SCORE: 0", "0.0"),
    ("**SCORE: 8**", "8.0"),
    ("**SCORE:** 8", "8.0"),
    ("### SCORE: 6.5", "6.5"),
    ("score: 4", "4.0"),
    ("Score: 10", "10.0"),
    ("SCORE: 10.0\r\n", "10.0"),
    ("Final Score: 9", "9.0"),
    ("**Total Score:** 3", "3.0"),
    ("My final score is below.\n- Score: 5 because it is sound.", "5.0"),
    ("The score: 7.", "7.0"),
    ("Score 7", "7.0"),
    ("Score = 7", "7.0"),
    ("`SCORE: 7`", "7.0"),
    ("SCORE: 8 out of 10", "8.0"),
    ("SCORE: 456", "5.0"),
    ("SCORE: 4, 5, 6", "5.0"),
    ("SCORE: 4,5,6", "5.0"),
    ("SCORE: 4 5 6", "5.0"),
    ("SCORE: 455", "4.666666666666667"),
    ("SCORE: 000", "0.0"),
    ("SCORE: 0.00001", "0.00001"),
    ("SCORE: -0", "0.0"),
    # Exactly `SCORE: X` comes before other statements, wherever in the last three lines.
    ("Final Score: 655\nSCORE: 5", "5.0"),
    ("SCORE: 5\nFinal Score: 655", "5.0"),
    ("SCORE: 5\nThat is a score of 9 for style.", "5.0"),
    # Of several the one that says that it is the final one counts.
    ("Score: 3, revised score: 8", "8.0"),
    # Blank lines and lines of markup alone are no lines.
    ("SCORE: 5\n\n\n***\n\n", "5.0"),
    ("SCORE: 5\none\ntwo", "5.0"),
    ("SCORE: 6\nScores: 3", "6.0"),
    ("Subscore: 3\nSCORE 6 overall", "6.0"),
    ("SCORE:\n7", "7.0"),
    ("SCORE: ７", "7.0"),
    ("SCORE: 7/10", "7.0"),
    ("SCORE: 7 / 10", "7.0"),
    ("SCORE: 8 out of 20", "4.0"),
    ("Score: 5 for style\nOverall score: 7/10", "7.0"),
]


@pytest.mark.parametrize(("text", "expected"), IN_LAST_LINE)
def test_in_last_line(text, expected):
    assert parse("in_last_line", text) == expected


NOT_IN_LAST_LINE = [
    "",
    "   \n\n ",
    "A fine essay.",
    "SCORE: 5\none\ntwo\nthree",
    "7",
    "SCORE: seven",
    "SCORE: nan",
    "SCORE: inf",
    "SCORE: 1e5",
    "SCORE: 1e0",
    "SCORE: 0x5",
    "SCORE: ٣",
    "SCORE: 7٣",
    "SCORE: .5",
    "SCORE: 7,5",
    "SCORE: 7-8",
    "SCORE: 7 – 8",
    "SCORE: 7%",
    "SCORE: 70 %",
    "SCORE: 7th",
    "SCORE: 4, 5",
    "SCORE: 4, 5, 6, 7",
    "SCORE: 10, 9, 8",
    "SCORE: 10, 5",
    "SCORE: 7.5.1",
    "SCORE: 456.5",
    "SCORE: 45",
    "SCORE: 1000",
    "SCORE: 11",
    "SCORE: 10.01",
    "SCORE: -3",
    "SCORE: " + "9" * 5000,
    "Subscore: 7",
    "Underscore 7",
    "SCORE: 3\nOn reflection:\nSCORE: 7",
    # A later statement that cannot be read is not passed over for an earlier one.
    "Score: 5 for style\nOverall score: ٣",
]


@pytest.mark.parametrize("text", NOT_IN_LAST_LINE)
def test_in_last_line_refuses(text):
    with pytest.raises(ParseError):
        parse("in_last_line", text)


COMPLEX = [
    ("SCORE: 7", "7.0"),
    ("SCORE: 7/10", "7.0"),
    ("**Final Score: 4.5/5**", "9.0"),
    ("### Total Score\n\n**8/10**\n", "8.0"),
    ("Final Score:\n7.5\n", "7.5"),
    ("FINAL SCORE: 13 / 20.", "6.5"),
    ("Score: 8 out of 10", "8.0"),
    ("Score: 3 out of 4", "7.5"),
    ("Score: 0/10", "0.0"),
    ("Score: 2/3", "6.666666666666667"),
    ("Score: 8/10 (80%)", "8.0"),
    ("Novelty score: 3/10\nFinal score: 6/10", "6.0"),
    ("Novelty score: 3\nFinal score: 6", "6.0"),
    # Fractions come before numbers, wherever in the last 30 lines.
    ("Final score: 6/10\nConfidence score: 9", "6.0"),
    ("SCORE: 7\n\n3 strong links were found.\n- 2 weak ones", "7.0"),
    ("SCORE: 7" + "\nline" * 29, "7.0"),
    ("Score: 2/10\n" + "line\n" * 30 + "Score: 4", "4.0"),
]


@pytest.mark.parametrize(("text", "expected"), COMPLEX)
def test_complex(text, expected):
    assert parse("complex", text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No number here.",
        "SCORE: 7" + "\nline" * 30,
        "SCORE: 456",
        "SCORE: 11",
        "SCORE: 11/10",
        "SCORE: -1/10",
        "SCORE: 7/0",
        "SCORE: -7/-10",
        "SCORE: 7/" + "9" * 400,
        "Score: 5\nFinal score: ٣",
        "SCORE: 7/ten",
        "SCORE: 7/10/2026",
        "SCORE: 7-8/10",
        "SCORE: ٣/10",
        "SCORE: 7/1٣",
        "SCORE: 1e5",
        "SCORE: " + "9" * 5000 + "/" + "9" * 5000,
        "Score: 5/10\nFinal score: 7/10/2026",
        "Score: 5\nFinal score: 7-8",
    ],
)
def test_complex_refuses(text):
    with pytest.raises(ParseError):
        parse("complex", text)


@pytest.mark.parametrize("name", ["in_last_line", "complex"])
def test_errors_say_what_was_looked_for_and_how_the_reply_ends(name):
    with pytest.raises(ParseError, match=r"looked for 'SCORE: .* in the last .* lines.*ends with: 'so it is good\.'"):
        parse(name, "so it is good.\n")


@pytest.mark.parametrize("name", ["in_last_line", "complex"])
def test_a_score_out_of_range_is_named(name):
    with pytest.raises(ParseError, match=r"outside 0 to 10 \(42\)"):
        parse(name, "SCORE: 42")

"""Which of the words of a reply state the score, and which of several statements decides (docs/parsers.md)."""

import pytest

from daydreaming.base.errors import ParseError
from daydreaming.parsers import ParserContext, get_parser

BOTH = pytest.mark.parametrize("name", ["in_last_line", "complex"])


def read(name: str, reply: str) -> str:
    return get_parser("score", name)(reply, ParserContext("evaluation", "v1", "novelty"))


@BOTH
@pytest.mark.parametrize(
    ("reply", "score"),
    [
        # A part of the score gives way to the score.
        *((f"{part}: 3\nScore: 8", "8.0") for part in ("Score (depth)", "Score [depth]", "Score for novelty")),
        ("The novelty score is 3\nThe score is 8", "8.0"),
        ("Score for novelty: 3", "3.0"),
        ("- Score: 3\n- Score: 4\nScore: 8", "8.0"),
        # The form of the answer, quoted, is no statement.
        *((f"Score: 5\nSCORE: {form}", "5.0") for form in ("[0-10]", "<number>", "x", "xx", "x/10", "[x]")),
        ("Score: 5\nFinal score is great", "5.0"),
        # Up to three empty lines below a heading, and blanks of any number.
        ("Final Score\n\n\n\n7", "7.0"),
        ("Score: 7" + " " * 600, "7.0"),
        ("Score" + " " * 395 + ": 7", "7.0"),
        ("Score: 7 " + "x" * 250, "7.0"),
        ("x" * 300 + " Score: 7", "7.0"),
        ("score " * 199 + "Score: 7", "7.0"),
        ("Score is: 7", "7.0"),
        ("<score> > 7", "7.0"),
        ("Overall: 8/10", "8.0"),
    ],
)
def test_which_words_state_the_score(name, reply, score):
    assert read(name, reply) == score


@BOTH
@pytest.mark.parametrize(
    "reply",
    [
        "Score (out of 20): 8/10",
        "Score (0-10): 70%",
        "Score (0-10): 7 (out of 5)",
        *("Overall is 8", "Overall 8", "Overall: 8 good ideas", "Overall, 7", "Overall: good, 7"),
        *(f"Score: 5\nSCORE: {form}" for form in ("[2-10]", "<number 7>", "x 7", "good, but 8")),
        "Final Score\n\n\n\n\n7",
        "Final Score\n7 good",
        "(Score: 3)\nThis gets a score of 8",
        "- Score: 3\nScore: 8",
        "Score: " + "x" * 250 + " 7",
        "score " * 200 + "Score: 7",
        *("Score is good: 7", "Score > 7", "2Score: 7", "Score2: 7"),
    ],
)
def test_what_is_no_statement_or_none_that_can_be_read(name, reply):
    with pytest.raises(ParseError):
        read(name, reply)


@pytest.mark.parametrize(
    ("reply", "last", "complex_"),
    [
        ("Score (0-10): 3\nScore: 8", "8.0", "3.0"),
        ("Final Score: 8\nScore: 5", "5.0", "8.0"),
        ("Total score: 7\nScore: 5", "5.0", "7.0"),
        ("Score: 7/20\nScore: 8", "8.0", "3.5"),
        ("Score: 8/10\nScore: 5", "5.0", "8.0"),
        ("Score: 3/5\nScore: 8/10", "8.0", "8.0"),
    ],
)
def test_an_exact_line_comes_first_for_one_parser_and_a_named_scale_for_the_other(reply, last, complex_):
    assert (read("in_last_line", reply), read("complex", reply)) == (last, complex_)

"""How judges of two texts end: which endings are a verdict, and which are refused (docs/preferences.md)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daydreaming.base.errors import InputError, ParseError
from daydreaming.parsers import ParserContext, get_parser, parser_names
from daydreaming.parsers.preference import preference
from daydreaming.parsers.registry import PARSERS


def read(reply: str) -> str:
    return preference(reply, ParserContext("comparison", "c1", "which"))


READ = [
    # Alone on the last line, with or without emphasis, quotes, brackets, a full stop.
    ("A", "A"),
    ("B", "B"),
    ("tie", "tie"),
    ("Tie.", "tie"),
    ("TIE", "tie"),
    ("**A**", "A"),
    ("__B__", "B"),
    ("**tie**", "tie"),
    ("*B*.", "B"),
    ("`A`", "A"),
    ('"B"', "B"),
    ("[[A]]", "A"),
    ("[B].", "B"),
    ("(tie)", "tie"),
    (r"$\boxed{A}$", "A"),
    (r"\boxed{\text{B}}", "B"),
    ("<b>B</b>", "B"),
    ("<verdict>tie</verdict>", "tie"),
    ("A<|im_end|>", "A"),
    ("Ａ", "A"),
    # Behind a label.
    ("Verdict: A", "A"),
    ("verdict: b", "B"),
    ("VERDICT: TIE", "tie"),
    ("Verdict: a tie.", "tie"),
    ("**Verdict:** B", "B"),
    ("**Verdict: B**", "B"),
    ("### Final verdict: A", "A"),
    ("Final Verdict - A", "A"),
    ("Verdict = B", "B"),
    ("Verdict：Ｂ", "B"),
    ("My verdict is A.", "A"),
    ("The final verdict is: tie", "tie"),
    ("My overall preference: Essay B", "B"),
    ("Winner: Response A", "A"),
    ("The winner is text B!", "B"),
    ("Verdict: [[A]]", "A"),
    ("- Verdict: A", "A"),
    ("3. Verdict: B", "B"),
    ("> Verdict: B", "B"),
    # Below a text, a heading, and empty lines.
    ("A is dull, B is bold.\n\nB", "B"),
    ("## Verdict\n\n**A**", "A"),
    ("Verdict:\nB", "B"),
    ("Verdict: A\n\n---\n", "A"),
    ("```\nVerdict: A\n```", "A"),
    ("reasons\r\n\r\nVerdict: tie\r\n", "tie"),
    # What stands above and takes nothing back.
    ("Verdict: A\nIn short:\nVerdict: A", "A"),
    ("Verdict: B\nB", "B"),
    ("The form is:\nVerdict: A, B or tie\nVerdict: A", "A"),
    ("Verdict: [A/B/tie]\nVerdict: B", "B"),
    ("The winner is hard to name.\nB", "B"),
    ("Not A.\nSo:\nB", "B"),
    ("**A**\nweak\n**B**\nstrong\nVerdict: B", "B"),
]

REFUSED = [
    ("", "is no verdict"),
    (" \n\n", "is no verdict"),
    ("***", "is no verdict"),
    # The verdict is not the last statement, or no statement of its own.
    ("Verdict: A\nI hope that this helps.", "is no verdict"),
    ("A\n\nThank you!", "is no verdict"),
    ("A is better.", "is no verdict"),
    ("I prefer A", "is no verdict"),
    ("Response A", "is no verdict"),
    ("Response A is better than B", "is no verdict"),
    ("So, B", "is no verdict"),
    ("A because of its links", "is no verdict"),
    ("It's a tie", "is no verdict"),
    ("Score: 7", "is no verdict"),
    ("7", "is no verdict"),
    # Other words and letters.
    ("C", "is no verdict"),
    ("[[C]]", "is no verdict"),
    ("draw", "is no verdict"),
    ("equal", "is no verdict"),
    ("Verdict: draw", "not one of A, B and tie"),
    ("Verdict: C", "not one of A, B and tie"),
    ("Verdict: the first", "not one of A, B and tie"),
    ("Verdict: 1", "not one of A, B and tie"),
    ("Verdict: A+", "not one of A, B and tie"),
    ("Verdict: N/A", "not one of A, B and tie"),
    ("А", "is no verdict"),  # Cyrillic
    ("a", "is no verdict"),
    ("b)", "is no verdict"),
    ("A)", "is no verdict"),
    ("- A", "is no verdict"),
    ("1. A", "is no verdict"),
    ("~~A~~", "is no verdict"),
    ("AB", "is no verdict"),
    ("A B", "is no verdict"),
    # Both, neither, alternatives, comparisons.
    ("both", "is no verdict"),
    ("neither", "is no verdict"),
    ("A and B", "is no verdict"),
    ("A or B", "is no verdict"),
    ("A/B", "is no verdict"),
    ("A, B", "is no verdict"),
    ("A > B", "is no verdict"),
    ("[[A>B]]", "is no verdict"),
    ("[A][B]", "is no verdict"),
    ("A (B)", "is no verdict"),
    ("tie (A)", "is no verdict"),
    ("Verdict: both", "not one of A, B and tie"),
    ("Verdict: neither", "not one of A, B and tie"),
    ("Verdict: A and B", "not one of A, B and tie"),
    ("Verdict: A or tie", "not one of A, B and tie"),
    ("Verdict: A/B", "not one of A, B and tie"),
    ("Verdict: A > B", "not one of A, B and tie"),
    ("Verdict: A, B or tie", "not one of A, B and tie"),
    ("Verdict: a tie between A and B", "not one of A, B and tie"),
    # Negations and doubts.
    ("not A", "is no verdict"),
    ("Not B.", "is no verdict"),
    ("A?", "is no verdict"),
    ("Probably A", "is no verdict"),
    ("Verdict: not A", "not one of A, B and tie"),
    ("The winner is not B.", "not one of A, B and tie"),
    ("Verdict: A?", "not one of A, B and tie"),
    ("Verdict: probably A", "not one of A, B and tie"),
    ("Verdict: A, but B is close", "not one of A, B and tie"),
    ("Verdict: A (slightly)", "not one of A, B and tie"),
    # Contradictions.
    ("A\nB", "last two lines state different"),
    ("**B**\n\n**tie**", "last two lines state different"),
    ("Verdict: A\nVerdict: B", "states different verdicts"),
    ("Verdict: A\nOn reflection:\nB", "states different verdicts"),
    ("Winner: tie\nVerdict: B", "states different verdicts"),
    ("My preference is B.\nmore text\nFinal verdict: A", "states different verdicts"),
    ("Verdict: neither\nA", "in a form that cannot be read"),
    ("Verdict: not A\nA", "in a form that cannot be read"),
    ("Verdict: a tie between A and B\nA", "in a form that cannot be read"),
    ("1. Verdict: B, I think\nA", "in a form that cannot be read"),
    ("The winner is not A.\nA", "in a form that cannot be read"),
]


@pytest.mark.parametrize(("reply", "verdict"), READ)
def test_endings_that_are_read(reply, verdict):
    assert read(reply) == verdict


@pytest.mark.parametrize(("reply", "why"), REFUSED)
def test_endings_that_are_refused(reply, why):
    with pytest.raises(ParseError, match=re.escape(why)):
        read(reply)


def test_a_failure_shows_the_end_of_the_reply():
    with pytest.raises(ParseError, match=r"The reply ends with: .*Both have their merits\.'"):
        read("A long text.\n" * 50 + "Both have their merits.")


def test_nothing_takes_a_preference_for_a_score():
    assert [makes for makes in PARSERS if "preference" in parser_names(makes)] == ["preference"]
    with pytest.raises(InputError, match=r"no parser 'preference' of a score.*Use one of: in_last_line"):
        get_parser("score", "preference")


def test_a_stage_that_makes_preferences_has_this_parser_alone():
    context = ParserContext("duel", "g1", "which")
    parse = get_parser("preference", "preference")
    assert parse("<think>\nVerdict: B\n</think>\nVerdict: A", context) == "A"
    assert parser_names("preference") == ("preference",)
    with pytest.raises(InputError, match="no parser 'in_last_line' of a preference"):
        get_parser("preference", "in_last_line")
    with pytest.raises(InputError, match=r"no parser is named\. Use one of: preference"):
        get_parser("preference", None)


PIECES = [
    *("A", "B", "tie", "Verdict", "Verdict: ", "verdict is ", "Winner: ", "My preference", " - ", "\n", "\r", " ", "*"),
    *("#", "[", "]", "(", ")", "{", "}", "<b>", "</b>", "\\boxed{", ".", "?", "/", ">", "|", "not ", "both", "or"),
    *("\u2028", "\x00", "\ud800", "İ", "`", "'", "- ", "1. ", "Response ", "neither"),
]
REPLIES = st.text() | st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=25).map("".join)
VERDICTS = st.sampled_from(["A", "B", "tie"])


@given(reply=REPLIES)
def test_nothing_but_a_verdict_that_stands_on_the_last_line_or_a_parse_error(reply):
    try:
        verdict = read(reply)
    except ParseError as error:
        assert 0 < len(str(error)) < 1000
        return
    assert verdict in ("A", "B", "tie")
    last = [line for line in re.split(r"[\n\r\u2028\u2029]", reply) if re.search(r"\w", line)][-1]
    assert verdict.lower() in last.translate(str.maketrans("ＡＢ", "AB")).lower()


@given(reply=REPLIES, verdict=VERDICTS)
def test_the_other_verdict_on_a_labelled_line_leaves_none(reply, verdict):
    other = {"A": "B", "B": "tie", "tie": "A"}[verdict]
    with pytest.raises(ParseError):
        read(f"Verdict: {other}\n{reply}\nVerdict: {verdict}")


@given(
    prose=st.text().filter(lambda text: not re.search("verdict|winner|preference", text, re.IGNORECASE)),
    verdict=VERDICTS,
    mark=st.sampled_from(["", "*", "**", "__", "`"]),
    end=st.sampled_from(["", ".", " ", "\n", "\r\n\r\n", "\n***\n"]),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_a_verdict_below_any_text_is_read(prose, verdict, mark, end, newline):
    assert read(f"{prose}\nSo:\n{mark}Verdict: {verdict}{mark}{end}".replace("\n", newline)) == verdict


@given(verdict=VERDICTS, rest=st.text(min_size=1).filter(lambda text: re.search(r"[^\W_]", text.splitlines()[0])))
def test_words_behind_a_verdict_leave_none(verdict, rest):
    with pytest.raises(ParseError):
        read(f"Verdict: {verdict} {rest}")


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "unit", ["\n", " ", "*", "A\n", "Verdict: A\n", "verdict ", "[", "- ", "Winner is ", "\u200b", "> ", "*\n"]
)
def test_long_replies_are_read_in_linear_time(unit):
    for end in ("", "\nA", "\nVerdict: B"):
        try:
            read(unit * (1_000_000 // len(unit)) + end)
        except ParseError as error:
            assert len(str(error)) < 2000

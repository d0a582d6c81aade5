"""What holds for every reply: a parser returns text of the promised form or raises ParseError, and is never slow."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from daydreaming.base.errors import ParseError
from daydreaming.parsers import ParserContext, answer_of, get_parser, parser_names

EVERY_PARSER = [(makes, name) for makes in ("text", "score") for name in parser_names(makes)]
TEXT_PARSERS = ("in_last_line", "complex")
PIECES = [
    *("SCORE", "score:", "Final Score: ", " = ", "\n", "\r\n", " ", "*", "#", "/", "out of", "10", "7", "4, 5, 6"),
    *("-", "+", ".", ",", "%", "٣", "７", "²", "nan", "inf", "1e5", "9" * 400, "\u2028", "\x00", "\ud800"),
    *("<think>", "</think>", "<reasoning>", "<|channel|>final<|message|>", '{"score": ', "}", "rounded", "(", ")", "["),
    *("<essay>", "</essay>", "<essay-idea>", "</essay-idea>", '<essay-idea stage="', '">', "stage='2'"),
]
REPLIES = st.text() | st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=25).map("".join)


def without_marks(text: str) -> str:
    """A text without any mark of thoughts, channels or JSON."""
    return text.translate(dict.fromkeys(map(ord, "<[◁{")))


def parse(makes: str, name: str, text: str) -> str:
    return get_parser(makes, name)(text, ParserContext("stage", "g1", "t1"))


@pytest.mark.parametrize(("makes", "name"), EVERY_PARSER)
@given(reply=REPLIES)
def test_nothing_but_text_or_a_parse_error(makes, name, reply):
    try:
        parsed = parse(makes, name, reply)
    except ParseError as error:
        assert str(error)
    else:
        assert isinstance(parsed, str)


@pytest.mark.parametrize("name", parser_names("score"))
@given(reply=REPLIES)
def test_scores_are_plain_numbers_from_0_to_10(name, reply):
    try:
        score = parse("score", name, reply)
    except ParseError:
        return
    assert re.fullmatch(r"[0-9]+\.[0-9]+", score, re.ASCII)
    assert 0 <= float(score) <= 10


@pytest.mark.parametrize("name", TEXT_PARSERS)
@given(before=REPLIES, hundredths=st.integers(0, 1000))
def test_every_score_is_found_below_any_text(name, before, hundredths):
    score = hundredths / 100
    reply = f"{without_marks(before)}\n" + "line\n" * 30 + f"SCORE: {score}\n"
    assert parse("score", name, reply) == str(score)


# Statements that are read, and texts that hold none: the promises of the grammar, whatever stands around a statement.
STATEMENTS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["SCORE: ", "Final Score: ", "The score is ", "Overall: ", "Score - ", "Score\n"]),
    st.integers(0, 99).map(lambda tenths: str(tenths / 10)),
    st.sampled_from(["", "/10", " (out of 20)", " [scale 0 to 10]", ".", " (rounded to 3)", "/20", " of 10"]),
)
PROSE = st.lists(
    st.sampled_from(["a fine essay", "7 links of 10", "1/2", "8", "novelty", ":", "\n", "- ", "is", "**"])
).map(" ".join)
NO_STATEMENT = PROSE | st.text().filter(lambda text: not re.search("score|overall", text, re.IGNORECASE))


@pytest.mark.parametrize("name", TEXT_PARSERS)
@given(before=NO_STATEMENT, reply=STATEMENTS)
def test_a_text_that_states_no_score_changes_none(name, before, reply):
    assume(within_scale(name, reply))
    assert parse("score", name, f"{without_marks(before)}\n{reply}") == parse("score", name, reply)


@pytest.mark.parametrize("name", TEXT_PARSERS)
@given(
    reply=STATEMENTS,
    mark=st.sampled_from(["", "- ", "* ", "1. ", "> ", "### ", "• "]),
    emphasis=st.sampled_from(["", "*", "**", "__", "`"]),
    end=st.sampled_from(["", " ", "   \t", "\n", "\r\n\r\n", "\n***\n"]),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_form_changes_no_score(name, reply, mark, emphasis, end, newline):
    assume(within_scale(name, reply))
    formed = "\n".join(f"{mark}{emphasis}{line}{emphasis}" for line in reply.split("\n")) + end
    assert parse("score", name, formed.replace("\n", newline)) == parse("score", name, reply)


def within_scale(name: str, reply: str) -> bool:
    try:
        return bool(parse("score", name, reply))
    except ParseError as error:
        assert "outside 0 to 10" in str(error)
        return False


@pytest.mark.parametrize("name", parser_names("score"))
@given(reply=REPLIES)
def test_a_reply_without_a_digit_has_no_score(name, reply):
    with pytest.raises(ParseError):
        parse("score", name, re.sub(r"\d", "", reply))


@pytest.mark.parametrize("name", parser_names("score"))
@given(reply=REPLIES | STATEMENTS)
def test_a_score_as_written_stands_in_the_reply(name, reply):
    reply = without_marks(reply)
    try:
        score = parse("score", name, reply)
    except ParseError:
        return
    assert score.as_written
    assert score.as_written in reply


@given(text=st.text().map(without_marks))
def test_an_answer_without_marks_of_thoughts_stays_as_it_is(text):
    assume(not text.lstrip().startswith("analysis"))
    assert answer_of(text) is text


TEXTS = st.text().map(without_marks).map(lambda text: text.replace("`", ""))


@given(text=TEXTS.filter(str.strip), thoughts=TEXTS)
def test_thoughts_before_or_behind_an_answer_are_no_part_of_it(text, thoughts):
    assert answer_of(f"<think>{thoughts}</think>{text}").strip() == text.strip()
    assert answer_of(f"{thoughts}</think>{text}").strip() == text.strip()
    assert answer_of(f"{text}<think>{thoughts}</think>").strip() == text.strip()
    assert answer_of(f"{text}<think>{thoughts}").strip() == text.strip()


@given(before=st.text(), text=st.text(min_size=1).filter(str.strip), after=st.text())
def test_an_essay_block_is_found_in_any_text(before, text, after):
    before, plain, after = without_marks(before), without_marks(text), without_marks(after)
    if not plain.strip():
        return
    assert parse("text", "essay_block", f"{before}<essay>{plain}</essay>{after}") == plain.strip()


# Readers in linear time take milliseconds for each of these; one in quadratic time would take hours and be noticed.
LONG_CHARACTERS = 500_000
UNITS = [
    "x",
    "9",
    " ",
    "\n",
    "* \n",
    "score ",
    "score: 7 ",
    "score 1 , ",
    "7 out of ",
    "<essay-idea ",
    "<essay-idea>\n",
    "<think>",
    "</think>",
    '{"',
]
STARTS = ["", "score: ", "score: 7", "score: 7 /", "score: 7, "]


@pytest.mark.no_cover  # long texts, where counting lines takes longer than reading
@pytest.mark.parametrize(("makes", "name"), EVERY_PARSER)
@pytest.mark.parametrize("unit", UNITS)
def test_long_replies_are_read_in_linear_time(makes, name, unit):
    for start in STARTS:
        for end in ("", "x", "\nend"):
            read_or_refuse(makes, name, start + unit * (LONG_CHARACTERS // len(unit)) + end)


@pytest.mark.parametrize(("makes", "name"), EVERY_PARSER)
def test_a_reply_of_20_megabytes(makes, name):
    read_or_refuse(makes, name, "A line of prose about a score.\n" * 650_000)


def read_or_refuse(makes: str, name: str, reply: str) -> None:
    try:
        parse(makes, name, reply)
    except ParseError as error:
        assert len(str(error)) < 1000

"""What holds for every reply: a parser returns text of the promised form or raises ParseError, and is never slow."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daydreaming.base.errors import ParseError
from daydreaming.parsers import ParserContext, get_parser, parser_names

STAGES = ("draft", "essay", "evaluation")
EVERY_PARSER = [(stage, name) for stage in STAGES for name in parser_names(stage)]
PIECES = [
    *("SCORE", "score:", "Final Score: ", " = ", "\n", "\r\n", " ", "*", "#", "/", "out of", "10", "7", "4, 5, 6"),
    *("-", "+", ".", ",", "%", "٣", "７", "²", "nan", "inf", "1e5", "9" * 400, "\u2028", "\x00", "\ud800"),
    *("<essay>", "</essay>", "<essay-idea>", "</essay-idea>", '<essay-idea stage="', '">', "stage='2'"),
]
REPLIES = st.text() | st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=25).map("".join)


def parse(stage: str, name: str, text: str) -> str:
    return get_parser(stage, name)(text, ParserContext(stage, "g1", "t1"))


@pytest.mark.parametrize(("stage", "name"), EVERY_PARSER)
@given(reply=REPLIES)
def test_nothing_but_text_or_a_parse_error(stage, name, reply):
    try:
        parsed = parse(stage, name, reply)
    except ParseError as error:
        assert str(error)
    else:
        assert isinstance(parsed, str)


@pytest.mark.parametrize("name", parser_names("evaluation"))
@given(reply=REPLIES)
def test_scores_are_plain_numbers_from_0_to_10(name, reply):
    try:
        score = parse("evaluation", name, reply)
    except ParseError:
        return
    assert re.fullmatch(r"[0-9]+\.[0-9]+", score, re.ASCII)
    assert 0 <= float(score) <= 10


@pytest.mark.parametrize("name", parser_names("evaluation"))
@given(before=REPLIES, hundredths=st.integers(0, 1000))
def test_every_score_is_found_below_any_text(name, before, hundredths):
    score = hundredths / 100
    reply = f"{before}\n" + "line\n" * 30 + f"SCORE: {score}\n"
    assert parse("evaluation", name, reply) == str(score)


@given(before=st.text(), text=st.text(min_size=1).filter(str.strip), after=st.text())
def test_an_essay_block_is_found_in_any_text(before, text, after):
    plain = text.replace("<", "")
    if not plain.strip() or "<essay>" in before:
        return
    assert parse("draft", "essay_block", f"{before}<essay>{plain}</essay>{after}") == plain.strip()


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
]
STARTS = ["", "score: ", "score: 7", "score: 7 /", "score: 7, "]


@pytest.mark.no_cover  # long texts, where counting lines takes longer than reading
@pytest.mark.parametrize(("stage", "name"), EVERY_PARSER)
@pytest.mark.parametrize("unit", UNITS)
def test_long_replies_are_read_in_linear_time(stage, name, unit):
    for start in STARTS:
        for end in ("", "x", "\nend"):
            read_or_refuse(stage, name, start + unit * (LONG_CHARACTERS // len(unit)) + end)


@pytest.mark.parametrize(("stage", "name"), EVERY_PARSER)
def test_a_reply_of_20_megabytes(stage, name):
    read_or_refuse(stage, name, "A line of prose about a score.\n" * 650_000)


def read_or_refuse(stage: str, name: str, reply: str) -> None:
    try:
        parse(stage, name, reply)
    except ParseError as error:
        assert len(str(error)) < 1000

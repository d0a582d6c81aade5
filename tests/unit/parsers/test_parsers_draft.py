import pytest

from daydreaming.base.errors import InputError, ParseError
from daydreaming.parsers import ParserContext, get_parser, parser_names

CONTEXT = ParserContext(stage="draft", gen_id="d1", template_id="thread")


def parse(name: str, text: str) -> str:
    return get_parser("text", name)(text, CONTEXT)


IDEAS = {
    "highest stage, not the last one": (
        '<essay-idea stage="2">\nsecond\n</essay-idea>\n<essay-idea stage="1">\nfirst\n</essay-idea>\n',
        "second",
    ),
    "stages are numbers, not text": (
        '<essay-idea stage="9">\nnine\n</essay-idea>\n<essay-idea stage="10">\nten\n</essay-idea>',
        "ten",
    ),
    "leading zeros": (
        '<essay-idea stage="010">\nten\n</essay-idea>\n<essay-idea stage="9">\nnine\n</essay-idea>',
        "ten",
    ),
    "the last of equal stages": (
        '<essay-idea stage="3">\ndraft\n</essay-idea>\n<essay-idea stage="3">\nbetter\n</essay-idea>',
        "better",
    ),
    "no stages: the last one": ("<essay-idea>\none\n</essay-idea>\n\n<essay-idea>\ntwo\n</essay-idea>\n", "two"),
    "a stage that is no number counts as none": (
        '<essay-idea stage="1">\none\n</essay-idea>\n<essay-idea stage="final">\nlast\n</essay-idea>',
        "one",
    ),
    "other attributes": ('<essay-idea id="7" stage="1" kind="x">\none\n</essay-idea>', "one"),
    "an attribute that ends in stage": (
        '<essay-idea substage="9">\nnine\n</essay-idea>\n<essay-idea stage="1">\none\n</essay-idea>',
        "one",
    ),
    "text around and inside is kept as it is": (
        'Preface\n<essay-idea stage="1">\n  Line one.\n\nLine three. \n</essay-idea>\nAfterword',
        "  Line one.\n\nLine three. ",
    ),
    "indented tags, Windows line ends": (
        '  <essay-idea stage="1">\r\nLine one.\r\nLine two.\r\n  </essay-idea>  \r\n',
        "Line one.\r\nLine two.",
    ),
    "tags inside a line are text": (
        '<essay-idea stage="1">\nThe tag </essay-idea> ends it, <essay-idea> begins it.\n</essay-idea>',
        "The tag </essay-idea> ends it, <essay-idea> begins it.",
    ),
    "an unclosed block is no block": (
        '<essay-idea stage="1">\none\n</essay-idea>\n<essay-idea stage="2">\ntwo, cut off',
        "one",
    ),
    "a second closing tag closes nothing": (
        "<essay-idea>\none\n</essay-idea>\nafterwards\n</essay-idea>\n",
        "one",
    ),
    "an unclosed block does not swallow the next": (
        '<essay-idea stage="1">\nlost\n<essay-idea stage="2">\ntwo\n</essay-idea>',
        "two",
    ),
    "a stage of more digits than int() reads": (
        f'<essay-idea stage="5">\nfive\n</essay-idea>\n<essay-idea stage="{"9" * 5000}">\nhuge\n</essay-idea>',
        "huge",
    ),
}


@pytest.mark.parametrize(("text", "expected"), IDEAS.values(), ids=IDEAS.keys())
def test_essay_idea_last(text, expected):
    assert parse("essay_idea_last", text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A reply without tags.",
        "<essay-idea>inline</essay-idea>",
        "<essay-ideas>\nother tag\n</essay-ideas>",
        "<essay-idea>\nnever closed",
        "</essay-idea>\nnever opened\n<essay-idea>",
        "<essay-idea>\n</essay-idea>",
        '<essay-idea stage="1">\none\n</essay-idea>\n<essay-idea stage="2">\n \n</essay-idea>',
    ],
)
def test_essay_idea_last_refuses(text):
    with pytest.raises(ParseError, match="essay-idea"):
        parse("essay_idea_last", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<essay>\nText.\n</essay>", "Text."),
        ("Thoughts.\n<essay>One.</essay>\n<essay>Two.</essay>", "One."),
        ("Thoughts.\n<essay>\n\nOne.\n\nTwo. ", "One.\n\nTwo."),
        ("</essay> first <essay>One.", "One."),
    ],
)
def test_essay_block(text, expected):
    assert parse("essay_block", text) == expected


@pytest.mark.parametrize("text", ["", "No tags.", "<essays>x</essays>", "<essay> \n </essay>", "text <essay>"])
def test_essay_block_refuses(text):
    with pytest.raises(ParseError, match="<essay>"):
        parse("essay_block", text)


def test_errors_show_how_the_reply_ends():
    with pytest.raises(ParseError) as caught:
        parse("essay_block", "beginning " + "x" * 5000 + " and then it stopped\n")
    assert "and then it stopped" in str(caught.value)
    assert "beginning" not in str(caught.value)


@pytest.mark.parametrize("name", [None, ""])
def test_drafts_and_essays_without_a_parser_stay_as_they_are(name):
    text = "  Two lines,\r\nas they came. \n"
    assert get_parser("text", name)(text, CONTEXT) == text


def test_names_are_those_of_what_is_made():
    assert {"essay_idea_last", "essay_block"} <= set(parser_names("text"))
    assert set(parser_names("score")) == {"in_last_line", "complex", "json_score"}


@pytest.mark.parametrize(
    ("makes", "name"), [("text", "in_last_line"), ("score", "essay_block"), ("score", None), ("score", "no")]
)
def test_unknown_parsers_are_named_with_the_known_ones(makes, name):
    with pytest.raises(InputError) as caught:
        get_parser(makes, name)
    fault = caught.value.faults[0]
    assert fault.column == "parser"
    assert all(known in fault.cure for known in parser_names(makes))

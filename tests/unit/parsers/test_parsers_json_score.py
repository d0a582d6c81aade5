"""The parser of judges that answer with JSON."""

import pytest

from daydreaming.base.errors import ParseError
from daydreaming.parsers import ParserContext, get_parser


def read(reply: str, **context: object) -> tuple[str, str]:
    score = get_parser("score", "json_score")(reply, ParserContext("evaluation", "v1", "novelty", **context))
    return score, score.as_written


@pytest.mark.parametrize(
    ("reply", "score", "as_written"),
    [
        ('{"score": 7}', "7.0", "7"),
        ('{"reason": "It says {\\"score\\": 3}.", "score": 7.50}', "7.5", "7.50"),
        ('Here you are:\n```json\n{\n  "score": 7,\n  "reason": "sound"\n}\n```\nGood luck!', "7.0", "7"),
        ('{"score": 3}\nOn reflection:\n{"score": 7}', "7.0", "7"),
        ('{"score": 7}\n{"confidence": 9}', "7.0", "7"),
        ('{"result": {"score": 7}}', "7.0", "7"),
        ('{"parts": [{"score": 3}, {"score": 5}], "score": 4}', "4.0", "4"),
        ('{"parts": [{"score": 4}, {"score": 4.0}]}', "4.0", "4"),
        ('Of {these} and {"those" } ideas: {"score": 1e1}', "10.0", "1e1"),
        ('{"score": 1e-999999999}', "0.0", "1e-999999999"),
        ('{"score": 7.' + "0" * 38 + "}", "7.0", "7." + "0" * 38),
        ('{"x" ' * 1000 + '{"score": 5}', "5.0", "5"),
        ('{"score": 3}' + " " * (1_000_000 - 12), "3.0", "3"),
        ('<think>{"score": 3}</think>{"score": 7}', "7.0", "7"),
        ('\ufeff{\r\n"score":\r\n7}', "7.0", "7"),
    ],
)
def test_the_number_of_the_last_object(reply, score, as_written):
    assert read(reply) == (score, as_written)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("", "No JSON object with a number under 'score'"),
        ("SCORE: 7", "No JSON object"),
        ("[7]", "No JSON object"),
        ('{"Score": 7}', "No JSON object"),
        ('{"score": "7"}', "no number"),
        ('{"score": true}', "no number"),
        ('{"score": null}', "no number"),
        ('{"score": 5}\n{"score": null}', "no number"),
        ('{"score": [7, 8]}', "no number"),
        ('{"score": NaN}', "no number of JSON"),
        ('{"score": 7, "score": 8}', "same key twice"),
        ('{"parts": [{"score": 3}, {"score": 5}]}', "different numbers"),
        ('{"score": 5}\n{"score": 7, "reason": "cut o', "broken or cut off"),
        ('{"score": 5}\n{"score": 7-8}', "broken or cut off"),
        ("{'score': 7}", "No JSON object"),
        ('{"score": 11}', r"outside 0 to 10 \(11\)"),
        ('{"score": -1}', "outside 0 to 10"),
        ('{"score": 1e999999999}', "too large"),
        ('{"score": ' + "9" * 5000 + "}", "no number"),
        ('{"a":' * 100_000, "nested too deep"),
        ('{"score": 7.' + "0" * 39 + "}", "no number"),
        ('{"score": 10.0000000000000000001}', "outside 0 to 10"),
        ('{"x" ' * 1001 + '{"score": 5}', "begin as JSON and are none"),
        ('{"score": 3}' + " " * (1_000_001 - 12), "No JSON object"),
        ('{"x" ' * 5000, "begin as JSON and are none"),
    ],
)
def test_what_is_no_number_on_the_scale(reply, said):
    with pytest.raises(ParseError, match=said):
        read(reply)


def test_the_key_and_the_scale_are_the_templates():
    assert read('{"novelty": 4, "score": 9}', score_key="novelty", score_min=1, score_max=5) == ("4.0", "4")
    with pytest.raises(ParseError, match="outside 1 to 5"):
        read('{"novelty": 9}', score_key="novelty", score_min=1, score_max=5)

"""Thoughts are no answer: every parser sees what follows them, whatever marks they have."""

import pytest

from daydreaming.base.errors import ParseError
from daydreaming.parsers import ParserContext, answer_of, get_parser

HARMONY = (
    "<|channel|>analysis<|message|>Perhaps SCORE: 3.<|end|>"
    "<|start|>assistant<|channel|>commentary to=functions.none<|message|>SCORE: 2<|call|>"
    "<|start|>assistant<|channel|>final{constrain}<|message|>Good.\nSCORE: 8<|return|>"
)
ANSWER = "Good.\nSCORE: 8"
REPLIES = {
    "think": f"<think>\nPerhaps SCORE: 3.\n</think>\n\n{ANSWER}",
    "thinking": f"<thinking>SCORE: 3</thinking>{ANSWER}",
    "reasoning, in capitals": f"<REASONING>\nSCORE: 3\n</REASONING>\n{ANSWER}",
    "a swallowed opening tag": f"Perhaps SCORE: 3.\n</think>\n\n{ANSWER}",
    "behind the answer": f"{ANSWER}\n<think>maybe SCORE: 3</think>",
    "never closed, behind the answer": f"{ANSWER}\n<think>maybe SCORE: 3",
    "two blocks": "<think>SCORE: 3</think>\nGood.\n<think>SCORE: 4</think>\nSCORE: 8",
    "a tag that the thoughts speak of": f"<think>I close with <think>: SCORE: 3</think>{ANSWER}",
    "another kind inside": f"<think>SCORE: 3 <reasoning>SCORE: 4</reasoning> SCORE: 5</think>{ANSWER}",
    "every kind of mark": f"<think>[a] ◁ SCORE: 3</think>{ANSWER}",
    "a second end": f"<think>SCORE: 3</think>SCORE: 4, or not</think>{ANSWER}",
    "magistral": f"[THINK]SCORE: 3[/THINK]{ANSWER}",
    "kimi": f"◁think▷SCORE: 3◁/think▷{ANSWER}",
    "seed": f"<seed:think>SCORE: 3</seed:think>{ANSWER}",
    "gpt-oss": HARMONY.format(constrain=""),
    "gpt-oss, constrained": HARMONY.format(constrain=" <|constrain|>json"),
    "gpt-oss, cut off at the end": HARMONY.format(constrain="").removesuffix("<|return|>"),
    "gpt-oss, its markers dropped": f"analysisPerhaps SCORE: 3.assistantfinal{ANSWER}",
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES.keys())
def test_the_answer_is_what_is_read(reply):
    assert answer_of(reply).split() == ANSWER.split()
    assert get_parser("score", "in_last_line")(reply, ParserContext("evaluation", "v1", "novelty")) == "8.0"
    assert get_parser("text", None)(reply, ParserContext("draft", "d1", "thread")).split() == ANSWER.split()
    assert get_parser("text", None)(reply, ParserContext("essay", "e1", "thread")).split() == ANSWER.split()


NOTHING_BUT_THOUGHTS = [
    "<think>SCORE: 3",
    "<think>SCORE: 3</think>",
    " \n<think>SCORE: 3</think>\n ",
    "SCORE: 3</think>",
    "<reasoning>\n<essay>A first idea.</essay>\nSCORE: 3",
    "<think>a <reasoning>b</reasoning> SCORE: 3",
    "<think>a <think> SCORE: 3",
    "<|channel|>analysis<|message|>SCORE: 3",
    "<|channel|>analysis<|message|>SCORE: 3<|end|><|start|>assistant<|channel|>final<|message|>",
]


@pytest.mark.parametrize("reply", NOTHING_BUT_THOUGHTS)
@pytest.mark.parametrize(("makes", "name"), [("text", None), ("text", "essay_block"), ("score", "complex")])
def test_nothing_but_thoughts_is_a_failure(makes, name, reply):
    with pytest.raises(ParseError, match="nothing but thoughts"):
        get_parser(makes, name)(reply, ParserContext("stage", "g1", "t1"))


def test_a_draft_is_not_cut_out_of_the_thoughts():
    reply = "<think>Something like <essay>a first try</essay>?</think>\n<essay>The real one.</essay>"
    assert get_parser("text", "essay_block")(reply, ParserContext("draft", "d1", "thread")) == "The real one."


@pytest.mark.parametrize(
    "text",
    ["  As it came. \r\n", "Models write `<think>` before they answer.", "a < b, [c], analysis of d", "analysis", ""],
)
def test_a_reply_without_thoughts_stays_as_it_is(text):
    assert answer_of(text) is text


def test_lines_that_a_block_parted_are_not_joined():
    reply = "SCORE: 4<think>or more</think>5"
    assert answer_of(reply) == "SCORE: 4\n5"

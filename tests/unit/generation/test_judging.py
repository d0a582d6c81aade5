"""Which replies are results: thoughts are no answer, and a score is read on its rubric's scale."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from core_fixtures import reply as reply_of
from core_fixtures import specification

from daydreaming.base.errors import GenerationError
from daydreaming.generation.judging import read_reply
from daydreaming.generation.specification import CallSpecification
from daydreaming.inputs.setting_models import StageSettings
from daydreaming.ledger.received import Reply
from daydreaming.parsers import ParsedScore


def judged(stage: str, parser: str | None = None, *, min_lines: int | None = None, **scale: Any) -> CallSpecification:
    """A generation whose template has a scale."""
    made = specification(stage, parser=parser, sampling=StageSettings(max_tokens=1000, min_lines=min_lines))
    return replace(made, template=replace(made.template, **scale))


def reply(text: str) -> Reply:
    return reply_of(text=text)


@pytest.mark.parametrize("stage", ["draft", "essay"])
def test_thoughts_are_no_part_of_a_text(stage: str):
    assert read_reply(reply("<think>Hm.</think>\n\nOne.\nTwo.\n"), judged(stage)) == "One.\nTwo.\n"


def test_nothing_but_thoughts_is_an_empty_reply():
    with pytest.raises(GenerationError, match="nothing but thoughts") as caught:
        read_reply(reply("<think>SCORE: 3"), judged("evaluation", "complex"))
    assert caught.value.kind == "empty"


def test_lines_of_thoughts_do_not_count():
    with pytest.raises(GenerationError, match="1 non-empty lines") as caught:
        read_reply(reply("<think>\none\ntwo\nthree\n</think>\nfour"), judged("draft", min_lines=2))
    assert caught.value.kind == "too_short"


def test_a_score_says_how_it_was_written():
    score = read_reply(reply("SCORE: 4/5"), judged("evaluation", "complex"))
    assert isinstance(score, ParsedScore)
    assert (score, score.as_written) == ("8.0", "4/5")


def test_scale_and_key_are_those_of_the_template():
    scale = {"score_min": 1.0, "score_max": 5.0, "score_key": "novelty"}
    assert read_reply(reply("SCORE: 4/5"), judged("evaluation", "complex", **scale)) == "4.0"
    assert read_reply(reply('{"novelty": 4}'), judged("evaluation", "json_score", **scale)) == "4.0"


def test_a_score_that_cannot_be_read_is_a_failure_that_quotes_it():
    with pytest.raises(GenerationError, match=r"'complex' could not read the reply.*'SCORE: 7-8'") as caught:
        read_reply(reply("SCORE: 7-8\nThe end."), judged("evaluation", "complex"))
    assert caught.value.kind == "parse"

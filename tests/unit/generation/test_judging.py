"""Which replies are results: thoughts are no answer, and a score is read on its rubric's scale."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from daydreaming.base.errors import GenerationError
from daydreaming.generation.judging import read_reply
from daydreaming.parsers import ParsedScore


@dataclass(frozen=True)
class Judged:
    """As much of a specification as reading a reply asks for."""

    stage: str
    parser: str | None = None
    gen_id: str = "g1"
    min_lines: int | None = None
    finish_reasons: dict[str, str] = field(default_factory=dict)
    scale: dict[str, object] = field(default_factory=dict)

    @property
    def template(self) -> SimpleNamespace:
        return SimpleNamespace(template_id="t1", **self.scale)

    @property
    def sampling(self) -> SimpleNamespace:
        return SimpleNamespace(max_tokens=1000, min_lines=self.min_lines)


def reply(text: str) -> SimpleNamespace:
    return SimpleNamespace(
        text=text, finish_reason="stop", refusal=None, malformed=None, usage={"completion_tokens": 10}
    )


@pytest.mark.parametrize("stage", ["draft", "essay"])
def test_thoughts_are_no_part_of_a_text(stage: str):
    assert read_reply(reply("<think>Hm.</think>\n\nOne.\nTwo.\n"), Judged(stage)) == "One.\nTwo.\n"


def test_nothing_but_thoughts_is_an_empty_reply():
    with pytest.raises(GenerationError, match="nothing but thoughts") as caught:
        read_reply(reply("<think>SCORE: 3"), Judged("evaluation", "complex"))
    assert caught.value.kind == "empty"


def test_lines_of_thoughts_do_not_count():
    with pytest.raises(GenerationError, match="1 non-empty lines") as caught:
        read_reply(reply("<think>\none\ntwo\nthree\n</think>\nfour"), Judged("draft", min_lines=2))
    assert caught.value.kind == "too_short"


def test_a_score_says_how_it_was_written():
    score = read_reply(reply("SCORE: 4/5"), Judged("evaluation", "complex"))
    assert isinstance(score, ParsedScore)
    assert (score, score.as_written) == ("8.0", "4/5")


def test_scale_and_key_are_those_of_the_template():
    scale = {"score_min": 1.0, "score_max": 5.0, "score_key": "novelty"}
    assert read_reply(reply("SCORE: 4/5"), Judged("evaluation", "complex", scale=scale)) == "4.0"
    assert read_reply(reply('{"novelty": 4}'), Judged("evaluation", "json_score", scale=scale)) == "4.0"


def test_a_score_that_cannot_be_read_is_a_failure_that_quotes_it():
    with pytest.raises(GenerationError, match=r"'complex' could not read the reply.*'SCORE: 7-8'") as caught:
        read_reply(reply("SCORE: 7-8\nThe end."), Judged("evaluation", "complex"))
    assert caught.value.kind == "parse"

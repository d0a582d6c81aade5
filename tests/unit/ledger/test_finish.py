from __future__ import annotations

import pytest
from core_fixtures import reply

from daydreaming.base.errors import GenerationError
from daydreaming.ledger.finish import Ending, check_prompt_was_read, ending_of


@pytest.mark.parametrize("word", ["stop", "STOP", "eos", "end_turn", "stop_sequence", " Stop "])
def test_a_finished_answer(word: str):
    assert ending_of(word) == Ending.FINISHED


@pytest.mark.parametrize("word", ["length", "max_tokens", "MAX_TOKENS", "model_length"])
def test_a_truncated_answer(word: str):
    assert ending_of(word) == Ending.TRUNCATED


@pytest.mark.parametrize("word", ["content_filter", "SAFETY", "refusal"])
def test_a_refused_answer(word: str):
    assert ending_of(word) == Ending.REFUSED


@pytest.mark.parametrize("word", ["error", "abort", "insufficient_system_resource", "tool_calls", "whatever", "", None])
def test_any_other_reason_is_a_failure_that_names_it(word: str | None):
    with pytest.raises(GenerationError) as caught:
        ending_of(word)
    assert caught.value.kind == "unfinished"
    assert (repr(word) if word else "none") in caught.value.message
    assert f"finish_reasons: {{{word or 'none'}: finished}}" in caught.value.message


def test_an_endpoint_may_have_words_of_its_own():
    dialect = {"Done": "finished", "quota": "truncated", "stop": "refused", "none": "finished"}
    assert ending_of("done", dialect) == Ending.FINISHED
    assert ending_of("QUOTA", dialect) == Ending.TRUNCATED
    assert ending_of("stop", dialect) == Ending.REFUSED
    assert ending_of(None, dialect) == Ending.FINISHED


ENGLISH = "The tide comes in and goes out again. "


@pytest.mark.parametrize(
    ("prompt", "tokens", "was_cut"),
    [
        ((ENGLISH * 2000)[:40_000], 2_048, True),
        ((ENGLISH * 2000)[:40_000], 9_000, False),
        ("潮が満ちて引く。" * 500, 3_000, False),
        ((ENGLISH * 2000)[:40_000], 0, False),
        (ENGLISH * 40, 10, False),
        ("=" * 40_000 + ENGLISH, 700, False),
        ("=" * 40_000 + ENGLISH * 1000, 700, True),
    ],
)
def test_a_prompt_of_which_the_server_read_a_part(prompt: str, tokens: int, was_cut: bool):
    answer = reply(usage={"prompt_tokens": tokens})
    if not was_cut:
        return check_prompt_was_read(answer, prompt)
    with pytest.raises(GenerationError) as caught:
        check_prompt_was_read(answer, prompt)
    assert caught.value.kind == "prompt_cut"
    assert "num_ctx" in caught.value.message


@pytest.mark.parametrize(("characters", "was_cut"), [(2_400, False), (2_401, True)])
def test_eight_characters_a_token_are_still_believed(characters: int, was_cut: bool):
    test_a_prompt_of_which_the_server_read_a_part((ENGLISH * 80)[:characters], 300, was_cut)


def test_one_token_is_a_count_and_a_short_prompt_is_not_checked():
    test_a_prompt_of_which_the_server_read_a_part((ENGLISH * 80)[:2_001], 1, True)
    test_a_prompt_of_which_the_server_read_a_part((ENGLISH * 80)[:2_000], 1, False)


def test_a_server_that_does_not_count_is_not_checked():
    check_prompt_was_read(reply(usage={}), ENGLISH * 2000)

"""An endpoint of kind anthropic: single calls, what cannot be asked there, what its cache costs."""

import orjson
import pytest
from client_fixtures import Caller
from core_fixtures import request

from daydreaming.base.errors import GenerationError
from daydreaming.ledger.reading import read_reply
from daydreaming.ledger.received import Received
from daydreaming.llm.anthropic_messages import message_body
from provider import Provider

SYSTEM = {"role": "system", "content": "A rubric."}


def asked(**changes):
    return request(**{"seed": None, "extra_body": {}, **changes})


def test_a_call_brings_a_stored_reply(tmp_path, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_TEST_KEY", "test-key")
    with Provider() as provider:
        caller = Caller(
            tmp_path, provider.base_url.removesuffix("/v1"), kind="anthropic", api_key_env="ANTHROPIC_TEST_KEY"
        )
        (reply,) = caller.call(asked())
    assert reply.finish_reason == "end_turn"
    assert "Thought" in reply.text
    assert reply.cost_usd > 0
    assert caller.store.load(asked().sha256).text == reply.text


def test_the_shared_part_of_a_judge_prompt_is_marked_and_changes_no_name():
    one = asked(messages=(SYSTEM, {"role": "user", "content": "An essay."}))
    (block,) = message_body(one, caches=True)["system"]
    assert block["cache_control"] == {"type": "ephemeral"}
    assert message_body(one, caches=False)["system"] == "A rubric."
    assert message_body(one, caches=True)["messages"] == [{"role": "user", "content": "An essay."}]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 1}, "has no seed"),
        ({"max_tokens": None}, "needs max_tokens"),
        ({"extra_body": {"response_format": {"type": "json_object"}}}, "has no response_format"),
    ],
)
def test_what_the_api_has_no_word_for_is_said(changes, words):
    with pytest.raises(GenerationError, match=words):
        message_body(asked(**changes), caches=False)


def test_tokens_of_the_cache_are_counted_and_priced():
    message = {
        "type": "message",
        "id": "msg-1",
        "model": "m",
        "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "SCORE: 7"}],
        "stop_reason": "end_turn",
        "usage": {
            "input_tokens": 100,
            "cache_creation_input_tokens": 1000,
            "cache_read_input_tokens": 2000,
            "output_tokens": 10,
            "cache_creation": {"ephemeral_1h_input_tokens": 200, "ephemeral_5m_input_tokens": 800},
        },
    }
    reply = read_reply("0" * 64, Received.of(orjson.dumps(message)), (1.0, 2.0))
    assert reply.text == "SCORE: 7"
    assert reply.usage == {"prompt_tokens": 3100, "completion_tokens": 10, "total_tokens": 3110}
    assert reply.cost_usd == pytest.approx((100 + 1.25 * 800 + 2 * 200 + 0.1 * 2000 + 2 * 10) / 1e6)


def test_a_refusal_and_a_cut_answer_keep_their_names():
    for reason in ("refusal", "max_tokens"):
        body = {
            "type": "message",
            "content": [],
            "stop_reason": reason,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
        assert read_reply("0" * 64, Received.of(orjson.dumps(body)), (None, None)).finish_reason == reason

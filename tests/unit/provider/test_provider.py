"""The scripted provider, driven by the real `openai` client: each kind of reply and each fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
from openai.types.chat import ChatCompletion
from provider_fixtures import PATIENCE_S, PROMPT, ask, text_of, wait_until

from provider import Answer, Provider, Rule, faults


@pytest.fixture(scope="module")
def shared_provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture
def provider(shared_provider: Provider) -> Provider:
    shared_provider.script([])
    shared_provider.reset_ledger()
    return shared_provider


def is_up(provider: Provider) -> bool:
    provider.script([])
    try:
        return bool(text_of(ask(provider)))
    except openai.APIConnectionError:
        return False


def test_default_reply_depends_on_the_request_alone(provider):
    first, again = ask(provider), ask(provider)
    assert text_of(first) == text_of(again)
    assert len(text_of(first).splitlines()) >= 5
    assert first.id != again.id
    others = [ask(provider, "Another."), ask(provider, model="model-b"), ask(provider, seed=2)]
    assert len({text_of(first), *map(text_of, others)}) == 4


def test_default_reply_is_complete(provider):
    completion = ask(provider)
    assert completion.model == "model-a"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.prompt_tokens == len("Write about tides.") // 4
    assert completion.usage.completion_tokens == len(text_of(completion)) // 4
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    assert completion._request_id.startswith("request-")


def test_shape_that_the_prompt_asks_for(provider):
    score_line = text_of(ask(provider, "Judge it. End with SCORE: <number>")).splitlines()[-1]
    assert score_line in {f"SCORE: {number}" for number in range(10)}
    assert text_of(ask(provider, 'Use <essay-idea stage="N"> blocks.')).startswith('<essay-idea stage="1">\n')
    assert text_of(ask(provider, "Put it into <essay>.")).endswith("\n</essay>")


def test_ledger_tells_what_was_asked_but_not_the_key(provider):
    ask(provider, temperature=0.5)
    (call,) = provider.ledger()
    assert (call.path, call.model, call.prompt) == ("/v1/chat/completions", "model-a", "Write about tides.")
    assert call.body == {"model": "model-a", "messages": PROMPT, "temperature": 0.5}
    assert (call.answered_by, call.status, call.ended, call.reply_sent) == ("default", 200, "replied", True)
    assert (call.key_came, call.key_correct) == (True, True)
    assert call.received_at <= call.ended_at
    assert "authorization" not in call.headers
    assert provider.api_key not in json.dumps(call.headers)


def test_ledger_compares_keys(provider):
    for key in ("wrong", provider.api_key):
        with openai.OpenAI(base_url=provider.base_url, api_key=key, max_retries=0) as api_client:
            api_client.chat.completions.create(model="model-a", messages=PROMPT)
    assert [(call.key_came, call.key_correct) for call in provider.ledger()] == [(True, False), (True, True)]


def test_body_hash_ignores_the_order_of_keys_alone(provider):
    ask(provider, extra_body={"a": 1, "b": 2})
    ask(provider, extra_body={"b": 2, "a": 1})
    ask(provider, extra_body={"b": 2, "a": 2})
    first, reordered, changed = (call.body_sha256 for call in provider.ledger())
    assert first == reordered != changed


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        (faults.fault_429(retry_after=2), openai.RateLimitError),
        (faults.fault_status(400), openai.BadRequestError),
        (faults.fault_status(500), openai.InternalServerError),
        (faults.fault_status(503), openai.InternalServerError),
        (faults.fault_reset("before"), openai.APIConnectionError),
        (faults.fault_reset("during"), openai.APIConnectionError),
        (faults.fault_cut_body(), openai.APIConnectionError),
        (faults.fault_invalid_utf8(), ValueError),
    ],
    ids=lambda value: value.name if isinstance(value, Rule) else "",
)
def test_fault_that_the_client_raises(provider, rule, error):
    provider.script([rule])
    with pytest.raises(error) as caught:
        ask(provider)
    assert not isinstance(caught.value, openai.APITimeoutError)
    (call,) = provider.ledger()
    assert call.answered_by == rule.name
    assert call.reply_sent == (call.ended == "replied")


def test_429_carries_its_headers(provider):
    provider.script([faults.fault_429(retry_after=2)])
    with pytest.raises(openai.RateLimitError) as caught:
        ask(provider)
    assert caught.value.response.headers["retry-after"] == "2"
    assert caught.value.response.headers["x-ratelimit-remaining-requests"] == "0"


@pytest.mark.parametrize(("moment", "status", "reply_sent"), [("before", None, False), ("during", 200, False)])
def test_reset_that_loses_the_reply(provider, moment, status, reply_sent):
    provider.script([faults.fault_reset(moment)])
    with pytest.raises(openai.APIConnectionError):
        ask(provider)
    (call,) = provider.ledger()
    assert (call.status, call.ended, call.reply_sent) == (status, "reset", reply_sent)


def test_reset_after_the_reply_loses_nothing(provider):
    provider.script([faults.fault_reset("after")])
    assert text_of(ask(provider))
    wait_until(lambda: provider.ledger()[0].ended in {"reset", "replied"})
    assert provider.ledger()[0].reply_sent


def test_reset_after_the_reply_breaks_the_pooled_connection(provider):
    provider.script([faults.fault_reset("after", first=1)])
    with openai.OpenAI(base_url=provider.base_url, api_key="key", max_retries=0) as api_client:
        api_client.chat.completions.create(model="model-a", messages=PROMPT)
        wait_until(lambda: provider.ledger()[0].ended == "reset")
        assert provider.stats().connections == 0


def test_hang_is_a_timeout_and_the_ledger_sees_the_client_go(provider):
    provider.script([faults.fault_hang(600)])

    def has_come_and_gone() -> bool:
        with pytest.raises(openai.APITimeoutError):
            ask(provider, timeout=openai.Timeout(PATIENCE_S, read=0.2))
        return provider.calls > 0

    # Where the server takes longer than that to look, it never hears of the call.
    wait_until(has_come_and_gone)
    wait_until(lambda: provider.stats().in_flight == 0)
    call = provider.ledger()[0]
    assert (call.ended, call.status, call.reply_sent) == ("client gone", None, False)


def test_hang_ends_with_a_reset(provider):
    provider.script([faults.fault_hang(0.1)])
    with pytest.raises(openai.APIConnectionError) as caught:
        ask(provider)
    assert not isinstance(caught.value, openai.APITimeoutError)


def test_replies_that_are_wrong_inside_a_200(provider):
    def answer(rule: Rule) -> ChatCompletion:
        provider.script([rule])
        return ask(provider)

    assert answer(faults.fault_error_in_200()).error["message"] == "the upstream model failed"
    assert answer(faults.fault_null_content()).choices[0].message.content is None
    assert answer(faults.fault_empty()).choices[0].message.content == ""
    assert answer(faults.fault_truncated()).choices[0].finish_reason == "length"
    assert answer(faults.fault_refused()).choices[0].message.refusal
    assert answer(Rule("no choices", Answer(reply={"choices": []}))).choices == []
    assert all(call.status == 200 and call.reply_sent for call in provider.ledger())


def test_html_with_status_200(provider):
    provider.script([faults.fault_html()])
    with openai.OpenAI(base_url=provider.base_url, api_key="key", max_retries=0) as api_client:
        response = api_client.chat.completions.with_raw_response.create(model="model-a", messages=PROMPT)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "<h1>" in response.text


def test_large_reply_arrives_in_full(provider):
    provider.script([faults.fault_large(20_000_000)])
    assert len(text_of(ask(provider))) == 20_000_000
    assert provider.ledger()[0].reply_sent


def test_scripted_content_usage_and_latency(provider):
    provider.script(
        [faults.reply_content("word " * 8, times=1), faults.reply_cost(0.25, nth=2), faults.reply_slowly(0.2)]
    )
    first = ask(provider)
    assert (text_of(first), first.usage.completion_tokens) == ("word " * 8, 10)
    assert ask(provider).usage.cost == 0.25
    ask(provider)
    slow = provider.ledger()[-1]
    assert slow.ended_at - slow.received_at >= 0.2


def test_down_refuses_and_comes_back_on_the_same_port(provider):
    provider.script([faults.fault_down(times=1)])
    for _ in range(2):
        with pytest.raises(openai.APIConnectionError):
            ask(provider)
    assert [call.ended for call in provider.ledger()] == ["server down"], "the second call must not get through"
    provider.release()
    wait_until(lambda: is_up(provider))


def test_down_resets_the_calls_in_flight(provider):
    provider.script([faults.reply_held(prompt_contains="tides"), faults.fault_down(0.1, times=1)])
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask, provider)
        wait_until(lambda: provider.stats().in_flight == 1)
        with pytest.raises(openai.APIConnectionError):
            ask(provider, "Go down.")
        assert isinstance(asking.exception(), openai.APIConnectionError)
    assert [(call.ended, call.reply_sent) for call in provider.ledger()] == [("server down", False)] * 2
    wait_until(lambda: is_up(provider))


def test_wrong_script_is_refused_and_the_old_one_stays(provider):
    provider.script([faults.fault_empty()])
    with pytest.raises(ValueError, match=r"rule 1 of the script.*evry"):
        provider._control("PUT", "script", b'[{"when": {"evry": 3}}]')
    assert text_of(ask(provider)) == ""


def test_unknown_path_and_bad_body_are_recorded(provider):
    with openai.OpenAI(base_url=provider.base_url, api_key="key", max_retries=0) as api_client:
        with pytest.raises(openai.NotFoundError):
            api_client.models.list()
        with pytest.raises(openai.BadRequestError):
            api_client.post("/chat/completions", body=["no object"], cast_to=object)
    assert [call.answered_by for call in provider.ledger()] == ["not found", "bad request"]

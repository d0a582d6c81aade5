from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from core_fixtures import request

from daydreaming.ledger.replies import Reply
from daydreaming.llm.answers import Answer, CallError, read_answer, retry_after

PRICES = (1.0, 3.0)


def completion(message: Any = None, **changes: Any) -> dict[str, Any]:
    choice = {"message": {"content": "Hi."} if message is None else message, "finish_reason": "stop"}
    return {"id": "c-1", "model": "served", "choices": [choice], "usage": {}, **changes}


def read(
    body: Any, status: int = 200, headers: dict[str, str] | None = None, prices: tuple[float | None, ...] = PRICES
) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_answer(Answer(status, headers or {}, content, 1.0, 2.5), request(), prices)


def failure(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> CallError:
    with pytest.raises(CallError) as caught:
        read(body, status, headers)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, "api", False),
        (401, "api", False),
        (402, "api", False),
        (404, "api", False),
        (408, "api", True),
        (409, "api", True),
        (425, "api", True),
        (429, "rate_limit", True),
        (500, "api", True),
        (503, "api", True),
        (529, "api", True),
    ],
)
def test_a_status_decides_whether_trying_again_can_help(status: int, kind: str, retryable: bool):
    from_status = failure({"error": {"message": "no luck"}}, status)
    from_body = failure({"error": {"message": "no luck", "code": status}})
    for error in (from_status, from_body):
        assert (error.kind, error.retryable, error.perhaps_billed, error.status) == (kind, retryable, False, status)
        assert "no luck" in error.message
        assert str(error) == error.message


@pytest.mark.parametrize("code", [None, "overloaded", 7, "²"])
def test_an_error_in_a_200_without_a_status_may_pass(code: object):
    error = failure({"error": {"message": "upstream", "code": code}})
    assert (error.kind, error.retryable) == ("api", True)
    assert failure({"error": "just words"}).retryable


def test_an_error_inside_a_choice_is_an_error():
    error = failure(completion(choices=[{"error": {"message": "cut", "code": 429}, "message": {"content": "Hal"}}]))
    assert (error.kind, error.retryable) == ("rate_limit", True)


@pytest.mark.parametrize(
    ("body", "words", "perhaps_billed"),
    [
        (b"\n <html>Sign in</html>", "a web page, not JSON: is the endpoint's base_url right? <html>Sign in", False),
        (b"", "not JSON", True),
        (b'{"choices": [', "not JSON", True),
        (b"[]", "not a JSON object", False),
        (b'{"choices": []}', "no choices", True),
        (b'{"choices": null}', "no choices", True),
        (b'{"choices": ["a"]}', "no choices", True),
        (b"{}", "no choices", True),
    ],
)
def test_what_is_no_completion_is_an_api_failure_that_may_pass(body: bytes, words: str, perhaps_billed: bool):
    error = failure(body)
    assert (error.kind, error.retryable, error.perhaps_billed) == ("api", True, perhaps_billed)
    assert words in error.message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"detail": "Not Found"}', '{"detail": "Not Found"}'),
        (b'{"error": null, "detail": "why"}', '"why"'),
        (b"<html>gateway</html>", "<html>gateway</html>"),
        (b"[1]", "[1]"),
        (b"\xff\xfe", "�"),
        (b'{"error": {"code": "x"}}', "'code': 'x'"),
        (b'{"error": "plain"}', "plain"),
    ],
)
def test_a_failure_shows_what_the_endpoint_said(body: bytes, words: str):
    assert words in failure(body, 404).message


def test_a_failure_shows_no_more_than_a_few_lines():
    assert len(failure(b"x" * 10**6, 500).message) < 500
    assert len(failure({"error": {"message": "x" * 10**6}}, 400).message) < 500
    assert len(failure({"error": {"message": "x" * 10**6}}).message) < 500


def test_a_reply_has_everything_that_accounts_need():
    usage = {"prompt_tokens": 1000, "completion_tokens": 2000, "total_tokens": 3000, "details": {"cached": 1}}
    reply = read(completion(usage=usage), headers={"x-request-id": "r-9"})
    assert reply == Reply(
        request_sha256=request().sha256,
        text="Hi.",
        finish_reason="stop",
        refusal=None,
        usage={"prompt_tokens": 1000, "completion_tokens": 2000, "total_tokens": 3000},
        cost_usd=pytest.approx(0.007),
        served_model="served",
        request_id="r-9",
        started_at=1.0,
        finished_at=2.5,
    )
    assert read(completion()).request_id == "c-1"


@pytest.mark.parametrize(
    ("usage", "prices", "cost"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 10, "cost": 0.5}, PRICES, 0.5),
        ({"cost": 0}, PRICES, 0.0),
        ({"cost": True, "prompt_tokens": 5 * 10**6, "completion_tokens": 0}, PRICES, 5.0),
        ({"prompt_tokens": 10}, PRICES, None),
        ({"prompt_tokens": 10, "completion_tokens": 10}, (1.0, None), None),
        ({"prompt_tokens": "10", "completion_tokens": 10}, PRICES, None),
        (None, PRICES, None),
        ([], PRICES, None),
    ],
)
def test_the_reported_cost_wins_and_an_unknown_one_stays_unknown(usage: Any, prices: Any, cost: float | None):
    assert read(completion(usage=usage), prices=prices).cost_usd == cost


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", ""),
        (None, None),
        ([{"type": "text", "text": "a"}, {"type": "image"}, {"text": None}, "x", {"text": "b"}], "ab"),
        (5, None),
    ],
)
def test_content_of_every_shape_is_kept_for_the_checks_that_follow(content: Any, text: str | None):
    assert read(completion({"content": content})).text == text


@pytest.mark.parametrize("message", ["words", ["words"], 5])
def test_a_message_of_the_wrong_shape_is_an_empty_reply_that_was_paid_for(message: Any):
    reply = read(completion(message, usage={"cost": 0.2}))
    assert (reply.text, reply.cost_usd) == (None, 0.2)


def test_a_refusal_is_part_of_the_reply():
    assert read(completion({"content": None, "refusal": "No."})).refusal == "No."


def test_lone_surrogates_cannot_break_the_files():
    reply = read(b'{"model": "m\\udfff", "choices": [{"message": {"content": "a\\ud800b \\ud83d\\ude00"}}]}')
    assert (reply.text, reply.served_model) == ("a\ufffdb \U0001f600", "m\ufffd")
    assert reply.malformed is None
    assert "no \ufffd luck" in failure(b'{"error": {"message": "no \\ud800 luck"}}').message


@pytest.mark.parametrize("text", [b"caf\xff", "real \ufffd then ".encode() + b"\xff"])
def test_bytes_that_are_not_utf_8_are_told(text: bytes):
    reply = read(b'{"choices": [{"message": {"content": "' + text + b'"}}]}')
    assert "not UTF-8" in reply.malformed
    assert reply.text.endswith("\ufffd")


def test_a_replacement_character_of_the_model_is_no_fault():
    assert read(completion({"content": "a \ufffd b"})).malformed is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({}, None),
    ],
)
def test_reads_how_long_to_wait(headers: dict[str, str], seconds: float | None):
    assert retry_after(headers) == seconds
    assert failure({"error": "x"}, 429, headers).retry_after_s == seconds


def test_reads_a_date_to_wait_for():
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_after({"retry-after": in_a_minute}) == pytest.approx(60, abs=2)

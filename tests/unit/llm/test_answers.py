from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from daydreaming.ledger.reading import NoReplyError
from daydreaming.llm.answers import Answer, CallError, inside_failure, retry_after, status_failure

ADDRESS = "http://127.0.0.1:1/v1"


def failure(
    body: Any, status: int, headers: dict[str, str] | None = None, base_url: str = ADDRESS, longest_wait_s: float = 600
) -> CallError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status_failure(Answer(status, headers or {}, content, 1.0, 2.5), base_url, longest_wait_s)


def inside(error: Any, code: int | None, headers: dict[str, str] | None = None) -> CallError:
    no_reply = NoReplyError(f"inside: {error}", perhaps_billed=False, code=code, error=error)
    return inside_failure(no_reply, Answer(200, headers or {}, b"", 1.0, 2.5), 600)


@pytest.mark.parametrize(
    ("status", "kind", "retryable", "lasting"),
    [
        (400, "api", False, None),
        (401, "api", False, "status 401"),
        (402, "api", False, "status 402"),
        (403, "api", False, "status 403"),
        (404, "api", False, "status 404"),
        (408, "api", True, None),
        (409, "api", True, None),
        (425, "api", True, None),
        (429, "rate_limit", True, None),
        (500, "api", True, None),
        (503, "api", True, None),
        (529, "api", True, None),
    ],
)
def test_a_status_decides_whether_trying_again_can_help(status: int, kind: str, retryable: bool, lasting: str | None):
    from_status = failure({"error": {"message": "no luck"}}, status)
    from_body = inside({"message": "no luck"}, status)
    for error in (from_status, from_body):
        assert (error.kind, error.retryable, error.perhaps_billed, error.status) == (kind, retryable, False, status)
        assert error.lasting == lasting
        assert "no luck" in error.message
        assert str(error) == error.message


def test_an_error_in_a_200_without_a_status_may_pass():
    error = inside({"message": "upstream"}, None)
    assert (error.kind, error.retryable, error.status) == ("api", True, 500)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"detail": "Not Found"}', '{"detail": "Not Found"}'),
        (b'{"error": null, "detail": "why"}', '"why"'),
        (b"<html>gateway</html>", "<html>gateway</html>"),
        (b"[1]", "[1]"),
        (b"\xff\xfe", "\ufffd"),
        (b'{"error": {"code": "x"}}', "'code': 'x'"),
        (b'{"error": "plain"}', "plain"),
        (b'[{"error": {"message": "of Google"}}]', "of Google"),
        (b'{"error": {"message": ["odd"]}}', "odd"),
        (b'{"error": {"message": "x", "metadata": {"raw": "the provider\'s words"}}}', "the provider's words"),
    ],
)
def test_a_failure_shows_what_the_endpoint_said(body: bytes, words: str):
    assert words in failure(body, 400).message


def test_a_failure_shows_no_more_than_a_few_lines():
    assert len(failure(b"x" * 10**6, 500).message) < 500
    assert len(failure({"error": {"message": "x" * 10**6}}, 400).message) < 500


@pytest.mark.parametrize(
    ("status", "base_url", "words"),
    [
        (401, ADDRESS, "Check the key"),
        (402, ADDRESS, "no credit"),
        (404, ADDRESS, "llm_models.csv"),
        (404, "http://127.0.0.1:1", "try http://127.0.0.1:1/v1"),
        (404, "http://127.0.0.1:1/api/", "try http://127.0.0.1:1/api/v1"),
        (404, "https://x.openai.azure.com/openai/deployments/d", "default_query: {api-version"),
        (407, ADDRESS, "proxy"),
    ],
)
def test_a_failure_names_its_cure(status: int, base_url: str, words: str):
    assert words in failure({"error": {"message": "no"}}, status, base_url=base_url).message


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, {"message": "Your input was flagged", "metadata": {"reasons": ["violence"], "flagged_input": "..."}}),
        (403, {"message": "openai requires moderation"}),
        (
            400,
            {"message": "filtered", "code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}},
        ),
        (400, {"message": "no", "code": "content_policy_violation"}),
    ],
)
def test_moderation_is_a_refusal_and_no_fault_of_the_key(status: int, error: dict[str, Any]):
    refused = failure({"error": error}, status)
    assert (refused.kind, refused.retryable, refused.lasting) == ("refused", False, None)
    assert inside(error, status).kind == "refused"


@pytest.mark.parametrize(("status", "is_success"), [(199, False), (200, True), (299, True), (300, False), (400, False)])
def test_only_a_status_2xx_is_a_success(status: int, is_success: bool):
    assert Answer(status, {}, b"", 1.0, 2.5).is_success is is_success


@pytest.mark.parametrize(("status", "is_redirect"), [(300, True), (399, True), (400, False)])
def test_only_a_status_3xx_is_a_redirect(status: int, is_redirect: bool):
    assert ("redirects" in failure(b"moved", status).message) is is_redirect


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_that_names_its_target(status: int):
    error = failure(b"moved", status, {"location": "http://elsewhere/v1/chat/completions"})
    assert (error.kind, error.retryable, error.lasting) == ("api", False, f"status {status}")
    assert "http://elsewhere/v1" in error.message
    assert "not followed" in error.message


@pytest.mark.parametrize(
    ("status", "body", "is_loading"),
    [
        (503, {"error": {"message": "Loading model", "type": "unavailable_error"}}, True),
        (503, {"error": "Model acme/writer is currently loading", "estimated_time": 20.0}, True),
        (503, b"The server is still warming up", True),
        (425, b"loading", True),
        (502, b"loading", True),
        (504, b"loading", True),
        (505, b"loading", False),
        (429, b"loading", False),
        (503, {"error": {"message": "overloaded"}}, False),
        (503, {"error": {"message": "no loader of that name, unloading"}}, False),
        (500, {"error": {"message": "error loading tokenizer"}}, False),
        (400, {"error": {"message": "loading"}}, False),
    ],
)
def test_a_server_that_is_loading_its_model_is_known_by_its_words(status: int, body: Any, is_loading: bool):
    assert failure(body, status).is_loading is is_loading


def test_a_wait_longer_than_a_run_waits_is_told_with_its_end():
    error = failure({"error": "later"}, 429, {"retry-after": "5400"})
    assert (error.kind, error.retryable, error.stops_for_s) == ("rate_limit", False, 5400)
    assert "5400 s, until 20" in error.message
    assert failure({"error": "x"}, 429, {"retry-after": "600"}).retryable
    assert not failure({"error": "x"}, 503, {"retry-after": "601"}).retryable
    assert failure({"error": "x"}, 503, {"retry-after": "601"}, longest_wait_s=1000).retryable
    assert "until" in failure({"error": "x"}, 429, {"retry-after": "9" * 15}).message


def incomplete(why: str, larger_than: int | None = None) -> CallError:
    answer = Answer(200, {}, b"{", 1.0, 2.5, incomplete=why, larger_than=larger_than)
    return inside_failure(NoReplyError("not JSON"), answer, 600)


def test_an_answer_that_broke_off_may_have_been_billed_and_may_pass():
    broken = incomplete("its connection broke (reset).")
    assert (broken.kind, broken.retryable, broken.perhaps_billed) == ("connection", True, True)
    late = incomplete("it did not end within 3 s (timeout_s of the endpoint).")
    assert (late.kind, late.retryable) == ("timeout", True)
    large = incomplete("it is larger than 9 bytes (max_reply_bytes of the endpoint).", larger_than=9)
    assert (large.kind, large.retryable, large.perhaps_billed) == ("malformed", False, True)
    assert "9 bytes (max_reply_bytes of the endpoint)" in large.message


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
        ({"retry-after": "٣"}, None),
        ({"retry-after": "9" * 5000}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 99 Oct 2015 07:28:00 GMT"}, None),
        ({}, None),
    ],
)
def test_reads_how_long_to_wait(headers: dict[str, str], seconds: float | None):
    assert retry_after(headers) == seconds
    assert failure({"error": "x"}, 429, headers).retry_after_s == seconds


def test_reads_a_date_to_wait_for():
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_after({"retry-after": in_a_minute}) == pytest.approx(60, abs=2)


def test_of_the_headers_those_that_matter_are_kept():
    headers = {"content-type": "application/json", "x-request-id": "r", "set-cookie": "c", "x-ratelimit-limit": "5"}
    received = Answer(200, headers, b"caf\xff", 1.0, 2.5, redacted=1).received()
    assert received.headers == {name: headers[name] for name in headers if name != "set-cookie"}
    assert (received.content, received.redacted, received.started_at) == (b"caf\xff", 1, 1.0)

"""Bodies and headers of every kind over HTTP: no answer is lost, paid twice, or ended as `internal`."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from client_fixtures import Caller
from core_fixtures import request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daydreaming.base.errors import GenerationError
from daydreaming.ledger.bodies import BodyError, json_object, reported_usage
from daydreaming.ledger.costs import was_paid
from daydreaming.ledger.journal import Account, Budget, read_events
from daydreaming.ledger.kept_answers import answers_to
from daydreaming.ledger.received import Reply
from daydreaming.llm import tries as tries_module
from provider import Answer, Provider, faults

TEXT = st.text(max_size=12)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
MESSAGES = JSON | st.fixed_dictionaries({}, optional={"content": JSON | TEXT, "refusal": JSON, "tool_calls": JSON})
CHOICES = JSON | st.fixed_dictionaries({}, optional={"message": MESSAGES, "finish_reason": JSON, "error": JSON})
USAGES = JSON | st.fixed_dictionaries(
    {},
    optional={
        "prompt_tokens": JSON,
        "completion_tokens": st.integers(0, 1000) | JSON,
        "cost": st.floats(0, 1) | JSON,
        "cost_details": JSON | st.fixed_dictionaries({"upstream_inference_cost": JSON}),
    },
)
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON,
        "model": JSON,
        "usage": USAGES,
        "error": JSON | st.fixed_dictionaries({"message": JSON, "code": st.sampled_from([402, 429, 503]) | JSON}),
        "choices": JSON | st.lists(CHOICES, max_size=2),
    },
)


def as_bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


def as_stream(values: list[Any]) -> bytes:
    return b"".join(b"data: " + as_bytes(value) + b"\n\n" for value in values)


def deep(value: Any) -> bytes:
    return as_bytes(value)[:-1] + b', "deep": ' + b"[" * 1_200 + b"]" * 1_200 + b"}"


def cut(body: bytes, share: float) -> bytes:
    return body[: int(len(body) * share)]


BODIES = (
    OBJECTS.map(as_bytes)
    | JSON.map(as_bytes)
    | st.lists(OBJECTS, max_size=3).map(as_stream)
    | OBJECTS.filter(bool).map(deep)
    | st.builds(cut, OBJECTS.map(as_bytes), st.floats(0, 1))
    | st.binary(max_size=60)
)
HEADER_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30)
HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "content-encoding", "retry-after", "x-request-id", "x-ratelimit-remaining"]),
    HEADER_TEXT | st.sampled_from(["gzip", "deflate", "br", "text/event-stream", "application/json", "0", "-1", "1e9"]),
    max_size=3,
)
STATUSES = st.sampled_from([200, 200, 200, 200, 201, 206, 302, 400, 402, 404, 429, 500, 503, 599])


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    with Provider() as server:
        yield server


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(body=BODIES, headers=HEADERS, status=STATUSES)
def test_no_answer_is_lost_paid_twice_or_ended_as_internal(
    server: Provider, monkeypatch: pytest.MonkeyPatch, body: bytes, headers: dict[str, str], status: int
):
    monkeypatch.setattr(tries_module, "FIRST_BACKOFF_S", 0.001)
    answer = Answer(status=status, headers=headers, body_base64=base64.b64encode(body).decode())
    server.script([faults.rule("fuzz", answer)])
    server.reset_ledger()
    with TemporaryDirectory() as folder:
        endpoint = {"max_retries": 1, "longest_wait_s": 0.001, "loading_wait_s": 0.01, "timeout_s": 20}
        caller = Caller(Path(folder), server.base_url, Budget(usd=10.0), **endpoint)
        (outcome,) = caller.completions(request())
        calls = server.calls
        events = list(read_events(Path(folder) / "journal.jsonl"))
        stored = caller.store.load(request().sha256)
        kept = answers_to(caller.settings.paths, request().sha256)
    started = [event["call"] for event in events if event["event"] == "call_started"]
    ended = [event["call"] for event in events if event["event"] == "call_ended"]
    assert sorted(started) == sorted(ended), "every call has its end"
    assert len(started) == calls <= 2
    account = Account()
    for event in events:
        account.take(event)
    assert 0 <= account.spent_usd < 2**71
    if isinstance(outcome, GenerationError):
        assert outcome.kind in {"api", "rate_limit", "connection", "timeout", "refused"}
        assert stored is None
        assert len(kept) == (calls if 200 <= status < 300 else 0), "what came is kept"
        assert not (is_whole(headers) and 200 <= status < 300 and paid(body)), "a paid answer is a reply"
    else:
        assert calls == 1, "a reply stops further calls"
        assert isinstance(outcome.reply, Reply)
        assert outcome.reply == stored
        assert outcome.reply.cost_usd is None or outcome.reply.cost_usd >= 0


def is_whole(headers: dict[str, str]) -> bool:
    """Whether nothing says that the body is packed or a stream, which it need not be."""
    return not {"content-encoding", "content-type"} & set(headers)


def paid(body: bytes) -> bool:
    try:
        content, _ = json_object(body)
    except BodyError:
        return was_paid(reported_usage(body))
    return was_paid(content.get("usage"))

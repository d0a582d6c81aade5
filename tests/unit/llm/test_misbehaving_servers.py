"""What servers answer over HTTP that is no plain completion: nothing is lost, paid twice, or ended as `internal`."""

from __future__ import annotations

import gzip
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from client_fixtures import Caller, several
from core_fixtures import KEY, request

from daydreaming.base.errors import GenerationError
from daydreaming.ledger.journal import Budget
from daydreaming.ledger.kept_answers import answers_to, body_of
from daydreaming.ledger.received import Reply
from daydreaming.llm import tries as tries_module
from provider import Answer, Provider, Rule, faults
from provider.faults import completion_bytes, reply_body, reply_raw, reply_stream

TEXT = "A tide table remembers."
DELTA = {"model": "scripted", "choices": [{"index": 0, "delta": {"content": TEXT}, "finish_reason": None}]}
END = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"cost": 0.25}}
PARTS = {"message": {"content": [{"type": "text", "text": {"value": TEXT}}]}, "finish_reason": "stop"}
DEEP = b"[" * 1_100 + b"]" * 1_100


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    with Provider(api_key=KEY) as server:
        yield server


@pytest.fixture
def provider(server: Provider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setattr(tries_module, "FIRST_BACKOFF_S", 0.01)
    server.script([])
    server.reset_ledger()
    return server


def ended(caller: Caller) -> list[dict[str, Any]]:
    """How the calls ended; every one that started has its end."""
    started, ends = caller.events("call_started"), caller.events("call_ended")
    assert sorted(call["call"] for call in started) == sorted(call["call"] for call in ends)
    return ends


# Whatever is odd about them: an answer, used after one call.
ANSWERS = {
    "content parts with a value": reply_body(completion_bytes(choices=[PARTS])),
    "a model that is an object": reply_body(completion_bytes(model={"name": "m"})),
    "an extra key nested 1,100 deep": reply_body(completion_bytes()[:-1] + b', "odd": ' + DEEP + b"}"),
    "a model nested 300 deep": reply_body(completion_bytes()[:-1] + b', "model": ' + DEEP[800:1400] + b"}"),
    "a surrogate beside 64 bits": reply_body(completion_bytes()[:-1] + b', "a": "\\ud800", "n": ' + b"9" * 99 + b"}"),
    "an event stream": reply_stream(DELTA, END),
    "an object that is called an event stream": reply_body(completion_bytes(), {"content-type": "text/event-stream"}),
    "gzip": reply_body(gzip.compress(completion_bytes()), {"content-encoding": "gzip"}),
    "gzip in two members": reply_body(
        gzip.compress(completion_bytes()[:50]) + gzip.compress(completion_bytes()[50:]), {"content-encoding": "gzip"}
    ),
    "gzip without its end": reply_body(gzip.compress(completion_bytes())[:-4], {"content-encoding": "gzip"}),
    "a header of 100,000 bytes": reply_body(completion_bytes(), {"set-cookie": "c" * 100_000}),
    "5,000 headers": reply_body(completion_bytes(), {f"x-trace-{number}": "1" for number in range(5_000)}),
    "no content type": reply_raw("HTTP/1.1 200 OK\nContent-Length: {length}\n"),
    "no headers at all": reply_raw("HTTP/1.1 200 OK\n"),
    "no length": reply_raw("HTTP/1.1 200 OK\nContent-Type: application/json\n"),
    "status 201": reply_raw("HTTP/1.1 201 Created\nContent-Length: {length}\n"),
}


@pytest.mark.parametrize("fault", ANSWERS)
def test_an_answer_is_read_whatever_is_odd_about_it(provider: Provider, tmp_path: Path, fault: str):
    provider.script([ANSWERS[fault]])
    caller = Caller(tmp_path, provider.base_url, max_retries=3)
    reply = caller.reply()
    assert (reply.text, reply.finish_reason, reply.malformed, reply.cost_usd) == (TEXT, "stop", None, 0.25)
    assert provider.calls == 1
    assert [end["cost_usd"] for end in ended(caller)] == [0.25]
    assert caller.store.load(request().sha256) == reply


# Paid for, and of no use: kept as the reply, its cost counted, never asked for again.
PAID_IN_VAIN = {
    "no choices, but a cost": reply_body(completion_bytes(choices=[])),
    "an error inside a 200, but a cost": reply_body(completion_bytes(error={"message": "cut", "code": 502})),
    "an error inside a choice": reply_body(completion_bytes(choices=[{"error": {"message": "cut", "code": 502}}])),
}


@pytest.mark.parametrize("fault", PAID_IN_VAIN)
def test_whatever_was_paid_is_the_reply_and_stops_further_calls(provider: Provider, tmp_path: Path, fault: str):
    provider.script([PAID_IN_VAIN[fault]])
    caller = Caller(tmp_path, provider.base_url, budget=Budget(usd=1.0), max_retries=6)
    reply = caller.reply()
    assert reply.malformed
    assert (reply.cost_usd, provider.calls) == (0.25, 1)
    assert [end["cost_usd"] for end in ended(caller)] == [0.25]
    assert caller.store.exists(request().sha256)


# The transport breaks: tried again, and the failure names what happened.
BROKEN = {
    "a Content-Length given twice": reply_raw(
        "HTTP/1.1 200 OK\nContent-Length: {length}\nContent-Length: 9\n", times=2
    ),
    "a Content-Length beside chunks": reply_raw(
        "HTTP/1.1 200 OK\nContent-Length: {length}\nTransfer-Encoding: chunked\n", times=2
    ),
    "a Content-Length too small": reply_raw("HTTP/1.1 200 OK\nContent-Length: 20\n", times=2),
    "a Content-Length too large": reply_raw("HTTP/1.1 200 OK\nContent-Length: 9999\n", b'{"choices": [', times=2),
    "a head that is no HTTP": reply_raw("SSH-2.0-OpenSSH_9.6\n", times=2),
    "a header without a name": reply_raw("HTTP/1.1 200 OK\n: {length}\n", times=2),
    "gzip that is none": reply_body(b"not gzip", {"content-encoding": "gzip"}, times=2),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_transport_is_tried_again(provider: Provider, tmp_path: Path, fault: str):
    provider.script([BROKEN[fault]])
    caller = Caller(tmp_path, provider.base_url, max_retries=2)
    assert caller.reply().text
    assert provider.calls == 3
    ends = ended(caller)
    assert [end["perhaps_billed"] for end in ends] == [True, True, True]
    assert {end["kind"] for end in ends[:2]} <= {"connection", "api"}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_transport_that_stays_broken_is_a_failure_with_a_name(provider: Provider, tmp_path: Path, fault: str):
    provider.script([faults.rule("raw", BROKEN[fault].answer)])
    failure = Caller(tmp_path, provider.base_url, max_retries=1).failure()
    assert failure.kind in {"connection", "api"}
    assert provider.calls == 2


def test_what_came_of_an_answer_that_broke_off_is_kept(provider: Provider, tmp_path: Path):
    provider.script([faults.fault_reset("during", times=1)])
    caller = Caller(tmp_path, provider.base_url, max_retries=1)
    assert caller.reply().text
    receipt, reply = answers_to(caller.settings.paths, request().sha256)
    assert (receipt.use, reply.use) == ("unused", "reply")
    assert body_of(receipt).startswith(b'{"id"')
    assert "broke" in (receipt.problem or "")


@pytest.mark.parametrize("status", [200, 500])
def test_a_body_has_a_limit_unpacked(provider: Provider, tmp_path: Path, status: int):
    provider.script([faults.fault_gzip_bomb(2_000, status)])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    caller = Caller(tmp_path, provider.base_url, max_reply_bytes=20_000_000, max_retries=0)
    failure = caller.failure()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert failure.kind == ("malformed" if status == 200 else "api")
    assert grown < 400_000, "kilobytes; the body unpacks to two gigabytes"
    if status == 200:
        assert "20,000,000 bytes (max_reply_bytes" in failure.message
    ended(caller)


def test_a_large_body_below_the_limit_is_used(provider: Provider, tmp_path: Path):
    provider.script([reply_body(completion_bytes("x" * 5_000_000))])
    assert len(Caller(tmp_path, provider.base_url).reply().text) == 5_000_000


def test_a_redirect_is_not_followed(provider: Provider, tmp_path: Path):
    with Provider() as elsewhere:
        provider.script([faults.fault_redirect(f"{elsewhere.base_url}/chat/completions")])
        failure = Caller(tmp_path, provider.base_url, max_retries=3).failure()
        assert (failure.kind, provider.calls, elsewhere.calls) == ("api", 1, 0)
        assert elsewhere.base_url in failure.message


def test_a_redirect_to_itself_is_one_call(provider: Provider, tmp_path: Path):
    provider.script([faults.fault_redirect(f"{provider.base_url}/chat/completions", status=302)])
    Caller(tmp_path, provider.base_url, max_retries=6).failure()
    assert provider.calls == 1


def test_streaming_is_switched_off_in_every_request(provider: Provider, tmp_path: Path):
    Caller(tmp_path, provider.base_url).reply()
    assert provider.ledger()[0].body["stream"] is False


def test_amounts_below_zero_do_not_fill_the_account(provider: Provider, tmp_path: Path):
    usage = {"cost": -1000, "prompt_tokens": -(10**9), "completion_tokens": 10**6}
    provider.script([faults.rule("negative", Answer(usage=usage))])
    caller = Caller(tmp_path, provider.base_url, budget=Budget(usd=0.0005), max_retries=0)
    first, *others = caller.completions(*several(4), one_by_one=True)
    assert not isinstance(first, GenerationError)
    assert [other.kind for other in others[-2:]] == ["budget", "budget"]


def test_a_server_that_loads_its_model_is_waited_for(provider: Provider, tmp_path: Path):
    provider.script([faults.fault_loading(times=5)])
    caller = Caller(tmp_path, provider.base_url, max_retries=1)
    (done,) = caller.completions(request())
    assert (done.times.tries, provider.calls) == (6, 6)
    assert done.times.wait_ms > 100


def test_a_server_that_loads_for_ever_is_a_failure(provider: Provider, tmp_path: Path):
    provider.script([faults.fault_loading()])
    failure = Caller(tmp_path, provider.base_url, max_retries=0, loading_wait_s=0.3).failure()
    assert failure.kind == "api"
    assert "Loading model" in failure.message
    assert provider.calls >= 2, "it was asked again"


def test_a_refusal_without_a_time_slows_down_who_calls_that_model(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """After a burst of 429 without Retry-After, no more than half of the calls are in flight."""
    monkeypatch.setattr("daydreaming.llm.model_throttle.RECOVERY_S", 3600.0)
    provider.script([Rule("429", Answer(status=429, together=8), times=8), faults.reply_slowly(0.1)])
    caller = Caller(tmp_path, provider.base_url, max_concurrency=8, max_retries=6)
    assert all(isinstance(reply, Reply) for reply in caller.call(*several(8)))
    later = [call for call in provider.ledger() if call.status == 200]
    assert len(later) == 8
    # When one comes, those that are there still.
    in_flight = [sum(one.received_at <= call.received_at < one.ended_at for one in later) for call in later]
    assert max(in_flight) <= 4


def test_nothing_now_is_not_asked_at_once_again_and_again(provider: Provider, tmp_path: Path, monkeypatch: Any):
    monkeypatch.setattr(tries_module, "FIRST_BACKOFF_S", 0.1)
    provider.script([faults.fault_429(0)])
    Caller(tmp_path, provider.base_url, max_retries=2).failure()
    first, _, last = [call.received_at for call in provider.ledger()]
    assert last - first >= 0.3


def test_the_time_of_a_call_is_told_apart(provider: Provider, tmp_path: Path):
    provider.script([faults.fault_429(1, first=1), faults.reply_slowly(0.3)])
    caller = Caller(tmp_path, provider.base_url, max_concurrency=1, max_retries=2)
    started = time.perf_counter()
    done = caller.completions(*several(2))
    took_ms = 1000 * (time.perf_counter() - started)
    retried, other = sorted(done, key=lambda completion: -completion.times.tries)
    assert (retried.times.tries, other.times.tries) == (2, 1)
    assert retried.times.wait_ms >= 900
    assert other.times.wait_ms == 0
    assert all(completion.times.llm_ms >= 300 for completion in done)
    assert other.times.queue_ms >= 900, "it waits as long as the other one"
    # No moment counts twice.
    assert all(sum(completion.times[:3]) <= took_ms for completion in done)


def test_what_the_environment_names_goes_along_and_comes_back_hidden(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DAYDREAMING_TEST_VERSION", "secret-version-1")
    monkeypatch.setenv("DAYDREAMING_TEST_HEADER", "secret-header-1")
    provider.script([reply_body(completion_bytes("You sent secret-header-1."))])
    endpoint = {"headers": {"X-Own": "$DAYDREAMING_TEST_HEADER"}, "default_query": {"v": "$DAYDREAMING_TEST_VERSION"}}
    reply = Caller(tmp_path, provider.base_url, **endpoint).reply()
    (call,) = provider.ledger()
    assert call.headers["x-own"] == "secret-header-1"
    assert call.path.endswith("?v=secret-version-1")
    assert (reply.text, reply.redacted) == ("You sent [secret removed].", 1)
    assert not any(b"secret-header" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_variable_that_is_not_set_is_named_before_anything_is_sent(provider: Provider, tmp_path: Path):
    failure = Caller(tmp_path, provider.base_url, headers={"X-Own": "$DAYDREAMING_TEST_UNSET"}).failure()
    assert (failure.kind, provider.calls) == ("missing_key", 0)
    assert "DAYDREAMING_TEST_UNSET" in failure.message


@pytest.mark.parametrize("variable", ["http_proxy", "all_proxy"])
def test_a_proxy_of_the_environment_does_not_swallow_this_machine(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
):
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert Caller(tmp_path, provider.base_url).reply().text


def test_a_proxy_of_another_kind_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for variable in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("all_proxy", "socks://user:password@127.0.0.1:1")
    caller = Caller(tmp_path, "http://models.invalid/v1")
    failure = caller.failure()
    assert failure.kind == "connection"
    assert "all_proxy" in failure.message
    assert "socks" in failure.message
    assert "password" not in failure.message
    assert caller.events("call_started") == []

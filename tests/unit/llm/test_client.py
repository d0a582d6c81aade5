from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from client_fixtures import CONTEXT, Caller, LoopClock, several
from core_fixtures import KEY, KEY_ENV, request
from provider_fixtures import LONGEST_WAIT_S, wait_until

from daydreaming.base.errors import GenerationError
from daydreaming.ledger.costs import most_expensive_usd
from daydreaming.ledger.journal import Budget
from daydreaming.ledger.kept_answers import answers_to, body_of
from daydreaming.ledger.received import Reply
from daydreaming.llm import tries as tries_module
from daydreaming.llm.client import STORE_THREADS, ModelClient
from provider import Answer, Provider, Rule, faults

# More than any machine takes, and less than its disk in the test.
STORED_IN_S = 60


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    with Provider(api_key=KEY) as server:
        yield server


@pytest.fixture
def provider(server: Provider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """A provider with a fresh ledger and no faults, and a client that does not wait long between its tries."""
    monkeypatch.setattr(tries_module, "FIRST_BACKOFF_S", 0.01)
    server.script([])
    server.reset_ledger()
    return server


def test_sends_the_request_stores_the_reply_and_writes_both_down(provider: Provider, tmp_path: Path):
    caller = Caller(tmp_path, provider.base_url)
    reply = caller.reply()
    (call,) = provider.ledger()
    assert call.body == request().body()
    assert reply.text
    assert caller.store.load(request().sha256) == reply
    (started,), (ended,) = caller.events("call_started"), caller.events("call_ended")
    assert started["reserved_usd"] == most_expensive_usd(request(), CONTEXT.prices)
    who = {"stage": "draft", "gen_id": "g-1", "template_id": "plain", "llm_model_id": "writer"}
    assert {**who, "request_sha256": request().sha256}.items() <= started.items()
    assert ended["call"] == started["call"]
    assert ended["cost_usd"] == reply.cost_usd > 0
    assert ended["completion_tokens"] == reply.usage["completion_tokens"]


def test_all_that_came_together_is_stored_while_the_disk_takes_its_time(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    disk, sync = threading.Event(), os.fsync

    def slow_sync(descriptor: int) -> None:
        if threading.current_thread().name.startswith("replies"):
            assert disk.wait(LONGEST_WAIT_S)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", slow_sync)
    caller, requests = Caller(tmp_path, provider.base_url), several(3 * STORE_THREADS)
    with ThreadPoolExecutor(1) as elsewhere:
        answers = elsewhere.submit(caller.call, *requests)
        try:
            # In vain, where an answer waits for the others to be safe before it is stored.
            wait_until(lambda: all(caller.store.load(one.sha256) for one in requests), STORED_IN_S)
        finally:
            disk.set()
        assert all(isinstance(answer, Reply) for answer in answers.result())


def test_the_reply_is_stored_as_the_bytes_came(provider: Provider, tmp_path: Path):
    body = '{"choices": [{"message": {"content": "é"}}],  "unknown": [1.50]}'
    provider.script([faults.rule("odd", Answer(body=body))])
    caller = Caller(tmp_path, provider.base_url)
    assert caller.reply().text == "é"
    stored = caller.settings.paths.reply(request().sha256).read_text(encoding="utf-8")
    assert '"unknown\\": [1.50]}"' in stored


def test_calls_run_at_once_up_to_the_limit(provider: Provider, tmp_path: Path):
    provider.script([faults.reply_together(4)])
    replies = Caller(tmp_path, provider.base_url, max_concurrency=4).call(*several(8))
    assert all(isinstance(reply, Reply) for reply in replies)
    assert provider.stats().peak_in_flight == 4


@pytest.mark.parametrize(
    "fault",
    [
        faults.fault_status(500, times=2),
        faults.fault_error_in_200(502, times=2),
        faults.fault_html(times=2),
        faults.fault_reset("before", times=2),
        faults.fault_reset("during", times=2),
        faults.fault_cut_body(times=2),
    ],
    ids=lambda rule: rule.name,
)
def test_a_failure_that_may_pass_is_tried_again(provider: Provider, tmp_path: Path, fault: Any):
    provider.script([fault])
    caller = Caller(tmp_path, provider.base_url, max_retries=2)
    assert caller.reply().text
    assert provider.calls == 3
    assert len(caller.events("call_started")) == len(caller.events("call_ended")) == 3


def test_tries_no_more_often_than_it_may(provider: Provider, tmp_path: Path):
    provider.script([faults.fault_status(503)])
    failure = Caller(tmp_path, provider.base_url, max_retries=3).failure()
    assert (failure.kind, provider.calls) == ("api", 4)
    assert "status 503" in failure.message


@pytest.mark.parametrize(
    ("status", "words"), [(400, "status 400"), (401, "Check the key"), (402, "credit"), (404, "base_url")]
)
def test_what_cannot_pass_is_not_tried_again(provider: Provider, tmp_path: Path, status: int, words: str):
    provider.script([faults.fault_status(status)])
    failure = Caller(tmp_path, provider.base_url, max_retries=3).failure()
    assert (failure.kind, provider.calls) == ("api", 1)
    assert words in failure.message


def test_waits_longer_after_each_failure(provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tries_module, "FIRST_BACKOFF_S", 0.05)
    provider.script([faults.fault_status(500)])
    Caller(tmp_path, provider.base_url, max_retries=3).failure()
    times = [call.received_at for call in provider.ledger()]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    for number, pause in enumerate(pauses, start=1):
        assert pause >= 0.05 * 2**number * 0.5


def test_waits_as_long_as_the_provider_asks_everyone_to(provider: Provider, tmp_path: Path):
    provider.script([faults.fault_429(retry_after=1, first=1)])
    caller = Caller(tmp_path, provider.base_url, max_retries=1, max_concurrency=1)
    assert all(isinstance(reply, Reply) for reply in caller.call(*several(2)))
    first, *others = [call.received_at for call in provider.ledger()]
    assert len(others) == 2
    assert all(other - first >= 0.95 for other in others)
    assert caller.events("call_ended")[0]["kind"] == "rate_limit"


def test_a_rate_limit_that_does_not_end_is_a_failure_of_its_own_kind(provider: Provider, tmp_path: Path):
    provider.script([faults.fault_429(retry_after=0.1)])
    failure = Caller(tmp_path, provider.base_url, max_retries=1).failure()
    assert (failure.kind, provider.calls) == ("rate_limit", 2)


def test_silence_is_a_timeout_and_may_have_been_billed(provider: Provider, tmp_path: Path):
    # Where nobody ends it, the call ends with a reset.
    provider.script([faults.fault_hang(60)])
    caller = Caller(tmp_path, provider.base_url, timeout_s=0.3)
    failure = caller.failure()
    assert failure.kind == "timeout"
    assert "timeout_s of endpoint 'scripted'" in failure.message
    assert caller.events("call_ended")[0]["perhaps_billed"] is True


@pytest.mark.parametrize(
    ("length", "comes_later"),
    [(None, False), (None, True), (3_000_000, False)],
    ids=["came meanwhile", "later", "large"],
)
def test_a_reply_that_came_while_the_process_stood_still_is_not_asked_for_again(
    provider: Provider, tmp_path: Path, length: int | None, comes_later: bool
):
    """After Ctrl-Z and `fg`, or a pause of the machine, more than timeout_s has passed, and the reply is there."""
    provider.script([Rule("held", Answer(held=True, pad_content_to=length), times=1)])
    caller = Caller(tmp_path, provider.base_url, timeout_s=60, max_retries=2)

    async def stand_still() -> None:
        clock = LoopClock()
        await asyncio.to_thread(wait_until, lambda: provider.calls == 1)
        # From here on the loop stands still.
        if not comes_later:
            provider.release()
            if length is None:  # a large one is more than the connection holds
                wait_until(lambda: provider.stats().replies_sent == 1)
        clock.put_forward(100)
        if comes_later:
            await asyncio.sleep(0.1)
            provider.release()

    (reply,) = caller.call_while(stand_still())
    assert isinstance(reply, Reply)
    assert (reply.malformed, provider.calls) == (None, 1)


def test_time_in_the_queue_is_no_time_without_an_answer(provider: Provider, tmp_path: Path):
    provider.script([faults.reply_held()])
    caller = Caller(tmp_path, provider.base_url, max_concurrency=1, timeout_s=60)

    async def answer_slowly() -> None:
        clock = LoopClock()
        for number in range(1, 5):
            await asyncio.to_thread(wait_until, lambda number=number: provider.calls == number)
            await clock.let_pass(25)
            provider.release()

    assert all(isinstance(reply, Reply) for reply in caller.call_while(answer_slowly(), *several(4)))


@pytest.mark.parametrize(("fault", "billed"), [(faults.fault_reset("before"), True), (None, None)])
def test_a_connection_that_never_was_cost_nothing(provider: Provider, tmp_path: Path, fault: Any, billed: bool | None):
    provider.script([fault] if fault else [])
    caller = Caller(tmp_path, provider.base_url if fault else "http://127.0.0.1:1/v1")
    failure = caller.failure()
    assert failure.kind == "connection"
    assert "'scripted'" in failure.message
    assert caller.events("call_ended")[0]["perhaps_billed"] is billed


@pytest.mark.parametrize("fault", [faults.fault_status(500), faults.fault_error_in_200(), faults.fault_html()])
def test_failed_answers_are_not_stored_as_replies(provider: Provider, tmp_path: Path, fault: Any):
    provider.script([fault])
    caller = Caller(tmp_path, provider.base_url)
    caller.failure()
    assert not list(caller.settings.paths.replies.rglob("*.json*"))
    kept = [] if fault.answer.status >= 400 else [fault.answer.body]
    answers = answers_to(caller.settings.paths, request().sha256)
    assert [body_of(answer).decode() for answer in answers] == kept


@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_a_missing_key_is_told_before_anything_is_sent(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
):
    monkeypatch.delenv(KEY_ENV, raising=False)
    if value is not None:
        monkeypatch.setenv(KEY_ENV, value)
    caller = Caller(tmp_path, provider.base_url, api_key_env=KEY_ENV, max_retries=3)
    failure = caller.failure()
    assert failure.kind == "missing_key"
    assert KEY_ENV in failure.message
    assert provider.calls == 0
    assert caller.events("call_started") == []


def test_the_key_is_sent_and_nowhere_else(provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(KEY_ENV, f" {KEY}\n")
    Caller(tmp_path, provider.base_url, api_key_env=KEY_ENV).reply()
    assert provider.ledger()[0].key_correct
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize("key", ["sk-inner\nline", "sk-caf\u2026", "sk-\x07bell"])
def test_a_key_that_cannot_be_sent_is_in_no_error(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
):
    monkeypatch.setenv(KEY_ENV, key)
    (failure,) = Caller(tmp_path, provider.base_url, api_key_env=KEY_ENV).call()
    assert isinstance(failure, GenerationError)
    assert (failure.kind, provider.calls) == ("missing_key", 0)
    assert "sk-" not in failure.message


def test_a_key_that_the_provider_repeats_is_not_written_down(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(KEY_ENV, "sk-secret-1")
    body = '{"error": {"message": "Incorrect API key provided: sk-secret-1"}}'
    provider.script([faults.rule("echo", Answer(status=401, body=body))])
    failure = Caller(tmp_path, provider.base_url, api_key_env=KEY_ENV).failure()
    assert "Incorrect API key" in failure.message
    assert "sk-secret-1" not in failure.message


def test_a_call_beyond_the_budget_is_not_made(provider: Provider, tmp_path: Path):
    caller = Caller(tmp_path, provider.base_url, budget=Budget(usd=1e-9), max_retries=3)
    assert caller.failure().kind == "budget"
    assert provider.calls == 0
    assert not list(caller.settings.paths.replies.rglob("*.json*"))


def test_retries_are_calls_of_the_budget(provider: Provider, tmp_path: Path):
    provider.script([faults.fault_status(500)])
    assert Caller(tmp_path, provider.base_url, budget=Budget(calls=2), max_retries=5).failure().kind == "budget"
    assert provider.calls == 2


def test_no_call_is_made_whose_reply_could_not_be_stored(provider: Provider, tmp_path: Path):
    caller = Caller(tmp_path, provider.base_url, max_retries=3)
    (tmp_path / "replies").write_text("a file where a folder should be")
    assert caller.failure().kind == "storage"
    assert (provider.calls, caller.events("call_started")) == (0, [])


def test_a_paid_reply_that_could_not_be_stored_counts(provider: Provider, tmp_path: Path, monkeypatch: Any):
    caller = Caller(tmp_path, provider.base_url, budget=Budget(usd=most_expensive_usd(request(), CONTEXT.prices)))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(
        "daydreaming.ledger.reply_room.write_all", lambda *arguments: (_ for _ in ()).throw(OSError(5, "broken"))
    )
    assert caller.failure().kind == "storage"
    monkeypatch.undo()
    assert caller.failure().kind == "budget"


def test_the_embedded_model_is_not_started_for_others(provider: Provider, tmp_path: Path, monkeypatch: Any):
    def start(*arguments: Any) -> None:
        raise AssertionError("it was started")

    monkeypatch.setattr("daydreaming.llm.embedded.EmbeddedServer.address", start)
    assert Caller(tmp_path, provider.base_url).reply().text


def test_endpoints_with_the_same_address_and_key_share_its_slots(provider: Provider, tmp_path: Path):
    provider.script([faults.reply_together(2)])
    caller = Caller(tmp_path, provider.base_url, max_concurrency=2)
    scripted = caller.settings.endpoints["scripted"]
    endpoints = {name: scripted.model_copy(update={"name": name}) for name in ("scripted", "again")}
    settings = caller.settings.model_copy(update={"endpoints": endpoints})

    async def both() -> None:
        client = ModelClient(settings, caller.store)
        contexts = [replace(CONTEXT, endpoint=name) for name in endpoints for _ in range(3)]
        await asyncio.gather(
            *(client.complete(*call, caller.journal) for call in zip(several(6), contexts, strict=True))
        )
        await client.close()

    asyncio.run(both())
    assert provider.stats().peak_in_flight == 2


def test_calls_that_begin_together_share_the_pool_of_connections(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with Provider([faults.reply_slowly(0.1)]) as server:
        answers = Caller(tmp_path, server.base_url).call(*several(8))
    gc.collect()
    assert all(isinstance(answer, Reply) for answer in answers)
    # aiohttp tells of each pool that was made and forgotten.
    assert not [record.getMessage() for record in caplog.records if "Unclosed" in record.getMessage()]

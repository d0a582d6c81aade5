"""A tight budget: calls wait for what others reserve and do not cost, and fail where there is nothing to wait for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from client_fixtures import CONTEXT, Caller, several
from core_fixtures import request
from provider_fixtures import wait_until

from daydreaming.ledger.costs import most_expensive_usd
from daydreaming.ledger.journal import Budget
from daydreaming.ledger.received import Reply
from daydreaming.llm.client import Completion, ModelClient
from provider import Answer, Provider, faults

MOST_USD = most_expensive_usd(request(), CONTEXT.prices) or 0.0


@pytest.fixture
def caller(provider: Provider, tmp_path: Path) -> Caller:
    """One with money for the most that one call can cost, and half of it again."""
    return Caller(tmp_path, provider.base_url, budget=Budget(usd=1.5 * MOST_USD))


def test_calls_wait_for_what_those_in_flight_have_reserved(caller: Caller, provider: Provider):
    cheap = {"cost": MOST_USD / 100}
    provider.script([faults.rule("cheap", Answer(usage=cheap, latency_s=0.05))])
    answers = caller.call(*several(6))
    assert all(isinstance(answer, Reply) for answer in answers)
    assert provider.stats().peak_in_flight == 1


def test_what_does_not_fit_when_all_have_ended_is_not_called(caller: Caller, provider: Provider):
    dear = {"cost": MOST_USD * 0.4}
    provider.script([faults.rule("dear", Answer(usage=dear, latency_s=0.05))])
    answers = caller.call(*several(6))
    kinds = [answer.kind for answer in answers if not isinstance(answer, Reply)]
    assert kinds == ["budget"] * 4
    assert provider.calls == 2
    assert len(caller.events("call_started")) == 2


def test_calls_that_may_fit_no_more_are_not_waited_for(provider: Provider, tmp_path: Path):
    provider.script([faults.reply_slowly(0.2)])
    caller = Caller(tmp_path, provider.base_url, budget=Budget(calls=2))
    assert [isinstance(answer, Reply) for answer in caller.call(*several(4))].count(True) == 2
    assert provider.calls == 2


def test_who_waits_for_money_calls_no_more_after_a_stop(caller: Caller, provider: Provider):
    provider.script([faults.reply_held()])

    async def stopped() -> list[Any]:
        client = ModelClient(caller.settings, caller.store)
        calls = [asyncio.create_task(client.complete(asked, CONTEXT, caller.journal)) for asked in several(4)]
        await asyncio.to_thread(wait_until, lambda: provider.calls == 1)
        client.stop()
        await asyncio.to_thread(provider.release)
        came = await asyncio.gather(*calls, return_exceptions=True)
        await client.close()
        return came

    first, *others = asyncio.run(stopped())
    assert isinstance(first, Completion)
    assert [type(other) for other in others] == [asyncio.CancelledError] * 3
    assert provider.calls == 1


def test_who_waits_for_money_hears_what_the_calls_before_it_came_to(caller: Caller, provider: Provider):
    provider.script([faults.rule("no account", Answer(status=402, latency_s=0.1))])
    kinds = [answer.kind for answer in caller.call(*several(6)) if not isinstance(answer, Reply)]
    assert kinds == ["api"] * 3 + ["not_tried"] * 3
    assert provider.calls == 3

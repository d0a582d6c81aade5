from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from core_fixtures import python

from daydreaming.inputs.endpoint_settings import Endpoint
from daydreaming.llm.limits import EndpointLimits
from daydreaming.llm.model_throttle import RECOVERY_S, SLOW_DOWN_INTERVAL_S

Run = Callable[..., Any]
REAL_SLEEP = asyncio.sleep
HOLDS_SLOTS = """
import asyncio, sys
from contextlib import AsyncExitStack
from pathlib import Path
from daydreaming.llm.limits import EndpointLimits
from daydreaming.inputs.endpoint_settings import Endpoint
async def main():
    limits = EndpointLimits(Endpoint(name="other", base_url="http://a/v1", max_concurrency=3), "key", Path(sys.argv[1]))
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(limits.turn(1))
        print("holds", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, input)
asyncio.run(main())
"""


class Clock:
    """A clock that a sleep moves, and nothing else."""

    def __init__(self) -> None:
        self.seconds = 1_000_000_000.0

    def __call__(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await REAL_SLEEP(0)


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs a coroutine; all of one test in one event loop, as the runner does."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(asyncio, "sleep", clock.sleep)
    return clock


@pytest.fixture
def limits_of(tmp_path: Path, clock: Clock) -> Callable[..., EndpointLimits]:
    """Limits of one endpoint and key, by default; each call is as if another process asked."""

    def limits(
        key: str = "key", base_url: str = "http://a/v1", folder: Path = tmp_path, **limit: Any
    ) -> EndpointLimits:
        return EndpointLimits(Endpoint(name="name", base_url=base_url, **limit), key, folder, now=clock)

    return limits


async def turns(limits: EndpointLimits, count: int, clock: Clock, tokens: int = 1) -> list[float]:
    """Seconds after which each of so many calls may be sent."""
    started, times = clock(), []
    for _ in range(count):
        async with limits.turn(tokens):
            times.append(clock() - started)
    return times


async def most_at_once(limits: EndpointLimits, wanted: int) -> int:
    """How many calls get a slot when so many want one at the same time, and none gives its slot back."""
    async with AsyncExitStack() as stack:
        for taken in range(wanted):
            try:
                async with asyncio.timeout(0.1):
                    await stack.enter_async_context(limits.turn(1))
            except TimeoutError:
                return taken
        return wanted


def test_without_limits_nothing_waits(run: Run, limits_of: Any, clock: Clock):
    limits = limits_of()
    assert run(turns(limits, 50, clock)) == [0.0] * 50
    assert run(most_at_once(limits, 200)) == 200


def test_calls_are_spaced_evenly(run: Run, limits_of: Any, clock: Clock):
    times = run(turns(limits_of(requests_per_minute=30), 6, clock))
    assert times == pytest.approx([0, 2, 4, 6, 8, 10], abs=0.02)


def test_no_minute_has_more_calls_than_allowed(run: Run, limits_of: Any, clock: Clock):
    times = run(turns(limits_of(requests_per_minute=300), 700, clock))
    assert all(sum(start <= time < start + 60 for time in times) <= 305 for start in times)
    assert times[-1] == pytest.approx(140, abs=2)


def test_tokens_are_paced_too(run: Run, limits_of: Any, clock: Clock):
    times = run(turns(limits_of(tokens_per_minute=6000), 5, clock, tokens=1000))
    assert times == pytest.approx([0, 10, 20, 30, 40], abs=0.1)


def test_a_call_larger_than_the_limit_is_sent_all_the_same(run: Run, limits_of: Any, clock: Clock):
    times = run(turns(limits_of(tokens_per_minute=100), 2, clock, tokens=10**6))
    assert times == pytest.approx([0, 60], abs=0.1)


def test_the_slower_of_two_paces_counts(run: Run, limits_of: Any, clock: Clock):
    limits = limits_of(requests_per_minute=60, tokens_per_minute=600)
    assert run(turns(limits, 3, clock, tokens=100)) == pytest.approx([0, 10, 20], abs=0.1)
    clock.seconds += 60
    assert run(turns(limits, 3, clock, tokens=1)) == pytest.approx([0, 1, 2], abs=0.1)


def test_the_pace_is_shared_and_outlives_a_run(run: Run, limits_of: Any, clock: Clock):
    run(turns(limits_of(requests_per_minute=6), 1, clock))
    assert run(turns(limits_of(requests_per_minute=6), 1, clock)) == pytest.approx([10], abs=0.1)


@pytest.mark.parametrize("other", [{"key": "another"}, {"base_url": "http://b/v1"}])
def test_other_keys_and_endpoints_have_limits_of_their_own(
    run: Run, limits_of: Any, clock: Clock, other: dict[str, str]
):
    run(turns(limits_of(requests_per_minute=6), 1, clock))
    assert run(turns(limits_of(requests_per_minute=6, **other), 1, clock)) == [0.0]


def test_the_key_is_in_no_file_and_no_file_name(run: Run, limits_of: Any, clock: Clock, tmp_path: Path):
    limits = limits_of(key="sk-secret", requests_per_minute=6, max_concurrency=1)
    run(turns(limits, 1, clock))
    limits.slow_down(1)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(b"sk-secret" in str(path).encode() + path.read_bytes() for path in files)


def test_no_more_calls_than_slots_are_in_flight(run: Run, limits_of: Any):
    limits = limits_of(max_concurrency=3)
    assert run(most_at_once(limits, 10)) == 3
    assert run(most_at_once(limits, 10)) == 3, "slots were not given back"


def test_slots_are_shared_by_processes_and_freed_by_dead_ones(run: Run, limits_of: Any, tmp_path: Path):
    other = python(HOLDS_SLOTS, tmp_path)
    assert other.stdout.readline() == "holds\n"
    limits = limits_of(max_concurrency=3)
    assert run(most_at_once(limits, 3)) == 1
    other.kill()
    other.communicate()
    assert run(most_at_once(limits, 3)) == 3


def test_an_error_gives_the_slot_back(run: Run, limits_of: Any):
    limits = limits_of(max_concurrency=1)

    async def fail() -> None:
        async with limits.turn(1):
            raise KeyError

    for _ in range(3):
        with pytest.raises(KeyError):
            run(asyncio.wait_for(fail(), 60))


def test_a_refusal_slows_its_own_model_and_no_other(run: Run, limits_of: Any, clock: Clock):
    limits = limits_of(max_concurrency=8)

    async def refused() -> None:
        async with AsyncExitStack() as stack:
            for _ in range(8):
                await stack.enter_async_context(limits.turn(1, "busy"))
            limits.slow_down(7, "busy")

    run(refused())
    started = clock()

    async def seconds_of(model: str) -> float:
        async with limits.turn(1, model):
            return clock() - started

    assert run(seconds_of("idle")) == 0.0
    assert run(seconds_of("busy")) == pytest.approx(7, abs=0.5)


def test_a_limit_that_is_reset_after_days_is_not_waited_for(run: Run, limits_of: Any, clock: Clock):
    limits_of().heed({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "99999h"})
    assert run(turns(limits_of(), 1, clock)) == [0.0]


def test_a_pause_holds_for_everyone(run: Run, limits_of: Any, clock: Clock):
    one, other = limits_of(), limits_of()
    assert run(turns(other, 1, clock)) == [0.0]
    one.slow_down(7)
    assert run(turns(other, 2, clock)) == pytest.approx([7, 7], abs=0.5)
    one.slow_down(9)
    other.slow_down(2)
    assert run(turns(one, 1, clock)) == pytest.approx([9], abs=0.5)


async def refused_together(limits: EndpointLimits, count: int) -> None:
    """So many calls are in flight, and all are refused."""
    async with AsyncExitStack() as stack:
        for _ in range(count):
            await stack.enter_async_context(limits.turn(1))
        for _ in range(count):
            limits.slow_down(None)


def test_a_burst_of_refusals_halves_the_slots_once(run: Run, limits_of: Any, clock: Clock):
    limits = limits_of(max_concurrency=16)
    run(refused_together(limits, 16))
    assert run(most_at_once(limits, 20)) == 8
    assert run(most_at_once(limits_of(max_concurrency=16), 20)) == 8, "another process goes on as before"
    clock.seconds += SLOW_DOWN_INTERVAL_S
    run(refused_together(limits, 8))
    assert run(most_at_once(limits, 20)) == 4


def test_one_slot_is_always_left(run: Run, limits_of: Any, clock: Clock):
    limits = limits_of(max_concurrency=2)
    for _ in range(5):
        clock.seconds += 2
        run(refused_together(limits, 1))
    assert run(most_at_once(limits, 3)) == 1


def test_speed_comes_back_by_itself(run: Run, limits_of: Any, clock: Clock):
    limits = limits_of(max_concurrency=16)
    run(refused_together(limits, 16))
    clock.seconds += RECOVERY_S / 2
    assert 8 < run(most_at_once(limits, 20)) < 16
    clock.seconds += RECOVERY_S / 2
    assert run(most_at_once(limits, 20)) == 16


@pytest.mark.parametrize("later_s", [3600.0, 86_400.0, 10 * 365 * 86_400.0])
def test_a_slow_down_of_long_ago_is_forgotten(run: Run, limits_of: Any, clock: Clock, later_s: float):
    limits = limits_of(max_concurrency=16)
    run(refused_together(limits, 16))
    clock.seconds += later_s
    assert run(most_at_once(limits, 20)) == 16


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "3"}, 3),
        ({"x-ratelimit-remaining-tokens": " 0 ", "x-ratelimit-reset-tokens": "1m2.5s"}, 62.5),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "500ms"}, 0.5),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000000004"}, 4),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000000004000"}, 4),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "999999990"}, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "tomorrow"}, 0),
        ({"x-ratelimit-remaining": "0"}, 0),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "30"}, 0),
        ({"x-ratelimit-reset": "30"}, 0),
        ({}, 0),
    ],
)
def test_everyone_waits_until_a_spent_limit_is_reset(
    run: Run, limits_of: Any, clock: Clock, headers: dict[str, str], seconds: float
):
    limits_of().heed(headers)
    assert run(turns(limits_of(), 1, clock)) == pytest.approx([seconds], abs=0.3)


def test_what_is_no_state_is_no_limit(run: Run, limits_of: Any, clock: Clock, tmp_path: Path):
    limits = limits_of(requests_per_minute=6)
    run(turns(limits, 1, clock))
    for state in tmp_path.glob("*.state"):
        state.write_bytes(b'{"requests": [1')
    assert run(turns(limits_of(requests_per_minute=6), 1, clock)) == [0.0]


def test_changes_are_seen_even_when_the_file_s_time_stands_still(
    run: Run, limits_of: Any, clock: Clock, tmp_path: Path
):
    one, other = limits_of(), limits_of()
    one.slow_down(1)
    assert run(turns(other, 1, clock)) == pytest.approx([1], abs=0.3)
    (state,) = tmp_path.glob("*.state")
    before = state.stat().st_mtime_ns
    one.slow_down(5)
    os.utime(state, ns=(before, before))
    assert run(turns(other, 1, clock)) == pytest.approx([5], abs=0.3)

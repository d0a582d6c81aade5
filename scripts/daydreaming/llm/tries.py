"""The tries of one call: how long to wait between them, when they are over, and how their time was spent."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.inputs.endpoint_settings import Endpoint
from daydreaming.llm.answers import CallError

FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 30.0
# A shorter `Retry-After` than that is no reason to ask at once, again and again.
SHORTEST_HEEDED_S = 1.0


class CallTimes(NamedTuple):
    """What a call took: tries, and milliseconds summed over them, as `Tries` says."""

    queue_ms: float
    llm_ms: float
    wait_ms: float
    tries: int


class CallFailedError(GenerationError):
    """A call that was tried and brought no reply, and what it took."""

    def __init__(self, kind: FailureKind, message: str, times: CallTimes | None = None):
        super().__init__(kind, message)
        self.times = times


class Tries:
    """The tries of one call, for tenacity to ask. Times are milliseconds, summed over the tries.

    `queue_ms`: waiting for a slot. `llm_ms`: from the first byte sent to the last one received. `wait_ms`: pauses
    between tries.
    """

    def __init__(self, endpoint: Endpoint, is_stopped: Callable[[], bool]):
        self._endpoint = endpoint
        self._is_stopped = is_stopped
        self._failures = 0
        self._loading_since: float | None = None
        self.number = 0
        self.queue_ms = self.llm_ms = self.wait_ms = 0.0

    def times(self) -> CallTimes:
        """What they took up to now."""
        return CallTimes(round(self.queue_ms, 3), round(self.llm_ms, 3), round(self.wait_ms, 3), self.number)

    def are_over(self, state: Any) -> bool:
        """Whether a failed try was the last. A server that is loading its model is waited for by the clock."""
        error = state.outcome.exception()
        if self._is_stopped():
            return True
        if error.is_loading:
            self._loading_since = self._loading_since or time.monotonic()
            return time.monotonic() - self._loading_since >= self._endpoint.loading_wait_s
        self._failures += 1
        return self._failures > self._endpoint.max_retries

    def pause_s(self, state: Any) -> float:
        """Seconds before the next try."""
        return pause_after(state.outcome.exception(), state.attempt_number)

    async def pause(self, seconds: float) -> None:
        """Wait, and note how long it took."""
        started = time.perf_counter()
        await asyncio.sleep(seconds)
        self.wait_ms += milliseconds_since(started)


def pause_after(error: CallError, failures: int) -> float:
    """Seconds before the next try after so many failures: what the provider asked for, else doubling with jitter.

    The formula is "full jitter" of M. Brooker, Exponential Backoff and Jitter (AWS Architecture Blog, 2015), with a
    floor of half the ceiling so that a provider that is down is not asked many times in its first second.
    """
    backoff_s = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(failures, 64)) * random.uniform(0.5, 1.0)
    asked_s = error.retry_after_s
    if asked_s is None:
        return backoff_s
    return asked_s if asked_s >= SHORTEST_HEEDED_S else max(asked_s, backoff_s)


def milliseconds_since(started: float) -> float:
    """Milliseconds since a moment of the performance counter."""
    return (time.perf_counter() - started) * 1000

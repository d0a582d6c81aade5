"""The limits of an endpoint and key, shared by all threads and processes that use the same limits folder.

Pace: the GCRA of pyrate-limiter, whose whole state is one number for each rate, kept in a small file under a file lock.
Calls in flight: numbered slots, each a lock that its dead owner does not hold. A provider's `429` or a spent
`x-ratelimit-remaining` pauses everyone who calls that model and halves the model's slots; they double every RECOVERY_S
until all are back. Other models of the key go on.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pyrate_limiter import GCRA, Rate

from daydreaming.base.locks import RangeLocks
from daydreaming.inputs.endpoint_settings import Endpoint
from daydreaming.llm.model_throttle import ModelThrottle, Slots
from daydreaming.llm.shared_state import SharedState

MINUTE_MS = 60_000
UNLIMITED_SLOTS = 1024
LONGEST_SLEEP_S = 0.25


class EndpointLimits:
    """What may be sent to one endpoint with one key, and when. Used from one event loop of a process."""

    def __init__(
        self,
        endpoint: Endpoint,
        key: str,
        folder: Path,
        locks_in: Callable[[Path], RangeLocks] = RangeLocks,
        now: Callable[[], float] = time.time,
    ):
        # A server that is started for it has another port every time.
        place = endpoint.start or endpoint.base_url or endpoint.kind
        identity = hashlib.sha256(f"{place}\n{key}".encode()).hexdigest()[:16]
        self._rates = {"requests": endpoint.requests_per_minute, "tokens": endpoint.tokens_per_minute}
        self._paced = any(self._rates.values())
        self._slot_count = endpoint.max_concurrency or UNLIMITED_SLOTS
        self._longest_pause_s = endpoint.longest_wait_s
        self._place = folder / identity
        self._state = SharedState(folder / f"{identity}.state")
        self._slot_locks = locks_in(folder / f"{identity}.slots")
        self._slots = Slots(self._slot_locks, 0)
        self._models: dict[str, ModelThrottle] = {}
        self._now = now

    @asynccontextmanager
    async def turn(self, tokens: int, model: str = "") -> AsyncIterator[None]:
        """Wait until a call of about `tokens` tokens may be sent to a model, and hold a slot while it is in flight."""
        throttle = self._throttle(model)
        # The model's slot first: who waits for it must hold nothing that other models need.
        model_slot = await throttle.slots.take(throttle.open_slots)
        try:
            await self._wait_for(lambda: _short(throttle.pause_s(self._longest_pause_s)))
            slot = await self._slots.take(lambda: self._slot_count)
            try:
                await self._wait_for_pace(tokens)
                yield
            finally:
                self._slots.release(slot)
        finally:
            throttle.slots.release(model_slot)

    def _throttle(self, model: str) -> ModelThrottle:
        if model not in self._models:
            self._models[model] = ModelThrottle(model, self._place, self._slot_locks, self._slot_count, self._now)
        return self._models[model]

    async def _wait_for(self, wait_s: Callable[[], float]) -> None:
        while (wait := wait_s()) > 0:
            await asyncio.sleep(wait)

    async def _wait_for_pace(self, tokens: int) -> None:
        while self._paced and (wait := await asyncio.to_thread(self._pace_s, tokens)) > 0:
            await asyncio.sleep(wait)

    def _pace_s(self, tokens: int) -> float:
        """Seconds to wait before asking again; 0 when the call may go now, which is then counted."""
        with self._state.change() as state:
            waits = [self._step(state, "requests", 1), self._step(state, "tokens", tokens)]
            longest = max(wait for wait, _ in waits)
            if longest == 0:
                state.update({name: value for _, changed in waits for name, value in changed.items()})
            return longest / 1000

    def _step(self, state: Mapping[str, Any], name: str, weight: int) -> tuple[float, dict[str, Any]]:
        limit = self._rates[name]
        if limit is None or weight == 0:
            return 0, {}
        # A burst of one second's worth: evenly spaced calls keep the limit in every minute, not only on the average.
        weight = min(weight, limit)
        rate = Rate(limit, MINUTE_MS, burst=max(weight, limit // 60, 1))
        algorithm = GCRA()
        soon_us = int((self._now() + 2 * MINUTE_MS / 1000) * 1e6)
        old = tuple(min(moment_us, soon_us) for moment_us in state.get(name, algorithm.initial([rate])))
        new, decision = algorithm.step([rate], old, int(self._now() * 1000), weight)
        return (0, {name: list(new)}) if decision.allowed else (decision.retry_after_ms or 1, {})

    def slow_down(self, pause_s: float | None, model: str = "") -> None:
        """Make everyone who calls a model wait `pause_s` seconds (None: no pause is known), with half of its slots.

        Waits for a file's lock: call it in a thread.
        """
        self._throttle(model).slow_down(pause_s, self._longest_pause_s)

    def heed(self, headers: Mapping[str, str], model: str = "") -> None:
        """Slow down who calls a model when an answer says that nothing remains of a limit; call it in a thread.

        A limit that is reset later than a run waits (`longest_wait_s`) is not waited for: if that is meant, the next
        call is refused, and the refusal is told.
        """
        for what in ("requests", "tokens", None):
            suffix = f"-{what}" if what else ""
            if headers.get(f"x-ratelimit-remaining{suffix}", "").strip() == "0":
                pause_s = _reset_seconds(headers.get(f"x-ratelimit-reset{suffix}", "").strip(), self._now())
                is_too_long = pause_s is not None and pause_s > self._longest_pause_s
                self.slow_down(None if is_too_long else pause_s, model)

    @staticmethod
    def says_that_nothing_remains(headers: Mapping[str, str]) -> bool:
        """Whether an answer's headers are something to heed."""
        names = (f"x-ratelimit-remaining{suffix}" for suffix in ("-requests", "-tokens", ""))
        return any(headers.get(name, "").strip() == "0" for name in names)

    def close(self) -> None:
        """Give back all slots."""
        self._slot_locks.close()
        self._state.close()
        for throttle in self._models.values():
            throttle.close()


def _short(seconds: float) -> float:
    return min(seconds, LONGEST_SLEEP_S)


def _reset_seconds(value: str, now: float) -> float | None:
    """Seconds until a limit is reset: `1.5`, `20ms`, `6m0s`, or a moment in Unix seconds or milliseconds."""
    if re.fullmatch(r"\d{1,15}(\.\d+)?", value, re.ASCII):
        number = float(value)
        moment = number / 1000 if number > 1e11 else number
        return max(0.0, moment - now) if moment > 1e8 else number
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    parts = re.findall(r"(\d{1,15}(?:\.\d+)?)(ms|h|m|s)", value, re.ASCII)
    return sum(float(number) * units[unit] for number, unit in parts) if parts else None

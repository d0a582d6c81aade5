"""The limits of an endpoint and key, shared by all threads and processes that use the same limits folder.

Pace: the GCRA of pyrate-limiter, whose whole state is one number for each rate, kept in a small file under a file lock.
Calls in flight: numbered slots, each a lock that its dead owner does not hold. A provider's `429` or a spent
`x-ratelimit-remaining` pauses everyone and halves the slots; they double every RECOVERY_S until all are back.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
from pyrate_limiter import GCRA, Rate

from daydreaming.base.locks import RangeLocks, locked_file
from daydreaming.inputs.settings import Endpoint

MINUTE_MS = 60_000
UNLIMITED_SLOTS = 1024
# A provider that refuses one call in forty should cost little; one that allows an eighth of the slots, few refusals.
RECOVERY_S = 4.0
SLOW_DOWN_INTERVAL_S = 2.0
LONGEST_SLEEP_S = 0.25
POLL_S = 0.05
LONGEST_PAUSE_S = 600.0
STATE_BYTES = 4096


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
        identity = hashlib.sha256(f"{endpoint.base_url or endpoint.kind}\n{key}".encode()).hexdigest()[:16]
        self._rates = {"requests": endpoint.requests_per_minute, "tokens": endpoint.tokens_per_minute}
        self._paced = any(self._rates.values())
        self._slots = endpoint.max_concurrency or UNLIMITED_SLOTS
        self._state = SharedState(folder / f"{identity}.state")
        self._slot_locks = locks_in(folder / f"{identity}.slots")
        self._now = now
        self._held: set[int] = set()
        self._queue = asyncio.Lock()
        self._slot_released = asyncio.Event()

    @asynccontextmanager
    async def turn(self, tokens: int) -> AsyncIterator[None]:
        """Wait until a call of about `tokens` tokens may be sent, and hold a slot while it is in flight."""
        slot = await self._take_slot()
        self._held.add(slot)
        try:
            await self._wait_for_pace(tokens)
            yield
        finally:
            self._held.discard(slot)
            self._slot_locks.release(slot)
            self._slot_released.set()

    async def _take_slot(self) -> int:
        # One caller looks for a slot at a time, in the order of arrival; slots of other processes need polling.
        async with self._queue:
            while True:
                self._slot_released.clear()
                for slot in range(self._open_slots()):
                    if self._slot_locks.try_acquire(slot):
                        return slot
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._slot_released.wait(), POLL_S)

    def _open_slots(self) -> int:
        """How many slots may be used now: all, or what is left after a slow-down and has not come back yet."""
        state = self._state.read()
        if "slots" not in state:
            return self._slots
        # After so many doublings all slots are back; hours later, the power would be too large for a float.
        doublings = min((self._now() - state["slowed_at"]) / RECOVERY_S, self._slots.bit_length())
        return max(1, min(self._slots, int(state["slots"] * 2**doublings)))

    async def _wait_for_pace(self, tokens: int) -> None:
        while (wait := self._wait_s(tokens)) > 0:
            await asyncio.sleep(wait)

    def _wait_s(self, tokens: int) -> float:
        """Seconds to wait before asking again; 0 when the call may go now, which is then counted."""
        # Never longer than a pause can be: the clock may have been set back since.
        pause = min(self._state.read().get("pause_until", 0.0) - self._now(), LONGEST_PAUSE_S)
        if pause > 0:
            return min(pause, LONGEST_SLEEP_S)
        if not self._paced:
            return 0.0
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

    def slow_down(self, pause_s: float | None) -> None:
        """Make everyone wait `pause_s` seconds (None: no pause is known) and use half of the slots in use."""
        now = self._now()
        with self._state.change() as state:
            if pause_s:
                state["pause_until"] = max(state.get("pause_until", 0.0), now + min(pause_s, LONGEST_PAUSE_S))
            # The calls in flight together are refused together: that is one reason to slow down, not many.
            if now - state.get("slowed_at", 0.0) >= SLOW_DOWN_INTERVAL_S:
                # Slots are taken from the first on: the last one held tells how many are in use by all processes.
                in_use = min(self._open_slots(), max(self._held, default=0) + 1)
                state.update(slots=max(1, in_use // 2), slowed_at=now)

    def heed(self, headers: Mapping[str, str]) -> None:
        """Slow everyone down when an answer says that nothing remains of a limit."""
        for what in ("requests", "tokens", None):
            suffix = f"-{what}" if what else ""
            if headers.get(f"x-ratelimit-remaining{suffix}", "").strip() == "0":
                self.slow_down(_reset_seconds(headers.get(f"x-ratelimit-reset{suffix}", ""), self._now()))

    def close(self) -> None:
        """Give back all slots."""
        self._slot_locks.close()
        self._state.close()


def _reset_seconds(value: str, now: float) -> float | None:
    """Seconds until a limit is reset: `1.5`, `20ms`, `6m0s`, or a moment in Unix seconds or milliseconds."""
    if re.fullmatch(r"\d+(\.\d+)?", value):
        number = float(value)
        moment = number / 1000 if number > 1e11 else number
        return max(0.0, moment - now) if moment > 1e8 else number
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", value)
    return sum(float(number) * units[unit] for number, unit in parts) if parts else None


class SharedState:
    """A small JSON object in a file that several processes read and change."""

    def __init__(self, path: Path):
        self._path = path
        self._descriptor: int | None = None
        self._seen: tuple[bytes, dict[str, Any]] = (b"", {})

    def _open(self) -> int:
        if self._descriptor is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        return self._descriptor

    def read(self) -> dict[str, Any]:
        """The state now."""
        # Not the time of the last change tells what is new: two changes can have the same.
        text = os.pread(self._open(), STATE_BYTES, 0)
        if text != self._seen[0]:
            self._seen = (text, _parse(text))
        return self._seen[1]

    @contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """Hold the state, change the yielded dict, and write it when the block ends without an error."""
        descriptor = self._open()
        with locked_file(descriptor):
            state = _parse(os.pread(descriptor, STATE_BYTES, 0))
            yield state
            # Padded, so that one write replaces the old text whole: a reader never sees parts of two states.
            os.pwrite(descriptor, orjson.dumps(state).ljust(STATE_BYTES // 4), 0)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None


def _parse(text: bytes) -> dict[str, Any]:
    try:
        return orjson.loads(text)
    except ValueError:
        return {}

"""The pause and the slots of one model of an endpoint and key, shared by all processes that call it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from daydreaming.base.locks import RangeLocks
from daydreaming.llm.shared_state import SharedState

# A provider that refuses one call in forty should cost little; one that allows an eighth of the slots, few refusals.
RECOVERY_S = 4.0
SLOW_DOWN_INTERVAL_S = 2.0
POLL_S = 0.05


class Slots:
    """Numbered slots, each a lock that its dead owner does not hold. Used from one event loop of a process."""

    def __init__(self, locks: RangeLocks, first: int):
        self._locks = locks
        self._first = first
        self._held: set[int] = set()
        self._queue = asyncio.Lock()
        self._released = asyncio.Event()

    async def take(self, open_slots: Callable[[], int]) -> int:
        """Wait for one of the open slots and hold it."""
        # One caller looks for a slot at a time, in the order of arrival; slots of other processes need polling.
        async with self._queue:
            while True:
                self._released.clear()
                for slot in range(open_slots()):
                    if slot not in self._held and self._locks.try_acquire(self._first + slot):
                        self._held.add(slot)
                        return slot
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._released.wait(), POLL_S)

    def release(self, slot: int) -> None:
        """Give a slot back."""
        self._held.discard(slot)
        self._locks.release(self._first + slot)
        self._released.set()

    @property
    def in_use(self) -> int:
        """How many slots all processes use, at least: they are taken from the first on."""
        return max(self._held, default=0) + 1


class ModelThrottle:
    """What a provider's refusals leave of one model's slots, and until when it wants no call."""

    def __init__(self, model: str, path: Path, locks: RangeLocks, slots: int, now: Callable[[], float]):
        digest = hashlib.sha256(model.encode("utf-8", errors="surrogatepass")).hexdigest()
        self._state = SharedState(path.with_name(f"{path.name}-{digest[:16]}.state"))
        self._all_slots = slots
        # Far above the endpoint's own slots, which are numbered from 0 in the same file.
        self.slots = Slots(locks, (int(digest[:8], 16) + 1) << 16)
        self._now = now

    def open_slots(self) -> int:
        """How many slots may be used now: all, or what is left after a slow-down and has not come back yet."""
        state = self._state.read()
        if "slots" not in state:
            return self._all_slots
        # After so many doublings all slots are back; hours later, the power would be too large for a float. Before 0:
        # the clock was set back.
        doublings = min(max(0.0, self._now() - state["slowed_at"]) / RECOVERY_S, self._all_slots.bit_length())
        return max(1, min(self._all_slots, int(state["slots"] * 2**doublings)))

    def pause_s(self, longest_s: float) -> float:
        """Seconds until the model may be called; at most `longest_s`: the clock may have been set back since."""
        until: float = self._state.read().get("pause_until", 0.0)
        return min(until - self._now(), longest_s)

    def slow_down(self, pause_s: float | None, longest_s: float) -> None:
        """Make everyone wait `pause_s` seconds (None: no pause is known) and use half of the slots in use.

        Waits for a file's lock: call it in a thread.
        """
        now = self._now()
        with self._state.change() as state:
            if pause_s:
                state["pause_until"] = max(state.get("pause_until", 0.0), now + min(pause_s, longest_s))
            # The calls in flight together are refused together: that is one reason to slow down, not many.
            if abs(now - state.get("slowed_at", 0.0)) >= SLOW_DOWN_INTERVAL_S:
                state.update(slots=max(1, min(self.open_slots(), self.slots.in_use) // 2), slowed_at=now)

    def close(self) -> None:
        """Close the file."""
        self._state.close()

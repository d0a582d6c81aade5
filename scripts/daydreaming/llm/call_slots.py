"""How many calls a process has in flight, and who is next."""

from __future__ import annotations

import asyncio
import heapq
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from contextlib import asynccontextmanager
from itertools import count

Waiters = deque[asyncio.Future[None]]


class CallSlots:
    """So many calls at a time (None: any number). Used from one event loop.

    Next is who is the fewest steps into its study, for the longest rest waits for it; of these, who came first.
    But those of a kind that `waited_for` names go before all. The ten calls that show whether a template works would be
    the last ones: alone in flight, while all others of their template wait for them.
    """

    def __init__(self, number: int | None, waited_for: Callable[[], Iterable[Hashable]] = tuple):
        self._free = number
        self._waited_for = waited_for
        # Who waits stands in both, and is done when it has a slot.
        self._all: list[tuple[int, int, asyncio.Future[None]]] = []  # a heap
        self._came = count()
        self._of_kind: defaultdict[Hashable, Waiters] = defaultdict(deque)

    @asynccontextmanager
    async def slot(self, kind: Hashable = None, step: int = 0) -> AsyncIterator[None]:
        """Wait for a slot, as a call of some kind at some step of its study, and hold it."""
        if self._free is None:
            yield
            return
        await self._take(kind, step)
        try:
            yield
        finally:
            self._give_back()

    async def _take(self, kind: Hashable, step: int) -> None:
        if self._free:  # then nobody waits
            self._free -= 1
            return
        waiter = asyncio.get_running_loop().create_future()
        heapq.heappush(self._all, (step, next(self._came), waiter))
        self._of_kind[kind].append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():  # it got its slot in the same moment
                self._give_back()
            raise

    def _give_back(self) -> None:
        waiter = self._next()
        if waiter is not None:
            waiter.set_result(None)
        elif self._free is not None:
            self._free += 1

    def _next(self) -> asyncio.Future[None] | None:
        for kind in self._waited_for():
            if (waiter := _first(self._of_kind[kind])) is not None:
                return waiter
        while self._all:
            *_, waiter = heapq.heappop(self._all)
            if not waiter.done():
                return waiter
        self._of_kind.clear()
        return None


def _first(waiters: Waiters) -> asyncio.Future[None] | None:
    while waiters:
        waiter = waiters.popleft()
        if not waiter.done():
            return waiter
    return None

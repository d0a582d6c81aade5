"""How many calls a process has in flight, and who is next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class CallSlots:
    """So many calls at a time (None: any number), in the order in which they came. Used from one event loop.

    Calls that others wait for go first. Behind all that is ready, the ten that show whether a template works would end
    as the last ones: with nothing beside them in flight, and all others of their template still to come.
    """

    def __init__(self, number: int | None):
        self._free = number
        self._first: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def slot(self, *, goes_first: bool = False) -> AsyncIterator[None]:
        """Wait for a slot and hold it."""
        if self._free is None:
            yield
            return
        await self._take(self._first if goes_first else self._others)
        try:
            yield
        finally:
            self._give_back()

    async def _take(self, queue: deque[asyncio.Future[None]]) -> None:
        # A slot that is free was given to all who wait: nobody is overtaken here.
        if self._free:
            self._free -= 1
            return
        waiter = asyncio.get_running_loop().create_future()
        queue.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():  # it got its slot in the same moment
                self._give_back()
            raise

    def _give_back(self) -> None:
        for queue in (self._first, self._others):
            while queue:
                waiter = queue.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    return
        assert self._free is not None
        self._free += 1

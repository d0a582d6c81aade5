"""Money for calls, reserved before they are made. Who finds it reserved by calls in flight waits for their ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from daydreaming.ledger.journal import ReservedError
from daydreaming.llm.call_account import OpenCall


class Reservations:
    """Opens the calls of a process, in a thread, and knows how many have not ended. Used from one event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reservations")
        # Where money is short, one asks for it at a time; the others stand behind it.
        self._line = asyncio.Lock()
        self._open = 0
        self._ended = 0
        self._another_end = asyncio.Event()
        self._stopped = False

    async def opened(self, begin: Callable[[], OpenCall], check: Callable[[], None]) -> OpenCall:
        """Open a call, when there is money for the most that it can cost; `open` must follow.

        What calls in flight have reserved, and do not cost, is free when they end: it is waited for. Raises what
        `begin` raises, of the budget only where no call of this process is open; CancelledError after `stop`. `check`
        raises where the call is not to be made any more, after what others' ends have shown.
        """
        try:
            return await self._try(begin)
        except ReservedError:
            pass
        async with self._line:
            while True:
                if self._stopped:
                    raise asyncio.CancelledError
                check()
                ended = self._ended
                try:
                    return await self._try(begin)
                except ReservedError:
                    # One may have ended between that look at the account and now.
                    if ended == self._ended and not self._open:
                        raise
                if ended == self._ended:
                    await self._another_end.wait()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Around a call, from its opening until its end is in the journal."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            self._ended += 1
            self._another_end.set()
            self._another_end = asyncio.Event()

    def stop(self) -> None:
        """Open no call any more for those that wait for money."""
        self._stopped = True

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    async def _try(self, begin: Callable[[], OpenCall]) -> OpenCall:
        return await asyncio.get_running_loop().run_in_executor(self._thread, begin)

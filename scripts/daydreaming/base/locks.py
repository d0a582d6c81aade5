"""Locks that hold between threads and processes, and that a dead owner does not hold.

Whole files are locked with flock. Single requests and call slots are byte ranges of one file (POSIX record locks): no
file is left behind for each of them, the kernel frees them when their owner dies however it dies, and they hold on
NFS 4 between machines.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

FIRST_WAIT_S, LONGEST_WAIT_S = 0.01, 0.25


@contextmanager
def locked_file(descriptor: int) -> Iterator[None]:
    """Hold the one lock of an open file. Raises OSError on a file system without locks."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class RangeLocks:
    """Numbered locks in one file.

    POSIX record locks belong to a process, and closing any descriptor of the file drops all of them: so there must be
    one RangeLocks for a file in a process, and nothing else may open that file. Threads are kept apart by a table here.
    """

    def __init__(self, path: Path):
        self.path = path
        self._descriptor: int | None = None
        self._held: set[int] = set()
        self._guard = threading.Lock()

    def try_acquire(self, number: int) -> bool:
        """Take a lock if nobody has it. Raises OSError on a file system without locks or a read-only one."""
        with self._guard:
            if number in self._held:
                return False
            if self._descriptor is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
            except (BlockingIOError, PermissionError):
                return False
            self._held.add(number)
            return True

    def release(self, number: int) -> None:
        """Give back a lock that was taken."""
        with self._guard:
            self._held.discard(number)
            if self._descriptor is not None:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, number)

    @asynccontextmanager
    async def hold(self, number: int, until: Callable[[], bool] = lambda: False) -> AsyncIterator[bool]:
        """Wait for a lock and hold it; yields False without it when `until()` becomes true first.

        Waiting is by polling: two processes that wait for each other's locks in different threads are no deadlock, but
        the kernel would take a blocking wait for one.
        """
        wait = FIRST_WAIT_S
        while not (taken := self.try_acquire(number)) and not until():
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, LONGEST_WAIT_S)
        try:
            yield taken
        finally:
            if taken:
                self.release(number)

    def close(self) -> None:
        """Close the file, which gives back all locks."""
        with self._guard:
            if self._descriptor is not None:
                os.close(self._descriptor)
            self._descriptor, self._held = None, set()

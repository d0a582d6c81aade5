"""What processes of one machine know together of a local server: who uses and who keeps it, and its port.

A folder with two locks and a small file. The kernel frees the locks when their owner dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from daydreaming.base import atomic


@dataclass(frozen=True, slots=True)
class ServerState:
    """A server that was started: its port, its log, and how it ended ("": it has not)."""

    port: int
    log: str
    ended: str = ""


class ServerFolder:
    """The folder of one server. Raises OSError where it cannot be written or has no locks."""

    def __init__(self, path: Path):
        self.path = path
        self._state_file = path / "server.json"

    def enter(self) -> int:
        """Become a user of the server, until the returned descriptor is closed. Waits while it is being ended."""
        self.path.mkdir(parents=True, exist_ok=True)
        descriptor = self._open("users.lock")
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return descriptor

    @contextmanager
    def if_unused(self) -> Iterator[bool]:
        """Say whether nobody uses the server; if so, nobody can begin to before the block ends."""
        descriptor = self._open("users.lock")
        try:
            yield _try_lock(descriptor, fcntl.LOCK_EX)
        finally:
            os.close(descriptor)

    def claim(self) -> int | None:
        """Become its keeper, until the descriptor and all copies of it are closed; None where another one is."""
        descriptor = self._open("keeper.lock")
        if _try_lock(descriptor, fcntl.LOCK_EX):
            return descriptor
        os.close(descriptor)
        return None

    def is_kept(self) -> bool:
        """Whether a keeper lives."""
        descriptor = self._open("keeper.lock")
        try:
            return not _try_lock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def state(self) -> ServerState | None:
        """What the last keeper wrote down; None if nothing."""
        try:
            return ServerState(**orjson.loads(self._state_file.read_bytes()))
        except FileNotFoundError:
            return None

    def write_state(self, state: ServerState | None) -> None:
        """Write down what is known of the server now; None: nothing."""
        if state is None:
            self._state_file.unlink(missing_ok=True)
        else:
            atomic.write_bytes(self._state_file, orjson.dumps(asdict(state)), durable=False)

    def _open(self, name: str) -> int:
        return os.open(self.path / name, os.O_RDWR | os.O_CREAT, 0o666)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

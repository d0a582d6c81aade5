"""A terminal for tests: a stream that is one, and what was written to it."""

from __future__ import annotations

import os
import pty
import threading
from types import TracebackType


class FakeTerminal:
    """`stream` is a terminal for as long as the `with` block lasts; `shown` has, after it, all that came there."""

    def __enter__(self) -> FakeTerminal:
        self._master, slave = pty.openpty()
        self.stream = os.fdopen(slave, "w")
        self.shown = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stream.close()
        self._reader.join()
        os.close(self._master)

    def _read(self) -> None:
        received = b""
        try:
            while block := os.read(self._master, 65_536):
                received += block
        except OSError:  # how Linux says that the other end is closed
            pass
        self.shown = received.decode()

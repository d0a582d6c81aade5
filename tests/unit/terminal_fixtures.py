"""A terminal for tests: a stream that is one, and what was written to it."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import struct
import termios
import threading
import time
from types import TracebackType


class FakeTerminal:
    """`stream` is a terminal for as long as the `with` block lasts; `shown` has all that came there."""

    def __init__(self, columns: int = 80):
        self.columns = columns

    def __enter__(self) -> FakeTerminal:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, self.columns, 0, 0))
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

    @property
    def rows(self) -> list[str]:
        """What is to be seen in the end, row by row: a line that was written over or erased is not.

        Enough of a terminal for lines of text, carriage returns, cursor up, erased lines and colours.
        """
        rows, at, column = [[" "] * self.columns], 0, 0
        for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[^\x1b]", self.shown):
            if part == "\n" or (part.isprintable() and column == self.columns):
                at, column = at + 1, 0 if part != "\n" else column
                rows += [[" "] * self.columns] * (at == len(rows))
            if part == "\r":
                column = 0
            elif part == "\x1b[1A":
                at -= 1
            elif part == "\x1b[2K":
                rows[at] = [" "] * self.columns
            elif part.isprintable():
                rows[at][column], column = part, column + 1
            elif not re.fullmatch(r"\n|\x1b\[[0-9;]*m|\x1b\[\?25[hl]", part):
                raise AssertionError(f"a terminal of tests does not know {part!r}")
        return "\n".join("".join(row).rstrip() for row in rows).rstrip("\n").split("\n")

    def wait_for(self, text: str, seconds: float = 120) -> None:
        """Wait until a text has come."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < deadline, f"{text!r} did not come: {self.shown[-500:]!r}"
            time.sleep(0.01)

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while block := os.read(self._master, 65_536):
                self.shown += decoder.decode(block)
        except OSError:  # how Linux says that the other end is closed
            pass

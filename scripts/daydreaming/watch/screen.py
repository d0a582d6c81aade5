"""The stream that a run is shown on: whole messages, and on a terminal one line below them that is written over."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.live import Live

LIVE_EVERY_S, LINE_EVERY_S = 0.5, 60.0
ASSUMED_COLUMNS = 80


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream ends at a terminal that can write over a line."""
    return stream.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")


class Screen:
    """A stream that messages and a line of progress share, from any thread.

    It has the methods of a stream that a log handler needs: what is written appears whole, with `flush`. `has_styles`
    says whether colours and bold type may be used.
    """

    def __init__(self, stream: TextIO, *, no_color: bool = False):
        self.is_terminal = is_terminal(stream)
        self.has_styles = self.is_terminal and not no_color and not os.environ.get("NO_COLOR")
        self.every_s = LIVE_EVERY_S if self.is_terminal else LINE_EVERY_S
        self._stream = stream
        self._guard = threading.RLock()
        self._pending: list[str] = []
        self._live: Live | None = None

    @property
    def columns(self) -> int | None:
        """How wide the terminal is now, in characters; None where lines may have any length."""
        if not self.is_terminal:
            return None
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or ASSUMED_COLUMNS
        except OSError:
            return ASSUMED_COLUMNS

    def isatty(self) -> bool:
        """Whether this is a terminal."""
        return self.is_terminal

    def write(self, text: str) -> int:
        """Take in a part of a message."""
        with self._guard:
            self._pending.append(text)
        return len(text)

    def flush(self) -> None:
        """Show what was written. Raises OSError or ValueError when the stream is gone."""
        with self._guard:
            text, self._pending = "".join(self._pending), []
            if not text:
                return
            if self._live is None:
                self._stream.write(text)
                self._stream.flush()
                return
            from rich.text import Text

            # Not wrapped: a path in a message stays whole, to be copied from the terminal.
            self._live.console.print(Text.from_ansi(text.removesuffix("\n")), soft_wrap=True)

    def show(self, line: str) -> None:
        """Show a line over the one before; in a file, after it. Raises OSError or ValueError as `flush` does."""
        with self._guard:
            if not self.is_terminal:
                self.write(f"{line}\n")
                self.flush()
                return
            from rich.text import Text

            live = self._live or self._start_live()
            live.console.width = self.columns or ASSUMED_COLUMNS
            text = Text(line, no_wrap=True, overflow="crop", end="")
            if self.has_styles:
                text.highlight_regex(r"\b[1-9][0-9,]* failed", "bold red")
            live.update(text, refresh=True)

    def remove_line(self) -> None:
        """Take the line away from a terminal; messages stay. Without a line, do nothing."""
        with self._guard:
            live, self._live = self._live, None
            if live is not None:
                live.stop()

    def _start_live(self) -> Live:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._stream, force_terminal=True, no_color=not self.has_styles, highlight=False)
        # The program's own streams stay as they are: it may be somebody else's program.
        self._live = Live(
            console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self._live.start()
        # Rich hides the cursor; a killed process would leave it so.
        console.show_cursor(True)
        return self._live

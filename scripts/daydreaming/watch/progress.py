"""How a run goes, while it goes: one live line on a terminal, a line a minute elsewhere, all from the journal."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TextIO

from daydreaming.base.amounts import duration, short_count, usd
from daydreaming.base.paths import STAGES
from daydreaming.ledger.tally import JournalTail, RunTally

LIVE_EVERY_S, LINE_EVERY_S = 0.5, 60.0
CALLS_WINDOW_S, FINISHED_WINDOW_S = 60, 600


class RecentRate:
    """How often something happened a second, over the last seconds."""

    def __init__(self, window_s: int):
        self._window_s = window_s
        self._by_second: deque[list[int]] = deque()
        self._total = 0

    def add(self, moment: float) -> None:
        """Note that it happened at a moment (Unix seconds)."""
        second = int(moment)
        # Moments of several processes may come a little out of order; they count for the newest second then.
        if not self._by_second or second > self._by_second[-1][0]:
            self._by_second.append([second, 0])
        self._by_second[-1][1] += 1
        self._total += 1

    def per_second(self, now: float, since: float) -> float:
        """The rate over the window that ends now, or since a moment if that is later."""
        while self._by_second and self._by_second[0][0] < now - self._window_s:
            self._total -= self._by_second.popleft()[1]
        return self._total / max(1.0, min(self._window_s, now - since))


class ProgressState:
    """What the line says: this run's lines of the journal, counted as they come."""

    def __init__(self, journal_path: Path, run_id: str, totals: Mapping[str, int]):
        self._tail = JournalTail(journal_path)
        self._tally = RunTally(run_id)
        self._totals = totals
        self._calls = RecentRate(CALLS_WINDOW_S)
        self._finished = RecentRate(FINISHED_WINDOW_S)
        self._first: float | None = None

    def read(self) -> None:
        """Take in what has been written since the last time. Raises OSError."""
        for event in self._tail.read():
            if event.get("run") == self._tally.run_id:
                self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        moment = event["time"]
        self._first = moment if self._first is None else self._first
        self._tally.take(event)
        if event["event"] == "call_ended":
            self._calls.add(moment)
        elif event["event"] == "generation":
            self._finished.add(moment)

    def line(self, now: float) -> str:
        """The state in one line; `now` in Unix seconds."""
        tally = self._tally
        since = now if self._first is None else self._first
        parts = [
            ", ".join(map(self._stage, filter(self._is_shown, STAGES))),
            f"{self._calls.per_second(now, since):.1f} calls/s, {tally.in_flight} in flight",
            f"{short_count(tally.prompt_tokens + tally.completion_tokens)} tokens",
            _cost(tally),
            f"{tally.failed()} failed",
            self._time_left(now, since),
        ]
        return " | ".join(parts)

    def _is_shown(self, stage: str) -> bool:
        return bool(self._totals.get(stage) or self._tally.succeeded(stage) or self._tally.failed(stage))

    def _stage(self, stage: str) -> str:
        total = self._totals.get(stage)
        return f"{stage} {self._tally.succeeded(stage)}" + (f"/{total}" if total else "")

    def _time_left(self, now: float, since: float) -> str:
        remaining = sum(self._totals.values()) - sum(self._tally.counts.values())
        rate = self._finished.per_second(now, since)
        return f"{duration(remaining / rate)} left" if rate > 0 and remaining >= 0 else "- left"


def _cost(tally: RunTally) -> str:
    if tally.unpriced_calls and tally.unpriced_calls == tally.ended_calls:
        return "cost unknown"
    return f"{'at least ' if tally.unpriced_calls else ''}{usd(tally.cost_usd)}"


class Display(Protocol):
    """A place for the line: how often it wants a new one (seconds), and what it does with it."""

    every_s: float

    def show(self, line: str) -> None:
        """Show a line in place of, or after, the one before."""

    def close(self, line: str) -> None:
        """Show the last line, if it belongs there, and leave the stream as it was."""


class Lines:
    """A file or a pipe: each line is added."""

    def __init__(self, stream: TextIO, every_s: float = LINE_EVERY_S):
        self.every_s = every_s
        self._stream = stream

    def show(self, line: str) -> None:
        """Add a line, with the time of day."""
        self._stream.write(f"{time.strftime('%H:%M:%S')} {line}\n")
        self._stream.flush()

    close = show


class LiveLine:
    """A terminal: one line at the bottom that is written over, below whatever `handlers` log in the meantime."""

    every_s = LIVE_EVERY_S

    def __init__(self, stream: TextIO, handlers: Sequence[logging.StreamHandler] = ()):
        from rich.console import Console
        from rich.file_proxy import FileProxy
        from rich.live import Live

        console = Console(file=stream)
        self._live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False)
        self._streams = [(handler, handler.stream) for handler in handlers]
        self._live.start()
        for handler, original in self._streams:
            handler.setStream(FileProxy(console, original))

    def show(self, line: str) -> None:
        """Write the line over the one before."""
        from rich.text import Text

        text = Text(line)
        text.highlight_regex(r"\b[1-9][0-9]* failed", "bold red")
        self._live.update(text, refresh=True)

    def close(self, line: str) -> None:
        """Take the line away: what follows says it all."""
        for handler, original in self._streams:
            handler.setStream(original)
        self._live.stop()


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream ends at a terminal that can write over a line."""
    return stream.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")


class Progress:
    """Shows the state of a run from `start` to `stop`, in a thread that ends with the process."""

    def __init__(self, state: ProgressState, display: Display):
        self._state = state
        self._display = display
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    def start(self) -> None:
        """Start to show."""
        self._thread.start()

    def stop(self) -> None:
        """Show the end and stop; once more does nothing."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._thread.join()
        self._show(self._display.close)

    def _watch(self) -> None:
        while not self._stopped.wait(self._display.every_s):
            self._show(self._display.show)

    def _show(self, show: Any) -> None:
        # A terminal that is gone, or a journal that cannot be read, must not end the run.
        with suppress(OSError, ValueError):
            self._state.read()
            show(self._state.line(time.time()))

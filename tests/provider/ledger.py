"""The ledger: what was asked, what was answered, and how many calls there were at once."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Call:
    """One request and what became of it; times are Unix seconds.

    `answered_by` is `default`, a rule's name, `over rate`, `over concurrency`, `bad request` or `not found`. `ended`
    is `in flight`, `replied`, `reset` (on purpose, also after a hang), `cut` (closed within the body, on purpose),
    `server down`, `client gone` or `server error` (a bug here: see what `stop` prints). `reply_sent` tells whether the
    reply's last byte was handed to the socket: a client that was killed in that instant may not have seen it, so
    compare `ended_at` with the time of the kill.
    """

    sequence: int
    received_at: float
    path: str
    headers: dict[str, str]
    key_came: bool
    key_correct: bool
    model: str | None
    seed: int | None
    prompt: str
    body: Any
    body_sha256: str
    answered_by: str = "default"
    status: int | None = None
    ended: str = "in flight"
    reply_sent: bool = False
    ended_at: float | None = None


@dataclass(slots=True)
class Stats:
    """Counts since the start or the last reset; `in_flight`, `connections`, `cpu_s` are of the server as it is now."""

    calls: int = 0
    replies_sent: int = 0
    in_flight: int = 0
    peak_in_flight: int = 0
    peak_calls_per_window: int = 0
    window_s: float = 60.0
    connections: int = 0
    answered_by: Counter[str] = field(default_factory=Counter)
    first_received_at: float | None = None
    last_ended_at: float | None = None
    cpu_s: float = 0.0


class RollingWindow:
    """Counts events of the last `seconds`, by a clock that nobody can set back."""

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._times: deque[float] = deque()

    def count(self) -> int:
        """Return how many events there were in the window that ends now."""
        oldest = time.monotonic() - self._seconds
        while self._times and self._times[0] <= oldest:
            self._times.popleft()
        return len(self._times)

    def add(self) -> None:
        """Count one event, now."""
        self._times.append(time.monotonic())

    def until_next_free(self) -> float:
        """Return the seconds until the oldest event leaves the window; 0 if there is none."""
        return max(0.0, self._times[0] + self._seconds - time.monotonic()) if self._times else 0.0


class Ledger:
    """All calls, in memory and, as each one ends, as a line of a JSONL file.

    A finished call is kept as the bytes of its line: a benchmark's many calls then cost the garbage collector nothing.
    """

    def __init__(self, file: Path | None, keep_bodies: bool, window_s: float):
        self._file = file.open("ab", buffering=0) if file else None
        self._keep_bodies = keep_bodies
        self._window_s = window_s
        self._open: dict[int, Call] = {}
        self._lines: list[bytes] = []
        self._last_sequence = 0
        self._window = RollingWindow(window_s)
        self.stats = Stats(window_s=window_s)

    def next_sequence(self) -> int:
        """Return the next call's number; the first is 1, and a number is never given twice."""
        self._last_sequence += 1
        return self._last_sequence

    def open(self, call: Call) -> None:
        """Record that a call has come."""
        self._open[call.sequence] = call
        self._window.add()
        stats = self.stats
        stats.calls += 1
        stats.in_flight += 1
        stats.peak_in_flight = max(stats.peak_in_flight, stats.in_flight)
        stats.peak_calls_per_window = max(stats.peak_calls_per_window, self._window.count())
        stats.first_received_at = stats.first_received_at or call.received_at

    def close(self, call: Call, ended: str, status: int | None, reply_sent: bool) -> None:
        """Record how a call ended; `call` may say more than it did when it was opened."""
        self.stats.in_flight -= 1
        if self._open.pop(call.sequence, None) is None:  # it came before the ledger was reset
            return
        now = time.time()
        self.stats.last_ended_at = now
        self.stats.replies_sent += reply_sent
        self.stats.answered_by[call.answered_by] += 1
        self._write(replace(call, ended=ended, status=status, reply_sent=reply_sent, ended_at=now))

    def reset(self) -> None:
        """Forget all calls, also those in flight, and the counts; empty the file."""
        self._open.clear()
        self._lines.clear()
        self._window = RollingWindow(self._window_s)
        self.stats = Stats(window_s=self._window_s, in_flight=self.stats.in_flight)
        if self._file:
            os.ftruncate(self._file.fileno(), 0)

    def as_json(self) -> bytes:
        """Return all calls as a JSON list: those that ended in the order of their end, then those in flight."""
        in_flight = [self._line(call) for call in self._open.values()]
        return b"[" + b",".join(self._lines + in_flight) + b"]"

    def finish(self) -> None:
        """Write the calls that are still in flight, and close the file."""
        for call in self._open.values():
            self._write(call)
        self._open.clear()
        if self._file:
            self._file.close()

    def _write(self, call: Call) -> None:
        line = self._line(call)
        self._lines.append(line)
        if self._file:
            self._file.write(line)

    def _line(self, call: Call) -> bytes:
        kept = call if self._keep_bodies else replace(call, body=None, prompt="", headers={})
        # What orjson returns holds on to ten times its size; the sum is a new object of the right size.
        return orjson.dumps(kept) + b"\n"

"""How a run goes, while it goes: one live line on a terminal, a line a minute elsewhere, all from the journal."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from daydreaming.base.amounts import duration, short_count, usd
from daydreaming.ledger.tally import SUCCESSES, JournalTail, RunTally
from daydreaming.watch.outcomes import HELD_BACK, WAITING
from daydreaming.watch.screen import Screen

CALLS_WINDOW_S, FINISHED_WINDOW_S = 60, 600
_BETWEEN = " | "


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

    def __init__(self, tail: JournalTail, run_id: str, totals: Mapping[str, int]):
        self._tail = tail
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

    def line(self, now: float, columns: int | None = None) -> str:
        """The state in one line that fits into so many columns; `now` in Unix seconds."""
        tally = self._tally
        since = now if self._first is None else self._first
        # Each part with its rank: where not all have room, those of the highest number are left out.
        return fitting_line(
            [
                (0, ", ".join(map(self._stage, filter(self._is_shown, self._stages())))),
                (4, f"{self._calls.per_second(now, since):.1f} calls/s"),
                (5, f"{tally.in_flight} in flight"),
                (6, f"{short_count(tally.prompt_tokens + tally.completion_tokens)} tokens"),
                (2, _cost(tally)),
                (1, f"{self._failed()} failed"),
                (3, self._time_left(now, since)),
            ],
            columns,
        )

    def _stages(self) -> Iterable[str]:
        """The stages that are planned, in their order, and those that are made nevertheless."""
        return dict.fromkeys((*self._totals, *(stage for stage, _ in self._tally.counts)))

    def _is_shown(self, stage: str) -> bool:
        counts = self._tally.counts
        return bool(
            self._totals.get(stage) or any(number for (of_stage, _), number in counts.items() if of_stage == stage)
        )

    def _stage(self, stage: str) -> str:
        total = self._totals.get(stage)
        return f"{stage} {self._tally.succeeded(stage)}" + (f"/{total}" if total else "")

    def _failed(self) -> int:
        passed = (*SUCCESSES, HELD_BACK, WAITING)
        return sum(number for (_, result), number in self._tally.counts.items() if result not in passed)

    def _time_left(self, now: float, since: float) -> str:
        remaining = sum(self._totals.values()) - sum(self._tally.counts.values())
        rate = self._finished.per_second(now, since)
        return f"{duration(remaining / rate)} left" if rate > 0 and remaining >= 0 else "- left"


def fitting_line(parts: Sequence[tuple[int, str]], columns: int | None) -> str:
    """Join parts, each with its rank, in a line; parts of the lowest rank (the highest number) go where it is too long.

    What is too long even alone is cut. `columns` None: a line of any length.
    """
    kept = list(parts)
    while columns is not None and len(kept) > 1 and len(_joined(kept)) > columns:
        kept.remove(max(kept))
    line = _joined(kept)
    return line if columns is None or len(line) <= columns else f"{line[: columns - 1]}…"


def _joined(parts: Sequence[tuple[int, str]]) -> str:
    return _BETWEEN.join(text for _, text in parts)


def _cost(tally: RunTally) -> str:
    if tally.unpriced_calls and tally.unpriced_calls == tally.ended_calls:
        return "cost unknown"
    return f"{'at least ' if tally.unpriced_calls else ''}{usd(tally.cost_usd)}"


class Progress:
    """Shows the state of a run from `start` to `stop`, in a thread that ends with the process."""

    def __init__(self, state: ProgressState, screen: Screen):
        self._state = state
        self._screen = screen
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    def start(self) -> None:
        """Start to show."""
        self._thread.start()

    def stop(self) -> None:
        """Show the end and stop: a terminal loses its line, for what follows says it all. Once more does nothing."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._thread.join()
        self._try(self._screen.remove_line if self._screen.is_terminal else self._show)

    def _watch(self) -> None:
        while not self._stopped.wait(self._screen.every_s):
            self._try(self._show)

    def _show(self) -> None:
        self._state.read()
        now, columns = time.time(), self._screen.columns
        if columns is None:
            self._screen.show(f"{time.strftime('%H:%M:%S')} {self._state.line(now)}")
        else:
            # A full last column would make some terminals begin a new line.
            self._screen.show(self._state.line(now, columns - 1))

    def _try(self, action: Callable[[], None]) -> None:
        # A terminal that is gone, or a journal that cannot be read, must not end the run.
        with suppress(OSError, ValueError):
            action()

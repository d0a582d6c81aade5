"""Tells Snakemake of generations in bunches: it looks at all that is ready whenever it is told of one."""

from __future__ import annotations

import threading
from collections.abc import Callable

from daydreaming.generation.runner_messages import Failure

Results = list[tuple[int, Failure | None]]


class Reporter:
    """Gathers results as they come, and passes them on from a thread of its own, together."""

    def __init__(self, tell: Callable[[Results], None], every_s: float):
        self._tell = tell
        self._every_s = every_s
        self._results: Results = []
        self._guard = threading.Lock()
        self._wanted = threading.Event()
        self._stopped = threading.Event()
        self._runs_short: Callable[[], bool] = lambda: False
        self._thread = threading.Thread(target=self._work, name="reporter", daemon=True)

    def start(self, runs_short: Callable[[], bool]) -> None:
        """Start to pass on; at once where the runner runs short of generations."""
        self._runs_short = runs_short
        self._thread.start()

    def take(self, ticket: int, failure: Failure | None) -> None:
        """Take the result of a generation. Called by the thread that reads them."""
        with self._guard:
            self._results.append((ticket, failure))
        if self._runs_short():
            self._wanted.set()

    def stop(self) -> None:
        """Pass on what is left, and end."""
        self._stopped.set()
        self._wanted.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopped.is_set():
            self._wanted.wait(self._every_s)
            self._wanted.clear()
            with self._guard:
                results, self._results = self._results, []
            if results:
                self._tell(results)
        with self._guard:
            rest, self._results = self._results, []
        self._tell(rest)

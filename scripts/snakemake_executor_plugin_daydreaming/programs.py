"""The other programs of the workflow, each as a process, some at a time."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Programs:
    """Runs commands in threads that wait for them."""

    def __init__(self, at_a_time: int):
        self._pool = ThreadPoolExecutor(max(at_a_time, 1), thread_name_prefix="programs")
        self._guard = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def start(self, command: str, tell: Callable[[str | None], None]) -> None:
        """Start a command; `tell` gets None when it has ended well, else what went wrong."""
        self._pool.submit(self._run, command, tell)

    def stop(self) -> None:
        """Ask all that run to end (SIGTERM), and start none any more."""
        with self._guard:
            self._stopped = True
            for process in self._running:
                process.terminate()

    def close(self) -> None:
        """Wait for what runs."""
        self._pool.shutdown()

    def _run(self, command: str, tell: Callable[[str | None], None]) -> None:
        try:
            code = self._code_of(["bash", "-euo", "pipefail", "-c", command])
            failure = f"The command ended with exit code {code}." if code else None
        except OSError as error:
            failure = f"The command could not be started: {error}."
        tell(failure)

    def _code_of(self, words: list[str]) -> int:
        with self._guard:
            if self._stopped:
                return 1
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL)
            self._running.add(process)
        try:
            return process.wait()
        finally:
            with self._guard:
                self._running.discard(process)

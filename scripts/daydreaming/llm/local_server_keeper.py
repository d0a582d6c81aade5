"""The keeper of a local server: a process that starts it, sees it end, and ends it when nobody uses it any more.

Started by `daydreaming.llm.local_server`, which writes one JSON line to its standard input: `folder`, `command`, `log`.
It belongs to no run: runs come and go, and the server ends with the last that uses it, however that ended.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from daydreaming.llm.server_folder import ServerFolder, ServerState

CHECK_S = 0.2
# After SIGTERM, before SIGKILL.
END_S = 5.0
CLAIM_S = 1.0
PR_SET_PDEATHSIG = 1


def main() -> int:
    """Become the keeper, and keep the server in a process of its own; nothing is done where there is a keeper."""
    orders = json.loads(sys.stdin.buffer.readline())
    folder = ServerFolder(Path(orders["folder"]))
    claim = _claim(folder)
    if claim is None:
        return 0
    folder.write_state(None)
    # The claim goes over to the child, which is nobody's child any more when this process has ended.
    if os.fork():
        os._exit(0)
    # Where all processes of a job get a signal, its calls are to end in peace. The server would inherit SIG_IGN.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    try:
        _keep(folder, claim, orders["command"], orders["log"])
    except Exception as error:
        folder.write_state(ServerState(0, orders["log"], f"could not be kept ({type(error).__name__}: {error})"))
        raise
    return 0


def _claim(folder: ServerFolder) -> int | None:
    """Become the keeper, if there is none. Who only looks whether there is one is in the way for a moment."""
    deadline = time.monotonic() + CLAIM_S
    while (claim := folder.claim()) is None and time.monotonic() < deadline:
        time.sleep(CHECK_S / 20)
    return claim


def _keep(folder: ServerFolder, claim: int, words: list[str], log: str) -> None:
    """Start the server and stay until it has ended or nobody uses it any more."""
    port = _free_port()
    command = [word.replace("{port}", str(port)) for word in words]
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {shlex.join(command)}", file=sys.stderr, flush=True)
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_end_with_the_keeper
        )
    except OSError as error:
        folder.write_state(ServerState(port, log, f"could not be run: {command[0]!r}, {error.strerror}"))
        return
    folder.write_state(ServerState(port, log))
    while True:
        with suppress(subprocess.TimeoutExpired):
            status = process.wait(CHECK_S)
            # What it started itself is in its process group.
            _signal_group(process, signal.SIGKILL)
            folder.write_state(ServerState(port, log, _ended(status)))
            return
        with folder.if_unused() as unused:
            if unused:
                _end(process)
                folder.write_state(None)
                # Before the next user looks: it would wait for the server of a keeper that is only still ending.
                os.close(claim)
                return


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _end_with_the_keeper() -> None:
    """Have the kernel end this process when the thread ends that started it: here the only one that the keeper has."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    _signal_group(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(END_S)
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _ended(status: int) -> str:
    return f"ended by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"


if __name__ == "__main__":
    sys.exit(main())

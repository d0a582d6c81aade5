"""Python programs as processes of their own that need not import what they use: they are forked from one that has.

An interpreter takes a second of CPU to import Snakemake, as long for the packages that make calls, two for those of the
report, and a test that runs the workflow starts several of each. `program_server` is forked instead, also for what the
workflow starts (`forked_python`). A forked program is what a started one is (arguments, environment, folder, open
files, output, exit code), but for four things: the imports are done, the order of sets is that of all programs of the
same origin, limits of the process that asks do not reach it, and it is killed when the process that asks for it ends.
`Study.command` starts programs; it is for tests to which one of these matters.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Lock

SERVER = Path(__file__).with_name("program_server.py")
_STARTING = Lock()


def run_forked(
    program: Path, arguments: Sequence[str], folder: Path, variables: Mapping[str, str], timeout_s: float
) -> tuple[int, str]:
    """Run a Python program in a folder; returns its exit code and all that it has printed. TimeoutError ends it."""
    with (
        tempfile.NamedTemporaryFile() as output,
        Path(os.devnull).open("rb") as nothing,
        socket.socket(socket.AF_UNIX) as connection,
    ):
        connection.settimeout(timeout_s)
        with _STARTING:
            address = _address()
        connection.connect(address)
        request = {"words": [str(program), *arguments], "folder": str(folder), "variables": dict(variables)}
        socket.send_fds(connection, [b"+"], [nothing.fileno(), output.fileno(), output.fileno()])
        connection.sendall(json.dumps({**request, "numbers": [0, 1, 2]}).encode() + b"\n")
        try:
            code = connection.recv(100)
        except TimeoutError:
            raise TimeoutError(
                f"{program.name} took more than {timeout_s} s:\n{Path(output.name).read_text()}"
            ) from None
        if not code:
            raise RuntimeError(f"the server of programs ended before {program.name} did")
        return int(code), Path(output.name).read_bytes().decode("utf-8", errors="replace")


@cache
def _address() -> str:
    """The address of this process's server, which is started for the first program."""
    folder = tempfile.TemporaryDirectory(prefix="programs-")
    address = str(Path(folder.name) / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(100)
        number = listener.fileno()
        # It ends with its standard input: with this process.
        server = subprocess.Popen(
            [sys.executable, "-P", str(SERVER), str(number), address],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[number],
        )

    def end() -> None:
        assert server.stdin is not None
        server.stdin.close()
        server.wait()
        folder.cleanup()

    atexit.register(end)
    return address

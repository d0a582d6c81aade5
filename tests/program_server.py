"""Becomes the programs that it is asked for, each in a process that is forked for it: see `forked_programs`.

    python program_server.py LISTENING_SOCKET_NUMBER ITS_ADDRESS

A request is a line of JSON (`words`: a program, or `-m` and a module, with its arguments; `folder`; `variables`;
`numbers` of open files) behind one byte that brings the files. The answer is the exit code.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

CLIENT = Path(__file__).with_name("forked_python.py")
ADDRESS = "DAYDREAMING_TESTS_PROGRAMS"
SNAKEMAKE = "snakemake"
# What a program imports before it makes anything. The first one of its name has this server import it.
TABLES = ("pandas", "daydreaming.results.score_table")
FIGURES = (*TABLES, "scipy.stats", "mixedlm.models", "daydreaming.results.statistics.analysis")
IMPORTED: dict[str, tuple[str, ...]] = {
    SNAKEMAKE: (
        "snakemake.cli",
        "snakemake.report.html_reporter",
        "smart_open",
        "daydreaming.workflow.cohort_graph",
        "daydreaming.workflow.workflow_run",
        "snakemake_executor_plugin_daydreaming",
        "snakemake_logger_plugin_daydreaming",
        "openai",  # batches are ordered by Snakemake's own process
        "anthropic",
    ),
    "run_stage.py": ("daydreaming.workflow.stage_service", "daydreaming.llm.transport", "daydreaming.llm.connection"),
    "aggregate_scores.py": TABLES,
    "build_pivot_tables.py": TABLES,
    "write_statistics.py": FIGURES,
    "write_report.py": (*FIGURES, "altair", "jinja2", "narwhals", "pyarrow", "daydreaming.results.report.page"),
    "write_pages.py": ("daydreaming.results.pages.folder",),
}
FIRST_OF_THE_SERVER = 1000  # open files of the server get numbers above those that a program may want


class ProgramServer:
    """Forks a process for each request, and tells whoever asked how it ended."""

    def __init__(self, listener: socket.socket, address: str):
        self._listener, self._address = listener, address
        self._asking: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, wake = socket.socketpair()
        wake.setblocking(False)
        self._wake = wake

    def serve(self) -> None:
        """Serve until standard input ends."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno())
        self._selector.register(0, selectors.EVENT_READ, self._end)
        self._selector.register(self._woken, selectors.EVENT_READ, self._reap)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        while True:
            for key, _ in self._selector.select():
                key.data()

    def _end(self) -> None:
        for process_id in self._asking:
            os.kill(process_id, signal.SIGKILL)
        os._exit(0)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        files: list[int] = []
        try:
            _, files, *_ = socket.recv_fds(connection, 1, 100)
            with connection.makefile("rb") as lines:
                request = json.loads(lines.readline())
        except (OSError, ValueError):  # who asks was killed before all was said
            connection.close()
        else:
            self._fork(request, files, connection)
        for number in files:
            os.close(number)

    def _fork(self, request: dict[str, Any], files: list[int], connection: socket.socket) -> None:
        name = program_name(request["words"])
        for module in IMPORTED.get(name, ()):
            importlib.import_module(module)
        gc.freeze()
        process_id = os.fork()
        if process_id == 0:
            be(request, files, self._address if name == SNAKEMAKE else "")
        self._asking[process_id] = connection
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._give_up(process_id))

    def _give_up(self, process_id: int) -> None:
        """Nobody waits for it any more."""
        if process_id in self._asking:
            self._selector.unregister(self._asking[process_id])
            os.kill(process_id, signal.SIGKILL)

    def _reap(self) -> None:
        self._woken.recv(1000)
        while self._asking:
            process_id, status = os.waitpid(-1, os.WNOHANG)
            if process_id == 0:
                return
            connection = self._asking.pop(process_id)
            with suppress(KeyError):
                self._selector.unregister(connection)
            with suppress(OSError):
                connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
            connection.close()


def program_name(words: list[str]) -> str:
    """The name of the program that these words start."""
    return words[1] if words[0] == "-m" else Path(words[0]).name


def be(request: dict[str, Any], files: list[int], address: str) -> None:
    """Be the program, in the process that was forked for it. Ends the process."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        take_files(files, request["numbers"])
        os.environ.clear()
        os.environ.update(request["variables"])
        os.chdir(request["folder"])
        if address:
            fork_what_is_started(address)
        code = exit_code_of(request["words"])
        threading._shutdown()  # what a started program waits for, and does, at its end
        atexit._run_exitfuncs()
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def take_files(files: list[int], numbers: list[int]) -> None:
    """Give the files that came with a request the numbers that they have where they came from; close all others."""
    import fcntl

    above = [fcntl.fcntl(number, fcntl.F_DUPFD, FIRST_OF_THE_SERVER) for number in files]
    os.closerange(0, min(above))
    for number, wanted in zip(above, numbers, strict=True):
        os.dup2(number, wanted)
    os.closerange(min(above), max(above) + 1)


def exit_code_of(words: list[str]) -> int:
    """Run a program, or a module, as the main one; returns its exit code."""
    own = [path for path in sys.path if path != str(Path(__file__).parent)]
    try:
        if words[0] == "-m":
            sys.path[:], sys.argv = ["", *own], words[1:]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.path[:], sys.argv = [str(Path(words[0]).parent), *own], words
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def fork_what_is_started(address: str) -> None:
    """From now on, this process starts `forked_python` in place of its interpreter, also in commands for a shell."""
    os.environ[ADDRESS] = address
    client = [sys.executable, "-IS", str(CLIENT)]

    class Started(subprocess.Popen):
        def __init__(self, args: Any, *rest: Any, **options: Any):
            super().__init__(_by_client(args), *rest, **options)

    def _by_client(args: Any) -> Any:
        if isinstance(args, str):
            return args.replace(f"{shlex.quote(sys.executable)} ", f"{shlex.join(client)} ")
        if args[0] == sys.executable:
            return [*client, *args[1:]]
        return [_by_client(word) if isinstance(word, str) else word for word in args]

    subprocess.Popen = Started


if __name__ == "__main__":
    ProgramServer(socket.socket(fileno=int(sys.argv[1])), sys.argv[2]).serve()

"""A runner in a process of its own, for a Snakemake that makes thousands of generations.

Snakemake and the runner each need several milliseconds of Python for a generation. In one process they wait for each
other's interpreter lock; in two, each has a core. The two talk over a socket: pickled messages, each behind its length.
What is paid for is safe in the runner's process: when Snakemake is killed, the calls in flight end, and are kept.
"""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from daydreaming.base.errors import FailureKind, GenerationError, RunStoppedError
from daydreaming.generation.specification import Specification
from daydreaming.inputs.settings import Settings

if TYPE_CHECKING:
    from daydreaming.generation.runner import Runner

LENGTH = struct.Struct("!I")
LARGEST_READ_BYTES = 1 << 20
# The message that is no generation.
STOP_CALLING = "stop calling"


class RunnerProcess:
    """Makes generations in another process, which starts at once. Thread-safe.

    The arguments are those of Runner. The process has the working folder that this one has now. What is asked of it is
    sent by a thread: Ctrl-C may interrupt whoever asks, but never a message half sent.
    """

    def __init__(self, settings: Settings, run_id: str, calls_in_flight: int):
        ours, theirs = socket.socketpair()
        with theirs:
            # -P: a file of the user's in the current folder must not shadow a module of the process.
            command = [sys.executable, "-P", "-m", "daydreaming.generation.runner_process", str(theirs.fileno())]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        self._socket = ours
        self._guard = threading.Lock()
        self._pending: dict[int, Future[None]] = {}
        self._has_ended = False
        self._outbox: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._outbox.put(partial(self._send, (settings, run_id, calls_in_flight)))
        self._threads = [
            threading.Thread(target=target, name=target.__name__.strip("_"), daemon=True)
            for target in (self._write_messages, self._read_results)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def process_id(self) -> int:
        """The id of the process that makes the generations."""
        return self._process.pid

    def submit(self, specification: Specification) -> Future[None]:
        """Start making a generation.

        The future raises GenerationError when it failed (see Runner.run), or RunStoppedError.
        """
        future: Future[None] = Future()
        self._outbox.put(partial(self._ask, specification, future))
        return future

    def stop_calling(self) -> None:
        """Start no call any more; those in flight go on, and so do generations that need none."""
        self._outbox.put(partial(self._send, STOP_CALLING))

    def wait(self) -> None:
        """Wait until nothing is being made any more."""
        all_asked: Future[None] = Future()
        self._outbox.put(partial(all_asked.set_result, None))
        all_asked.result()
        with self._guard:
            pending = list(self._pending.values())
        for future in pending:
            future.exception()

    def close(self) -> None:
        """End the process when nothing is being made any more."""
        self._outbox.put(None)
        for thread in self._threads:
            thread.join()
        self._process.wait()
        self._socket.close()

    def kill(self) -> None:
        """Give up the calls in flight."""
        self._process.kill()

    def _write_messages(self) -> None:
        """Do what is in the outbox, one after the other, until it is closed."""
        while (step := self._outbox.get()) is not None:
            step()
        with suppress(OSError):  # the process may have ended by itself
            self._socket.shutdown(socket.SHUT_WR)

    def _ask(self, specification: Specification, future: Future[None]) -> None:
        with self._guard:
            has_ended = self._has_ended
            self._pending[id(future)] = future
        if has_ended:
            self._abandon()
        self._send((id(future), specification))

    def _send(self, message: Any) -> None:
        content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        # A process that has ended is noticed by `_read_results`, which tells everybody.
        with suppress(OSError):
            self._socket.sendall(LENGTH.pack(len(content)) + content)

    def _read_results(self) -> None:
        try:
            with self._socket.makefile("rb", LARGEST_READ_BYTES) as stream:
                while len(length := stream.read(LENGTH.size)) == LENGTH.size:
                    self._take(*pickle.loads(stream.read(LENGTH.unpack(length)[0])))
        finally:
            # Whatever happened: nobody may wait for ever.
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            with self._guard:
                self._has_ended = True
            self._abandon()

    def _take(self, number: int, error: Exception | None, trace: str) -> None:
        """Take what came of a generation."""
        with self._guard:
            future = self._pending.pop(number)
        if error is None:
            future.set_result(None)
        else:
            error.add_note(trace)
            future.set_exception(error)

    def _abandon(self) -> None:
        """Fail what waits for a process that has ended."""
        with self._guard:
            abandoned, self._pending = self._pending, {}
        for future in abandoned.values():
            status = self._process.wait()
            message = f"The process that makes the generations has ended (exit status {status}). Run again."
            future.set_exception(GenerationError(FailureKind.INTERNAL, message))


async def serve(connection: socket.socket) -> None:
    """Make the generations that are asked for over a socket, until it is closed at its other end.

    Then no call is started any more. Those in flight end, and what they bring is kept.
    """
    from daydreaming.generation.runner import Runner

    reader, writer = await asyncio.open_connection(sock=connection)
    runner = Runner(*await _receive(reader))
    runner.import_packages()
    # What is there now stays: the search for garbage need not look at it again.
    gc.freeze()
    making: set[asyncio.Task[None]] = set()
    while (message := await _receive(reader)) is not None:
        if message == STOP_CALLING:
            runner.stop_calling()
            continue
        task = asyncio.create_task(_make(runner, *message, writer))
        making.add(task)
        task.add_done_callback(making.discard)
    runner.stop_calling()
    await asyncio.gather(*making, return_exceptions=True)
    await runner.finish()


async def _receive(reader: asyncio.StreamReader) -> Any:
    """The next message; None at the end."""
    try:
        length = await reader.readexactly(LENGTH.size)
        return pickle.loads(await reader.readexactly(LENGTH.unpack(length)[0]))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def _make(runner: Runner, number: int, specification: Specification, writer: asyncio.StreamWriter) -> None:
    """Make a generation and say how it went."""
    error, trace = None, ""
    try:
        await runner.make(specification)
    except asyncio.CancelledError:
        error = RunStoppedError()
    except GenerationError as failure:
        error, trace = failure, "".join(traceback.format_exception(failure))
    if writer.is_closing():
        return  # nobody is there any more to be told
    content = pickle.dumps((number, error, trace), pickle.HIGHEST_PROTOCOL)
    writer.write(LENGTH.pack(len(content)) + content)


def main(argv: list[str]) -> None:
    """Serve over the inherited socket with the given number."""
    # Ctrl-C, and a signal to the whole group, reach this process too. It ends after the one that started it, and not
    # before what is paid for is kept. Functions and not SIG_IGN, which the embedded model's server would inherit.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    connection = socket.socket(fileno=int(argv[0]))
    os.set_inheritable(connection.fileno(), False)
    asyncio.run(serve(connection))
    # All is written and closed. To take the interpreter apart would keep Snakemake waiting for a quarter of a second.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])

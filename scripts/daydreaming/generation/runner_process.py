"""A process that makes generations for another one: it is asked with the arguments of a command, thousands of times.

Snakemake and the runner each need several milliseconds of Python for a generation. In one process they wait for each
other's interpreter lock; in two, each has a core. They talk over a socket (see `runner_messages`).
What is paid for is safe in the runner's process: when Snakemake is killed, the calls in flight end, and are kept.
This is the end that asks; `runner_service` is the end that makes.
"""

from __future__ import annotations

import pickle
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any

from daydreaming.generation.runner_messages import (
    LENGTH,
    Asked,
    Ended,
    Failure,
    Loaded,
    RunEnd,
    StopCalling,
    packed,
)
from daydreaming.generation.started_runner import StartedRunner

LARGEST_READ_BYTES = 1 << 20


class RunnerProcess:
    """Has generations made in a process that was started for it. Thread-safe.

    Each result goes to `on_result`, once for each ticket whatever happens to the process, from a thread of this object.
    What is asked is sent by a thread: Ctrl-C may interrupt whoever asks, but never a message half sent. `on_loaded` is
    called with the path of the cohort's journal when calls may start.
    """

    def __init__(
        self,
        started: StartedRunner,
        on_result: Callable[[int, Failure | None], None],
        on_loaded: Callable[[str], None] = lambda journal: None,
    ):
        self._process, self._socket = started.handed_over().process, started.socket
        self._calls_in_flight = started.calls_in_flight
        self._on_result = on_result
        self._on_loaded = on_loaded
        self._ended: SimpleQueue[str] = SimpleQueue()
        self._changed = threading.Condition()
        self._pending: set[int] = set()
        self._has_ended = False
        self._outbox: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
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

    def submit(self, ticket: int, arguments: Sequence[str]) -> None:
        """Have a generation made: `arguments` are those of run_stage.py."""
        with self._changed:
            has_ended = self._has_ended
            if not has_ended:
                self._pending.add(ticket)
        if has_ended:
            self._on_result(ticket, self._end_of_process())
        else:
            self._outbox.put(partial(self._send, Asked(ticket, tuple(arguments))))

    def runs_short(self) -> bool:
        """Whether calls may soon have to wait for generations that are not asked for yet."""
        return len(self._pending) < 2 * self._calls_in_flight

    def stop_calling(self) -> None:
        """Start no call any more; those in flight go on, and so do generations that need none."""
        self._outbox.put(partial(self._send, StopCalling()))

    def wait(self) -> None:
        """Wait until nothing is being made any more."""
        with self._changed:
            self._changed.wait_for(lambda: not self._pending)

    def end(self, run: RunEnd) -> str:
        """Wait until nothing is being made any more, and return what the run came to; "" if the process has ended."""
        self._outbox.put(partial(self._send, run))
        return self._ended.get()

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

    def _send(self, message: Any) -> None:
        # A process that has ended is noticed by `_read_results`, which tells everybody.
        with suppress(OSError):
            self._socket.sendall(packed(message))

    def _read_results(self) -> None:
        try:
            with self._socket.makefile("rb", LARGEST_READ_BYTES) as stream:
                while len(length := stream.read(LENGTH.size)) == LENGTH.size:
                    self._heed(pickle.loads(stream.read(LENGTH.unpack(length)[0])))
        except (OSError, EOFError, pickle.UnpicklingError):
            # A message cut in the middle: what this process makes would be told to nobody.
            self._process.kill()
        finally:
            self._abandon()

    def _heed(self, message: Any) -> None:
        if isinstance(message, Loaded):
            self._on_loaded(message.journal)
        elif isinstance(message, Ended):
            self._ended.put(message.text)
        else:
            self._take(message.ticket, message.failure)

    def _take(self, ticket: int, failure: Failure | None) -> None:
        """Take what came of a generation."""
        with self._changed:
            self._pending.discard(ticket)
        self._on_result(ticket, failure)
        with self._changed:
            self._changed.notify_all()

    def _abandon(self) -> None:
        """Fail what waits for a process that has ended: nobody may wait for ever."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with self._changed:
            self._has_ended = True
            abandoned, self._pending = self._pending, set()
        for ticket in abandoned:
            self._on_result(ticket, self._end_of_process())
        with self._changed:
            self._changed.notify_all()
        self._ended.put("")

    def _end_of_process(self) -> Failure:
        status = self._process.wait()
        return Failure(f"The process that makes the generations has ended (exit status {status}). Run again.")

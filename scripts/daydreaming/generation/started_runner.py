"""The start of a process that makes generations: it loads its cohort while nobody asks it for anything yet."""

from __future__ import annotations

import socket
import subprocess
import weakref
from collections.abc import Sequence
from contextlib import suppress

from daydreaming.generation.runner_messages import Load, RunOptions, packed

# The option of run_stage.py that makes it serve.
SERVE = "--serve"


class StartedRunner:
    """A process that was told of its run and its cohort, and loads it. It makes nothing before it is asked to.

    `program` is interpreter and script, `arguments` those of run_stage.py that all generations of the run have. A
    RunnerProcess asks it; where none does, it ends with this object, or with the interpreter.
    """

    def __init__(self, program: Sequence[str], arguments: Sequence[str], run_id: str, calls_in_flight: int):
        self.program, self.arguments = tuple(program), tuple(arguments)
        self.run_id, self.calls_in_flight = run_id, calls_in_flight
        self.socket, theirs = socket.socketpair()
        with theirs:
            # -P: a file of the user's in the current folder must not shadow a module of the process.
            interpreter, script = program
            command = [interpreter, "-P", script, SERVE, str(theirs.fileno())]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        self._end = weakref.finalize(self, _end, self.socket, self.process)
        # Few bytes, which the socket holds until the process reads them. Who asks one that has ended is told so.
        with suppress(OSError):
            self.socket.sendall(packed(RunOptions(run_id, calls_in_flight)) + packed(Load(self.arguments)))

    def fits(self, program: Sequence[str], arguments: Sequence[str]) -> bool:
        """Whether it makes what this program makes with arguments that begin like these."""
        return self.program == tuple(program) and self.arguments == tuple(arguments[: len(self.arguments)])

    def handed_over(self) -> StartedRunner:
        """The same, whose process somebody else ends from now on."""
        self._end.detach()
        return self

    def end(self) -> None:
        """End a process that was asked for nothing. Does nothing to one that was handed over."""
        self._end()


def _end(connection: socket.socket, process: subprocess.Popen[bytes]) -> None:
    """End a process that has made no call: there is nothing to wait for."""
    process.kill()
    process.wait()
    connection.close()

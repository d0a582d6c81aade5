"""The process that makes generations for another one (see `runner_process`): it serves until nobody asks any more."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import signal
import socket
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from daydreaming.base.errors import FailureKind, GenerationError, InputError, RunStoppedError
from daydreaming.generation.runner_messages import (
    LENGTH,
    Asked,
    Ended,
    Failure,
    Load,
    Loaded,
    Result,
    RunEnd,
    RunOptions,
    StopCalling,
    packed,
)


class Maker(Protocol):
    """What a serving process makes generations with."""

    async def make(self, arguments: tuple[str, ...]) -> None:
        """Make a generation; raises GenerationError, InputError, or RunStoppedError (it got no turn for its call)."""

    def journal_of(self, arguments: tuple[str, ...]) -> str:
        """The journal of the cohort that these arguments name; raises InputError."""

    def end(self, run: RunEnd) -> str:
        """What a run came to, in words; nothing is being made any more."""

    def stop_calling(self) -> None:
        """Start no call any more."""

    async def finish(self) -> None:
        """Close what is open; nothing is being made any more."""


def serve(descriptor: int, start: Callable[[RunOptions], Maker]) -> None:
    """Make what is asked for over the inherited socket with this number, until it is closed at its other end.

    Then no call is started any more; those in flight end, and what they bring is kept. Ends the process.
    """
    # Ctrl-C, and a signal to the whole group, reach this process too. It ends after the one that started it, and not
    # before what is paid for is kept. Functions and not SIG_IGN, which the embedded model's server would inherit.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    connection = socket.socket(fileno=descriptor)
    os.set_inheritable(connection.fileno(), False)
    asyncio.run(_serve(connection, start))
    # All is written and closed. To take the interpreter apart would keep Snakemake waiting for a quarter of a second.
    os._exit(0)


async def _serve(connection: socket.socket, start: Callable[[RunOptions], Maker]) -> None:
    reader, writer = await asyncio.open_connection(sock=connection)
    options = await _receive(reader)
    if options is None:
        return
    maker, is_loaded = start(options), False
    making: set[asyncio.Task[None]] = set()
    while (message := await _receive(reader)) is not None:
        if isinstance(message, StopCalling):
            maker.stop_calling()
        elif isinstance(message, RunEnd):
            await asyncio.gather(*making, return_exceptions=True)
            writer.write(packed(Ended(await asyncio.to_thread(maker.end, message))))
        elif isinstance(message, Load):
            is_loaded = _load(maker, message.arguments, writer)
        else:
            is_loaded = is_loaded or _load(maker, message.arguments, writer)
            task = asyncio.create_task(_answer(maker, message, writer))
            making.add(task)
            task.add_done_callback(making.discard)
            # Hundreds of messages may be there already: the calls in flight have their turn between them.
            await asyncio.sleep(0)
    maker.stop_calling()
    await asyncio.gather(*making, return_exceptions=True)
    await maker.finish()


def _load(maker: Maker, arguments: tuple[str, ...], writer: asyncio.StreamWriter) -> bool:
    """Load the cohort with the first generation that is asked for; what is wrong with it, each generation says."""
    try:
        journal = maker.journal_of(arguments)
    except Exception:
        return False
    writer.write(packed(Loaded(journal)))
    # What is there now stays: the search for garbage need not look at it again.
    gc.freeze()
    return True


async def _receive(reader: asyncio.StreamReader) -> Any:
    """The next message; None at the end."""
    try:
        length = await reader.readexactly(LENGTH.size)
        return pickle.loads(await reader.readexactly(LENGTH.unpack(length)[0]))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def _answer(maker: Maker, asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Make a generation and say how it went, whatever went wrong."""
    failure = await failure_of(maker.make(asked.arguments))
    if not writer.is_closing():  # else nobody is there any more to be told
        writer.write(packed(Result(asked.ticket, failure)))


async def failure_of(making: Awaitable[None]) -> Failure | None:
    """Wait for a generation; return how it failed, or None."""
    try:
        await making
    except (asyncio.CancelledError, RunStoppedError):
        return Failure("The run was stopped before its call.", was_stopped=True)
    except (GenerationError, InputError) as error:
        return Failure(str(error), "".join(traceback.format_exception(error)))
    except Exception as error:
        message = str(GenerationError(FailureKind.INTERNAL, f"{type(error).__name__}: {error}."))
        return Failure(message, "".join(traceback.format_exception(error)))
    return None

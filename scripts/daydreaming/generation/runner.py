"""The runner: makes generations, many at a time, in one event loop and a few threads for files."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from daydreaming.base.data_in_use import DataInUse
from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.generation.call_context import answered_together, context_of
from daydreaming.generation.outcome import Outcome, Received
from daydreaming.generation.specification import CallSpecification, Specification
from daydreaming.generation.work import GenerationWork, Steps, Workbench
from daydreaming.inputs.settings import Settings
from daydreaming.ledger.batch_records import BatchRecords
from daydreaming.ledger.journal import Budget, Journal
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.received import Reply
from daydreaming.ledger.replies import ReplyStore
from daydreaming.llm.breakers import AnswerTurn
from daydreaming.llm.client import ModelClient
from daydreaming.llm.tries import milliseconds_since

# Threads that read and write files. More of them fight for the interpreter; fewer wait for a slow disk's fsync.
FILE_THREADS = 4
# And those that only begin: hundreds are asked for at once, and what has its turn must not wait behind all of them.
BEGINNING_THREADS = 2
# Goes on with the work on a generation, which has received something.
_GoOn = Callable[[Received | None], ModelRequest | OSError | None]


class Runner:
    """Makes generations: one for a process, with one client, one reply store, one journal a cohort.

    From an event loop, `make` generations and `finish`. Elsewhere, `run` or `submit` them from any thread, and `close`.
    `calls_in_flight` is the most calls at a time (None: as many as generations, within the endpoints' limits).
    """

    def __init__(self, settings: Settings, run_id: str | None = None, calls_in_flight: int | None = None):
        self._settings = settings
        self._run_id = run_id or uuid.uuid4().hex[:12]
        self._in_use = DataInUse(settings.paths)
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread: threading.Thread | None = None
        self._files = ThreadPoolExecutor(FILE_THREADS, thread_name_prefix="files")
        self._beginning = ThreadPoolExecutor(BEGINNING_THREADS, thread_name_prefix="beginning")
        self._journals: dict[str, Journal] = {}
        self._replies = ReplyStore(settings.paths)
        self._bench = Workbench.for_run(settings, self._replies)
        self._batches = BatchRecords(settings.paths)
        self._client = ModelClient(settings, self._replies, calls_in_flight)

    def run(self, specification: Specification, *, render_only: bool = False, overwrite: bool = False) -> Outcome:
        """Make one generation and write its files.

        By default a result that is there and matches is kept; `overwrite` writes all files again, from the stored reply
        where there is one. `render_only` stops after prompt.txt. Raises GenerationError when the generation failed:
        metadata.json then says how, and there is no parsed.txt. Ctrl-C lets a call in flight finish.
        """
        future = self.submit(specification, render_only=render_only, overwrite=overwrite)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.exception()
            raise

    def submit(self, specification: Specification, **options: bool) -> Future[Outcome]:
        """Start making a generation, with the options of `run`."""
        with self._guard:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._loop_thread = threading.Thread(target=_run, args=(self._loop,), name="generations", daemon=True)
                self._loop_thread.start()
        return asyncio.run_coroutine_threadsafe(self.make(specification, **options), self._loop)

    def close(self) -> None:
        """Close the client, the journals and the threads, when nothing is being made any more."""
        with self._guard:
            loop, self._loop = self._loop, None
            thread, self._loop_thread = self._loop_thread, None
        if loop is not None and thread is not None:
            asyncio.run_coroutine_threadsafe(self._client.close(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
        self._close_files()

    async def finish(self) -> None:
        """Do what `close` does, in the event loop of `make`."""
        await self._client.close()
        self._close_files()

    def import_packages(self) -> None:
        """Import what calls and templates need before there is any: it takes half a second."""
        import jinja2.sandbox  # noqa: F401

        self._client.import_packages()

    def stop_calling(self) -> None:
        """Start no call any more. A generation that needs one is cancelled: nothing is written about it."""
        self._client.stop()

    def _close_files(self) -> None:
        self._beginning.shutdown()
        self._files.shutdown()
        self._replies.close()
        self._in_use.close()
        for journal in self._journals.values():
            journal.close()

    async def make(self, specification: Specification, **options: bool) -> Outcome:
        """Make a generation, with the options of `run`, in an event loop of the caller's, always the same one.

        Whatever goes wrong is a GenerationError.
        """
        try:
            journal, work = self._journal(specification.cohort_id), GenerationWork(specification, self._bench)
        except Exception as error:
            raise _failure_of(error) from error
        # Who only looks at a prompt loses no result by it, and made nothing.
        is_real = not options.get("render_only")
        with self._client.answers.turn(*answered_together(specification)) as turn:
            try:
                go_on = partial(_go_on, work, work.steps(**options), journal if is_real else None)
                not_noted = await self._advance(go_on, specification, journal, turn)
            except Exception as error:
                failure = error if isinstance(error, GenerationError) else _failure_of(error)
                if not specification.is_copy:
                    turn.answered(failure)
                if is_real:
                    await self._in_file_thread(work.fail, failure)
                    if (not_noted := await self._in_file_thread(_note, work, journal)) is not None:
                        raise _failure_of(not_noted) from not_noted
                raise failure from failure.__cause__
            # One that needed no call shows as well that its template works.
            if is_real and not specification.is_copy:
                turn.answered(None)
        if not_noted is not None:
            raise _failure_of(not_noted) from not_noted
        return work.outcome

    async def _advance(
        self, go_on: _GoOn, specification: Specification, journal: Journal, turn: AnswerTurn
    ) -> OSError | None:
        """Go on with the work, call by call, until it is done; returns why the journal could not say so."""
        came = await asyncio.get_running_loop().run_in_executor(self._beginning, go_on, None)
        while isinstance(came, ModelRequest):
            assert isinstance(specification, CallSpecification)
            received = await self._obtain(came, specification, journal, turn)
            came = await self._in_file_thread(go_on, received)
        return came

    async def _obtain(
        self, request: ModelRequest, specification: CallSpecification, journal: Journal, turn: AnswerTurn
    ) -> Received:
        """The reply to a request. Pays at most once, whoever else asks for it."""
        queued = time.perf_counter()
        # Before the request is locked: who holds a turn may wait for the lock, never the other way round.
        await turn.take()
        waited_ms = milliseconds_since(queued)
        async with self._replies.in_flight(request.sha256):
            # Looked for without a thread: it is seldom there.
            if self._may_be_bought(request, specification.endpoint):
                stored = await self._in_file_thread(self._stored, request, specification.endpoint)
                if stored is not None:
                    return Received(stored, reused=True)
            done = await self._client.complete(request, context_of(specification), journal, turn, waited_ms)
            return Received(done.reply, times=done.times)

    def _may_be_bought(self, request: ModelRequest, endpoint: str) -> bool:
        """Whether another run, or a batch, may have bought an answer since its reply was looked for."""
        has_batches = self._batches.are_there() or self._settings.uses_batches(endpoint)
        return has_batches or self._replies.has_answers(request.sha256)

    def _stored(self, request: ModelRequest, endpoint: str) -> Reply | None:
        """The stored reply; None where a single call may buy it. Raises GenerationError where a batch buys it."""
        limit = self._settings.endpoints[endpoint].max_reply_bytes
        if (stored := self._replies.load(request.sha256, limit)) is not None:
            return stored
        had_batches = self._batches.are_there()
        self._check_batches(request, endpoint)
        if not had_batches:
            return None
        # What waited in a batch when its reply was looked for may have been collected since.
        return self._replies.load(request.sha256, limit)

    def _check_batches(self, request: ModelRequest, endpoint: str) -> None:
        """Raise GenerationError where a single call would buy what a batch has bought, or is to buy."""
        self._batches.check_is_not_waiting(request.sha256)
        if not self._settings.uses_batches(endpoint):
            return
        if (problem := self._batches.last_error(request.sha256)) is not None:
            message = f"The provider could not answer it in a batch: {problem.rstrip('.')}. The next run asks again."
            raise GenerationError(FailureKind.API, message)
        raise GenerationError(
            FailureKind.NOT_TRIED,
            "No call was made: its request goes out with a batch, unless this run has said what keeps it "
            "back. Run `snakemake` for its stage, or with `--config batch=false` to call now at the full price.",
        )

    def _journal(self, cohort_id: str) -> Journal:
        if cohort_id not in self._journals:
            budget = Budget(self._settings.budget_usd, self._settings.budget_calls)
            path = self._settings.paths.cohort(cohort_id).journal
            self._journals[cohort_id] = Journal(path, budget, self._run_id, self._replies.cost_usd)
        return self._journals[cohort_id]

    async def _in_file_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._files, function, *arguments)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run an event loop until it is stopped, and close it."""
    try:
        loop.run_forever()
    finally:
        loop.close()


def _go_on(
    work: GenerationWork, steps: Steps, journal: Journal | None, received: Received | None
) -> ModelRequest | OSError | None:
    """Go on with the work until it needs a call (the request) or is done, which the journal then says: see `_note`."""
    try:
        return next(steps) if received is None else steps.send(received)
    except StopIteration:
        return None if journal is None else _note(work, journal)


def _note(work: GenerationWork, journal: Journal) -> OSError | None:
    """Write into the journal what came of a generation. What is made is made: returns why the disk refused."""
    try:
        journal.write("generation", **work.journal_line())
    except OSError as error:
        return error
    return None


def _failure_of(error: Exception) -> GenerationError:
    """What went wrong that nobody foresaw, as a failed generation."""
    kind = FailureKind.STORAGE if isinstance(error, OSError) else FailureKind.INTERNAL
    failure = GenerationError(kind, f"{type(error).__name__}: {error}.")
    failure.__cause__ = error
    return failure

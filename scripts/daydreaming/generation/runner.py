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
                await self._advance(work.steps(**options), specification, journal, turn)
            except Exception as error:
                failure = error if isinstance(error, GenerationError) else _failure_of(error)
                if not specification.is_copy:
                    turn.answered(failure)
                if is_real:
                    await self._in_file_thread(work.fail, failure)
                    await self._write_down(journal, work)
                raise failure from failure.__cause__
            if is_real:
                # One that needed no call shows as well that its template works.
                if not specification.is_copy:
                    turn.answered(None)
                await self._write_down(journal, work)
        return work.outcome

    async def _advance(self, steps: Steps, specification: Specification, journal: Journal, turn: AnswerTurn) -> None:
        """Go on with the work, call by call, until it is done."""
        request = await asyncio.get_running_loop().run_in_executor(self._beginning, _next_request, steps, None)
        while request is not None:
            assert isinstance(specification, CallSpecification)
            received = await self._obtain(request, specification, journal, turn)
            request = await self._in_file_thread(_next_request, steps, received)

    async def _write_down(self, journal: Journal, work: GenerationWork) -> None:
        try:
            await self._in_file_thread(partial(journal.write, "generation", **work.journal_line()))
        except OSError as error:
            raise _failure_of(error) from error

    async def _obtain(
        self, request: ModelRequest, specification: CallSpecification, journal: Journal, turn: AnswerTurn
    ) -> Received:
        """The reply to a request. Pays at most once, whoever else asks for it."""
        queued = time.perf_counter()
        # Before the request is locked: who holds a turn may wait for the lock, never the other way round.
        await turn.take()
        waited_ms = milliseconds_since(queued)
        async with self._replies.in_flight(request.sha256):
            stored = await self._in_file_thread(self._stored, request, specification.endpoint)
            if stored is not None:
                return Received(stored, reused=True)
            done = await self._client.complete(request, context_of(specification), journal, turn, waited_ms)
            return Received(done.reply, times=done.times)

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


def _next_request(steps: Steps, received: Received | None) -> ModelRequest | None:
    """Go on with the work until it needs a call (the request) or is done (None)."""
    try:
        return next(steps) if received is None else steps.send(received)
    except StopIteration:
        return None


def _failure_of(error: Exception) -> GenerationError:
    """What went wrong that nobody foresaw, as a failed generation."""
    kind = FailureKind.STORAGE if isinstance(error, OSError) else FailureKind.INTERNAL
    failure = GenerationError(kind, f"{type(error).__name__}: {error}.")
    failure.__cause__ = error
    return failure

"""The model client: one event loop and one connection pool for all calls of a process.

A call waits for its turn (limits), is reserved in the journal (budget), is sent by the `openai` package, and its answer
is on the disk before anything looks at it. Failures that may pass are tried again, each time as a call of its own.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, TypeVar

from daydreaming.base.errors import FailureKind
from daydreaming.base.locks import RangeLocks
from daydreaming.inputs.endpoint_settings import Endpoint
from daydreaming.inputs.settings import Settings
from daydreaming.ledger.journal import Journal
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.received import Reply
from daydreaming.ledger.replies import ReplyStore
from daydreaming.llm.answers import Answer, CallError, status_failure
from daydreaming.llm.breakers import AnswerBreaker, AnswerTurn, CallBreaker
from daydreaming.llm.call_account import CallContext, OpenCall
from daydreaming.llm.call_slots import CallSlots
from daydreaming.llm.connection import Connection
from daydreaming.llm.credentials import Credentials, credentials_of
from daydreaming.llm.embedded import EmbeddedServer
from daydreaming.llm.limits import EndpointLimits
from daydreaming.llm.local_servers import LocalServers
from daydreaming.llm.reservations import Reservations
from daydreaming.llm.tries import CallFailedError, CallTimes, Tries, milliseconds_since

# Threads that store replies: apart from all other work on files, so that a reply never waits for a prompt.
STORE_THREADS = 4
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Completion:
    """A reply, and what the call for it took."""

    reply: Reply
    times: CallTimes


class ModelClient:
    """Makes calls, all from one event loop. Opens nothing (no connection, no local server) before the first call.

    `calls_in_flight` is the most calls at a time, to all endpoints (None: as many as their limits allow).
    `answers` gives the turns of `complete`, and is told what came of them.
    """

    def __init__(self, settings: Settings, store: ReplyStore, calls_in_flight: int | None = None):
        self._settings = settings
        self._store = store
        self._breaker = CallBreaker(settings.stop_after_errors)
        self.answers = AnswerBreaker(settings.stop_after_unusable)
        self._calls = CallSlots(calls_in_flight, self.answers.waited_for)
        self._connections: dict[str, Connection] = {}
        # To servers that ended; calls may still be about to find that out.
        self._replaced: list[Connection] = []
        # Endpoints of other names may have the same address and key, and then they share its slots.
        self._locks_in = cache(RangeLocks)
        self._embedded = EmbeddedServer()
        self._local_servers = LocalServers(settings)
        self._threads = ThreadPoolExecutor(STORE_THREADS, thread_name_prefix="replies")
        # Apart: the next call need not wait until all replies that came together are on the disk, and none of those
        # until the disk has made the others safe. What has come is kept from whatever ends this process at once.
        self._reservations = Reservations()
        self._receiving = ThreadPoolExecutor(1, thread_name_prefix="receipts")
        self._waiting: set[asyncio.Task[Any]] = set()
        self._stopped = False

    async def complete(
        self,
        request: ModelRequest,
        context: CallContext,
        journal: Journal,
        turn: AnswerTurn | None = None,
        waited_ms: float = 0.0,
    ) -> Completion:
        """Make a call, with retries, and return its reply, which is in the store by then.

        `turn` is asked once more when the call is next, and may keep it back; `waited_ms` counts as queued.
        Raises GenerationError with the kind of failure; `not_tried` where calls to endpoint and model are kept back.
        """
        import tenacity

        where = (context.endpoint, request.model)
        self._breaker.check(*where)
        tries = Tries(self._settings.endpoints[context.endpoint], lambda: self._breaker.is_open(*where))
        tries.queue_ms = waited_ms
        retrying = tenacity.AsyncRetrying(
            sleep=tries.pause,
            stop=tries.are_over,
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, CallError) and error.retryable),
            wait=tries.pause_s,
            reraise=True,
        )
        if self._stopped:
            raise asyncio.CancelledError
        task = _this_task()
        self._waiting.add(task)
        try:
            reply: Reply = await retrying(self._call, request, context, journal, turn, tries)
        except CallError as error:
            if error.retryable:  # it has been tried often enough; what cannot pass was noted at once
                self._breaker.failed(*where, error)
            raise CallFailedError(error.kind, error.message, tries.times() if tries.number else None) from error
        finally:
            self._waiting.discard(task)
        self._breaker.succeeded(*where)
        return Completion(reply, tries.times())

    def import_packages(self) -> None:
        """Import what calls need: slow the first time."""
        import tenacity  # noqa: F401

        for endpoint in self._settings.endpoints.values():
            importlib.import_module("anthropic" if endpoint.kind == "anthropic" else "openai")

        import daydreaming.llm.transport  # noqa: F401

    def stop(self) -> None:
        """Start no call any more: whoever waits for one is cancelled. The calls in flight go on."""
        self._stopped = True
        self._reservations.stop()
        for task in self._waiting:
            task.cancel()

    async def close(self) -> None:
        """Close the connections, the embedded model and the local servers."""
        for connection in (*self._replaced, *self._connections.values()):
            await connection.close()
        self._replaced.clear()
        self._connections.clear()
        await self._in_thread(self._embedded.stop)
        await self._in_thread(self._local_servers.close)
        self._threads.shutdown()
        self._reservations.close()
        self._receiving.shutdown()

    async def _call(
        self,
        request: ModelRequest,
        context: CallContext,
        journal: Journal,
        turn: AnswerTurn | None,
        tries: Tries,
    ) -> Reply:
        """One call: its turn, its reservation, its answer on the disk, its reply."""
        queued = time.perf_counter()
        connection = await self._connection(self._settings.endpoints[context.endpoint])

        def check() -> None:
            """Raise what has become known while this call waited."""
            self._breaker.check(context.endpoint, request.model)
            if turn is not None:
                turn.check()

        async with AsyncExitStack() as held:
            async with (
                self._calls.slot(turn and turn.kind, self._step(context)),
                connection.limits.turn(_expected_tokens(request), request.model),
            ):
                check()
                held.enter_context(self._uncancelled())
                begin = partial(OpenCall.begin, self._store, journal, request, context)
                call = await self._reservations.opened(begin, check)
                held.enter_context(self._reservations.open())
                tries.queue_ms += milliseconds_since(queued)
                tries.number += 1
                outcome = await self._ask(connection, request, tries, caches=context.is_of_judge)
                outcome = await self._explained(connection.endpoint, outcome)
                # Before the next call has this one's slot.
                await self._heed(connection, request.model, outcome)
            # The next call need not wait until this answer is on the disk.
            outcome = await self._received(call, outcome)
            try:
                return await self._in_thread(call.end, outcome, connection.endpoint.longest_wait_s)
            except CallError as error:
                if error is not outcome:
                    await self._heed(connection, request.model, error)
                raise

    def _step(self, context: CallContext) -> int:
        return len(self._settings.stage_table.chain(context.stage))

    async def _ask(
        self, connection: Connection, request: ModelRequest, tries: Tries, *, caches: bool
    ) -> Answer | BaseException:
        """The answer to a request, or why there is none: whatever happens, the call is still to be ended."""
        started, answer = time.perf_counter(), None
        try:
            answer = await connection.post(request, caches=caches)
            if not answer.is_success:
                raise status_failure(answer, connection.base_url, connection.endpoint.longest_wait_s)
            return answer
        except BaseException as error:
            return error
        finally:
            # Apart from what this process took to get to it.
            tries.llm_ms += milliseconds_since(started) if answer is None else answer.milliseconds

    async def _explained(self, endpoint: Endpoint, outcome: Answer | BaseException) -> Answer | BaseException:
        """The outcome of a call. A connection that broke because its server ended says so, and is not tried again."""
        if endpoint.start is None or not isinstance(outcome, CallError) or outcome.kind != FailureKind.CONNECTION:
            return outcome
        why = await self._local_servers.why_ended(endpoint)
        if why is None:
            return outcome
        return CallError(why.kind, why.message, perhaps_billed=outcome.perhaps_billed, lasting="its server ended")

    async def _received(self, call: OpenCall, outcome: Answer | BaseException) -> Answer | BaseException:
        """The outcome of a call. An answer is stored by then; one that could not be is an error."""
        if isinstance(outcome, Answer):
            try:
                await asyncio.get_running_loop().run_in_executor(self._receiving, call.receive, outcome)
            except Exception as error:
                return error
        return outcome

    async def _heed(self, connection: Connection, model: str, outcome: Answer | BaseException) -> None:
        """Do what an outcome asks of the calls that follow: slow down, or stop."""
        limits = connection.limits
        if isinstance(outcome, Answer):
            if limits.says_that_nothing_remains(outcome.headers):
                await self._in_thread(limits.heed, outcome.headers, model)
        elif isinstance(outcome, CallError):
            if not outcome.retryable:
                self._breaker.failed(connection.endpoint.name, model, outcome)
            if outcome.kind == FailureKind.RATE_LIMIT or outcome.retry_after_s is not None:
                # A wait that is too long is told (the breaker opens), not waited for.
                pause_s = None if outcome.stops_for_s is not None else outcome.retry_after_s
                await self._in_thread(limits.slow_down, pause_s, model)

    @contextmanager
    def _uncancelled(self) -> Iterator[None]:
        """Keep a call, from before its reservation until its reply is stored, from being cancelled by `stop`."""
        task = _this_task()
        if self._stopped:
            raise asyncio.CancelledError
        self._waiting.discard(task)
        try:
            yield
        except CallError:
            if self._stopped:
                raise asyncio.CancelledError from None
            raise
        finally:
            self._waiting.add(task)

    async def _connection(self, endpoint: Endpoint) -> Connection:
        given = await self._credentials(endpoint)
        if endpoint.name not in self._connections:
            # A second that goes by between a call's turn and the call would bring two seconds' calls together.
            await self._in_thread(self.import_packages)
        # From here on nothing waits: of the first calls, only one makes the connection.
        connection = self._connections.get(endpoint.name)
        # A server of this machine has another address after it was started again.
        if connection is None or connection.base_url != given.base_url:
            self._replaced += [connection] if connection else []
            # The embedded model's key is new on every start; its limits are not.
            limits_key = "" if endpoint.kind == "embedded" else "\n".join(dict.fromkeys((given.key, *given.secret)))
            limits = EndpointLimits(endpoint, limits_key, self._settings.limits_dir, self._locks_in)
            connection = Connection(endpoint, given, limits)
            connection.open()
            self._connections[endpoint.name] = connection
        return connection

    async def _credentials(self, endpoint: Endpoint) -> Credentials:
        if endpoint.kind == "embedded":
            return Credentials(*await self._in_thread(self._embedded.address))
        given = credentials_of(endpoint)
        return (
            given if endpoint.start is None else replace(given, base_url=await self._local_servers.base_url(endpoint))
        )

    async def _in_thread(self, function: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(function, *arguments))


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


def _expected_tokens(request: ModelRequest) -> int:
    return request.expected_prompt_tokens + (request.output_limit or 0)

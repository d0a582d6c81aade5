"""The model client: one event loop and one connection pool for all calls of a process.

A call waits for its turn (limits), is reserved in the journal (budget), is sent by the `openai` package, and its reply
is in the store before anything else sees it. Failures that may pass are tried again, each time as a call of its own.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.base.locks import RangeLocks
from daydreaming.inputs.settings import Endpoint, Settings
from daydreaming.ledger.journal import Journal
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.replies import Reply, ReplyRoom, ReplyStore
from daydreaming.llm.answers import CallError, read_answer
from daydreaming.llm.connection import Connection
from daydreaming.llm.embedded import EmbeddedServer
from daydreaming.llm.limits import EndpointLimits

# Threads that store replies: apart from all other work on files, so that a reply never waits for a prompt.
STORE_THREADS = 4
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 30.0
CHARACTERS_PER_TOKEN = 4
TOKENS_AROUND_A_PROMPT = 64


@dataclass(frozen=True, slots=True)
class CallContext:
    """For which generation a call is made, where, and at which prices (US dollars per million tokens, in and out)."""

    stage: str
    gen_id: str
    cohort_id: str
    endpoint: str
    template_id: str
    llm_model_id: str
    prices: tuple[float | None, float | None] = (None, None)


class ModelClient:
    """Makes calls, all from one event loop. Opens nothing (no connection, no embedded model) before the first call.

    `calls_in_flight` is the most calls at a time, to all endpoints (None: as many as their limits allow).
    """

    def __init__(self, settings: Settings, store: ReplyStore, calls_in_flight: int | None = None):
        self._settings = settings
        self._store = store
        self._calls = asyncio.Semaphore(calls_in_flight) if calls_in_flight else nullcontext()
        self._connections: dict[str, Connection] = {}
        # Endpoints of other names may have the same address and key, and then they share its slots.
        self._locks_in = cache(RangeLocks)
        self._embedded = EmbeddedServer()
        self._threads = ThreadPoolExecutor(STORE_THREADS, thread_name_prefix="replies")
        # Apart: the next call need not wait until all replies that came together are on the disk.
        self._reserving = ThreadPoolExecutor(1, thread_name_prefix="reservations")
        self._waiting: set[asyncio.Task[Any]] = set()
        self._stopped = False

    async def complete(self, request: ModelRequest, context: CallContext, journal: Journal) -> Reply:
        """Make a call, with retries, and return its reply, which is in the store by then.

        Raises GenerationError with the kind of failure.
        """
        import tenacity

        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self._settings.endpoints[context.endpoint].max_retries + 1),
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, CallError) and error.retryable),
            wait=_backoff_s,
            reraise=True,
        )
        if self._stopped:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        self._waiting.add(task)
        try:
            return await retrying(self._call, request, context, journal)
        except CallError as error:
            raise GenerationError(error.kind, error.message) from error
        finally:
            self._waiting.discard(task)

    def import_packages(self) -> None:
        """Import what calls need: slow the first time."""
        import openai  # noqa: F401
        import tenacity  # noqa: F401
        from openai import DefaultAioHttpClient  # noqa: F401

    def stop(self) -> None:
        """Start no call any more: whoever waits for one is cancelled. The calls in flight go on."""
        self._stopped = True
        for task in self._waiting:
            task.cancel()

    async def close(self) -> None:
        """Close the connections and the embedded model."""
        for connection in self._connections.values():
            await connection.close()
        self._connections.clear()
        await self._in_thread(self._embedded.stop)
        self._threads.shutdown()
        self._reserving.shutdown()

    async def _call(self, request: ModelRequest, context: CallContext, journal: Journal) -> Reply:
        """One call: its turn, its reservation, its answer, its reply in the store."""
        connection = await self._connection(self._settings.endpoints[context.endpoint])
        async with AsyncExitStack() as reserved:
            async with self._calls, connection.limits.turn(_expected_tokens(request)):
                reserved.enter_context(self._uncancelled())
                reserve = partial(_reserve, self._store, journal, request, context)
                room, call = await asyncio.get_running_loop().run_in_executor(self._reserving, reserve)
                reserved.callback(room.discard)
                try:
                    answer = await connection.post(request)
                    connection.limits.heed(answer.headers)
                    reply = read_answer(answer, request, context.prices)
                except CallError as error:
                    connection.hide_key(error)
                    if error.kind == FailureKind.RATE_LIMIT or error.retry_after_s is not None:
                        connection.limits.slow_down(error.retry_after_s)
                    billed = error.perhaps_billed or None
                    journal.end_call(call, kind=error.kind, status=error.status, perhaps_billed=billed)
                    raise
            # The next call need not wait until this reply is on the disk.
            await self._in_thread(partial(_keep, reply, answer.body, context, room, journal, call))
            return reply

    @contextmanager
    def _uncancelled(self) -> Iterator[None]:
        """Keep a call, from before its reservation until its reply is stored, from being cancelled by `stop`."""
        task = asyncio.current_task()
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
        base_url, key = await self._address(endpoint)
        if endpoint.name not in self._connections:
            # A second that goes by between a call's turn and the call would bring two seconds' calls together.
            await self._in_thread(self.import_packages)
        # From here on nothing waits: of the first calls, only one makes the connection.
        connection = self._connections.get(endpoint.name)
        # The embedded model has another address after it was started again.
        if connection is None or connection.base_url != base_url:
            # The embedded model's key is new on every start; its limits are not.
            limits_key = "" if endpoint.kind == "embedded" else key
            limits = EndpointLimits(endpoint, limits_key, self._settings.limits_dir, self._locks_in)
            connection = self._connections[endpoint.name] = Connection(endpoint, base_url, key, limits)
        return connection

    async def _address(self, endpoint: Endpoint) -> tuple[str, str]:
        if endpoint.kind == "embedded":
            return await self._in_thread(self._embedded.address)
        key = os.environ.get(endpoint.api_key_env, "").strip() if endpoint.api_key_env else "none"
        # Any other character makes the HTTP package fail with an error that may show the key.
        if not (key and key.isascii() and key.isprintable()):
            raise GenerationError(
                FailureKind.MISSING_KEY,
                f"The endpoint {endpoint.name!r} needs a key (printable ASCII characters): set the environment "
                f"variable {endpoint.api_key_env}.",
            )
        return endpoint.base_url or "", key

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def _reserve(store: ReplyStore, journal: Journal, request: ModelRequest, context: CallContext) -> tuple[ReplyRoom, str]:
    """Reserve room for the reply and the most that the call can cost, and write that the call starts."""
    room = store.room_for(request)
    try:
        call = journal.start_call(
            most_expensive_usd(request, context.prices),
            stage=context.stage,
            gen_id=context.gen_id,
            template_id=context.template_id,
            llm_model_id=context.llm_model_id,
            request_sha256=request.sha256,
        )
    except BaseException:
        room.discard()
        raise
    return room, call


def _keep(reply: Reply, received: bytes, context: CallContext, room: ReplyRoom, journal: Journal, call: str) -> None:
    """Store a reply, before anyone else is told, and settle its account."""
    room.save(
        reply,
        received,
        endpoint=context.endpoint,
        stage=context.stage,
        gen_id=context.gen_id,
        cohort_id=context.cohort_id,
        template_id=context.template_id,
        llm_model_id=context.llm_model_id,
    )
    seconds = reply.finished_at - reply.started_at
    journal.end_call(call, cost_usd=reply.cost_usd, perhaps_billed=True, seconds=seconds, **reply.usage)


def most_expensive_usd(request: ModelRequest, prices: tuple[float | None, float | None]) -> float | None:
    """The most that a call can cost in US dollars, None without prices or without `max_tokens`.

    A byte-level tokenizer makes no more tokens of a prompt than it has bytes.
    """
    if None in prices or request.max_tokens is None:
        return None
    prompt_tokens = request.prompt_bytes + TOKENS_AROUND_A_PROMPT
    return (prompt_tokens * prices[0] + request.max_tokens * prices[1]) / 1e6


def _expected_tokens(request: ModelRequest) -> int:
    return request.prompt_bytes // CHARACTERS_PER_TOKEN + (request.max_tokens or 0)


def _backoff_s(state: Any) -> float:
    """Seconds before the next attempt: what the provider asked for, else doubling with full jitter.

    The formula is "full jitter" of M. Brooker, Exponential Backoff and Jitter (AWS Architecture Blog, 2015), with a
    floor of half the ceiling so that a provider that is down is not asked many times in its first second.
    """
    failure = state.outcome.exception()
    ceiling = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2**state.attempt_number)
    backoff = ceiling * random.uniform(0.5, 1.0)
    return max(failure.retry_after_s, 0.05) if failure.retry_after_s is not None else backoff

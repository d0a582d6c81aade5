"""The model client: one event loop and one connection pool for all calls of a process.

A call waits for its turn (limits), is reserved in the journal (budget), is sent by the `openai` package, and its reply
is in the store before anything else sees it. Failures that may pass are tried again, each time as a call of its own.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from daydreaming.errors import FailureKind, GenerationError
from daydreaming.journal import Journal
from daydreaming.llm.answers import Answer, CallError, read_answer
from daydreaming.llm.embedded import EmbeddedServer
from daydreaming.llm.limits import EndpointLimits
from daydreaming.model_request import ModelRequest
from daydreaming.replies import Reply, ReplyRoom, ReplyStore
from daydreaming.settings import Endpoint, Settings

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
    """Makes calls. Thread-safe; starts nothing (no loop, no connection, no embedded model) before the first call."""

    def __init__(self, settings: Settings, store: ReplyStore, journal_for: Callable[[str], Journal]):
        self._settings = settings
        self._store = store
        self._journal_for = journal_for
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connections: dict[str, _Connection] = {}
        self._embedded = EmbeddedServer()

    def complete(self, request: ModelRequest, context: CallContext) -> Reply:
        """Make a call, with retries, and return its reply, which is in the store by then.

        Raises GenerationError with the kind of failure; Ctrl-C in the caller lets the call go on.
        """
        endpoint = self._settings.endpoints[context.endpoint]
        connection = self._connection(endpoint)
        return self._submit(self._complete(request, context, connection)).result()

    def close(self) -> None:
        """Close connections, stop the loop and the embedded model."""
        with self._guard:
            loop, self._loop = self._loop, None
            connections, self._connections = self._connections, {}
        if loop is not None:
            for connection in connections.values():
                asyncio.run_coroutine_threadsafe(connection.close(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
        self._embedded.stop()

    def _submit(self, coroutine: Coroutine[Any, Any, Reply]) -> Future[Reply]:
        with self._guard:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="model calls", daemon=True).start()
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _connection(self, endpoint: Endpoint) -> _Connection:
        base_url, key = self._address(endpoint)
        with self._guard:
            connection = self._connections.get(endpoint.name)
            # The embedded model has another address after it was started again.
            if connection is None or connection.base_url != base_url:
                # The embedded model's key is new on every start; its limits are not.
                limits_key = "" if endpoint.kind == "embedded" else key
                limits = EndpointLimits(endpoint, limits_key, self._settings.limits_dir)
                connection = _Connection(endpoint, base_url, key, limits)
                self._connections[endpoint.name] = connection
            return connection

    def _address(self, endpoint: Endpoint) -> tuple[str, str]:
        if endpoint.kind == "embedded":
            return self._embedded.address()
        key = os.environ.get(endpoint.api_key_env, "") if endpoint.api_key_env else "none"
        if not key.strip():
            raise GenerationError(
                FailureKind.MISSING_KEY,
                f"The endpoint {endpoint.name!r} needs a key: set the environment variable {endpoint.api_key_env}.",
            )
        return endpoint.base_url or "", key.strip()

    async def _complete(self, request: ModelRequest, context: CallContext, connection: _Connection) -> Reply:
        import tenacity

        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(connection.endpoint.max_retries + 1),
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, CallError) and error.retryable),
            wait=_backoff_s,
            reraise=True,
        )
        try:
            return await retrying(self._call, request, context, connection)
        except CallError as failure:
            raise GenerationError(failure.kind, failure.message) from failure

    async def _call(self, request: ModelRequest, context: CallContext, connection: _Connection) -> Reply:
        """One call: its turn, its reservation, its answer, its reply in the store."""
        journal = self._journal_for(context.cohort_id)
        async with connection.limits.turn(_expected_tokens(request)):
            call = journal.start_call(
                most_expensive_usd(request, context.prices),
                stage=context.stage,
                gen_id=context.gen_id,
                template_id=context.template_id,
                llm_model_id=context.llm_model_id,
                request_sha256=request.sha256,
            )
            try:
                with self._store.room_for(request) as room:
                    reply = await self._send(request, context, connection, room)
            except CallError as failure:
                if failure.kind == FailureKind.RATE_LIMIT:
                    connection.limits.slow_down(failure.retry_after_s)
                billed = failure.perhaps_billed or None
                journal.end_call(call, kind=failure.kind, status=failure.status, perhaps_billed=billed)
                raise
            except GenerationError as error:
                journal.end_call(call, kind=error.kind)
                raise
            seconds = reply.finished_at - reply.started_at
            journal.end_call(call, cost_usd=reply.cost_usd, perhaps_billed=True, seconds=seconds, **reply.usage)
            return reply

    async def _send(
        self, request: ModelRequest, context: CallContext, connection: _Connection, room: ReplyRoom
    ) -> Reply:
        """Send a request; store what comes back as soon as it is there, before anyone else is told."""
        answer = await connection.post(request)
        connection.limits.heed(answer.headers)
        reply = read_answer(answer, request, context.prices)
        room.save(
            reply,
            answer.body,
            endpoint=context.endpoint,
            stage=context.stage,
            gen_id=context.gen_id,
            cohort_id=context.cohort_id,
            template_id=context.template_id,
            llm_model_id=context.llm_model_id,
        )
        return reply


class _Connection:
    """The way to one endpoint: its client, its pool, its limits."""

    def __init__(self, endpoint: Endpoint, base_url: str, key: str, limits: EndpointLimits):
        self.endpoint = endpoint
        self.base_url = base_url
        self.limits = limits
        self._key = key
        self._client: Any = None

    def _openai(self) -> Any:
        """The `openai` client over aiohttp, which takes a third of the CPU of its default transport."""
        if self._client is None:
            import httpx2
            from openai import AsyncOpenAI, DefaultAioHttpClient

            unlimited = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
            timeout = httpx2.Timeout(self.endpoint.timeout_s)
            self._client = AsyncOpenAI(
                base_url=self.base_url,
                api_key=self._key,
                max_retries=0,
                timeout=timeout,
                # A proxy of the environment cannot reach a server inside this process's machine.
                http_client=DefaultAioHttpClient(
                    limits=unlimited, timeout=timeout, trust_env=self.endpoint.kind != "embedded"
                ),
            )
        return self._client

    async def post(self, request: ModelRequest) -> Answer:
        """Send a request and return the whole answer. Raises CallError when none came."""
        import httpx2
        import openai

        client, started_at = self._openai(), time.time()
        try:
            async with asyncio.timeout(self.endpoint.timeout_s):
                # The raw answer: what was paid for must be kept as it came, before a model class interprets it.
                response = await client.post("/chat/completions", cast_to=httpx2.Response, body=request.body())
        except openai.APIStatusError as error:
            response = error.response
        except (TimeoutError, openai.APITimeoutError) as error:
            raise CallError(
                FailureKind.TIMEOUT,
                f"No answer within {self.endpoint.timeout_s:g} s (timeout_s of endpoint {self.endpoint.name!r}).",
                retryable=True,
                perhaps_billed=True,
            ) from error
        except (openai.APIConnectionError, httpx2.TransportError, OSError) as error:
            reason = error.__cause__ or error
            raise CallError(
                FailureKind.CONNECTION,
                f"No connection to endpoint {self.endpoint.name!r}, or it broke: {reason}.",
                retryable=True,
                perhaps_billed=not isinstance(reason, httpx2.ConnectError),
            ) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.content, started_at, time.time())

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
        self.limits.close()


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

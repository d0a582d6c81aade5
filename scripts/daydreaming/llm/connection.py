"""The way to one endpoint: requests in, answers out, by the `openai` package over aiohttp."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from daydreaming.base.errors import FailureKind
from daydreaming.inputs.settings import Endpoint
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.llm.answers import Answer, CallError
from daydreaming.llm.limits import EndpointLimits


class Connection:
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

            # None would mean the hundred connections of aiohttp: our own limits decide how many calls are in flight.
            unlimited = httpx2.Limits(max_connections=100_000, max_keepalive_connections=100_000)
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
        except (openai.APIConnectionError, httpx2.TransportError, OSError) as error:
            raise _no_answer(error, self.endpoint) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.content, started_at, time.time())

    def hide_key(self, error: CallError) -> None:
        """Take this connection's key out of an error's message, which will be written to files."""
        if self.endpoint.api_key_env:
            error.hide(self._key)

    async def close(self) -> None:
        """Close the connections and give back the limits' slots."""
        if self._client is not None:
            await self._client.close()
        self.limits.close()


def _no_answer(error: BaseException, endpoint: Endpoint) -> CallError:
    """Why no answer came. The transport calls every broken or refused connection a time-out: its causes tell."""
    import aiohttp

    causes = list(_causes(error))
    # The request was never sent: nobody can charge for it.
    unsent = any(isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError) for cause in causes)
    if any(isinstance(cause, TimeoutError) for cause in causes):
        kind = FailureKind.TIMEOUT
        message = f"No answer within {endpoint.timeout_s:g} s (timeout_s of endpoint {endpoint.name!r})."
    else:
        kind = FailureKind.CONNECTION
        message = f"No connection to endpoint {endpoint.name!r}, or it broke: {error.__cause__ or error}."
    return CallError(kind, message, retryable=True, perhaps_billed=not unsent)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what caused it, the first cause last."""
    while error is not None:
        yield error
        error = error.__cause__

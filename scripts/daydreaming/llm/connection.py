"""The way to one endpoint: requests in, answers out, by the `openai` package over aiohttp."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.inputs.endpoint_settings import Endpoint
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.llm.answers import Answer, CallError
from daydreaming.llm.anthropic_messages import message_body
from daydreaming.llm.credentials import Credentials
from daydreaming.llm.limits import EndpointLimits
from daydreaming.llm.secrets_hidden import Secrets


class Connection:
    """The way to one endpoint: its client, its pool, its limits.

    The secrets that it is called with are taken out of everything that comes back.
    """

    def __init__(self, endpoint: Endpoint, given: Credentials, limits: EndpointLimits):
        self.endpoint = endpoint
        self.base_url = given.base_url
        self.limits = limits
        self._given = given
        self._secrets = Secrets(given.secret)
        self._client: Any = None
        self._status_error: type[Any] = Exception
        self._connection_error: type[Any] = Exception

    def open(self) -> None:
        """Make the client: `openai` over aiohttp, which takes a third of the CPU of its default transport.

        Raises GenerationError (connection) for a proxy in the environment that cannot be used.
        """
        import httpx2

        from daydreaming.llm.transport import http_client

        endpoint, given = self.endpoint, self._given
        package = importlib.import_module("anthropic" if endpoint.kind == "anthropic" else "openai")
        self._status_error, self._connection_error = package.APIStatusError, package.APIConnectionError
        make_client = package.AsyncAnthropic if endpoint.kind == "anthropic" else package.AsyncOpenAI
        self._client = make_client(
            base_url=given.base_url,
            api_key=given.key,
            max_retries=0,
            # How long an answer may take is the transport's to say, which knows whether this process stood still.
            timeout=httpx2.Timeout(endpoint.timeout_s, read=None),
            default_headers=given.headers,
            default_query=dict[str, object](given.query),
            http_client=http_client(
                given.base_url, endpoint.timeout_s, endpoint.max_reply_bytes, uses_proxies=endpoint.kind != "embedded"
            ),
        )

    async def post(self, request: ModelRequest, *, caches: bool = False) -> Answer:
        """Send a request and return the answer, as far as it came. Raises CallError when none came.

        `caches`: its system message is shared by many requests, and is kept where the provider wants to be told.
        """
        import httpx2

        path, asked = self._asked(request, caches=caches)
        started_at, started = time.time(), time.perf_counter()
        try:
            # The raw answer: what was paid for must be kept as it came, before a model class interprets it.
            response = await self._client.post(path, cast_to=httpx2.Response, body=asked)
        except self._status_error as error:
            response = error.response
        except (self._connection_error, httpx2.TransportError, TimeoutError) as error:
            raise self._no_answer(error) from None
        body, redacted = self._secrets.hide(response.content)
        milliseconds = response.extensions.get("milliseconds", (time.perf_counter() - started) * 1000)
        incomplete = response.extensions.get("incomplete")
        return Answer(
            response.status_code,
            self._hidden(response.headers),
            body,
            started_at,
            # A clock that was set back in between makes no answer end before it began.
            started_at + milliseconds / 1000,
            milliseconds=milliseconds,
            incomplete=None if incomplete is None else self._secrets.hide_in_text(incomplete),
            larger_than=response.extensions.get("larger_than"),
            redacted=redacted,
        )

    def _asked(self, request: ModelRequest, *, caches: bool) -> tuple[str, dict[str, Any]]:
        if self.endpoint.kind == "anthropic":
            try:
                return "/v1/messages", message_body(request, caches=caches)
            except GenerationError as error:
                raise CallError(error.kind, error.message) from error
        return "/chat/completions", request.body()

    def _hidden(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers in lower case, without secrets."""
        return {name.lower(): self._secrets.hide_in_text(value) for name, value in headers.items()}

    async def close(self) -> None:
        """Close the connections and give back the limits' slots."""
        if self._client is not None:
            await self._client.close()
        self.limits.close()

    def _no_answer(self, error: BaseException) -> CallError:
        """Why no answer came: the causes of an error tell."""
        import aiohttp

        causes, name = list(_causes(error)), self.endpoint.name
        if any(isinstance(cause, TimeoutError) for cause in causes):
            # The request was never sent: nobody can charge for it.
            sent = not any(isinstance(cause, aiohttp.ConnectionTimeoutError) for cause in causes)
            message = f"No answer within {self.endpoint.timeout_s:g} s (timeout_s of endpoint {name!r})."
            return CallError(FailureKind.TIMEOUT, message, retryable=True, perhaps_billed=sent)
        unsent = next((cause for cause in causes if isinstance(cause, aiohttp.ClientConnectorError)), None)
        why = self._secrets.hide_in_text(str(causes[-1]) or type(causes[-1]).__name__)
        return CallError(
            FailureKind.CONNECTION,
            f"No connection to endpoint {name!r}, or it broke: {' '.join(why.split())[:300]}.",
            retryable=True,
            perhaps_billed=unsent is None,
            lasting=None if unsent is None else _lasting(unsent),
        )


def _lasting(error: Any) -> str:
    """Why nobody can be reached at an address, in words."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "name not found"
    return "connection refused" if isinstance(error.os_error, ConnectionRefusedError) else "no route"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what caused it, the first cause last."""
    while error is not None:
        yield error
        error = error.__cause__

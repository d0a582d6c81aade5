"""How an answer is received: unpacked, no longer than a limit, and as far as it came when its connection breaks.

Imported with the first call only: the HTTP packages are slow to import.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx2
from openai import DefaultAioHttpClient
from openai._vendor.httpx_aiohttp import AiohttpTransport

from daydreaming.base.errors import FailureKind, GenerationError

# Proxies add cookies and traces of several kilobytes; a paid answer must not be lost for them.
LARGEST_HEADER_BYTES = 1 << 20
MOST_HEADERS = 20_000
# A timer that comes so much too late says that the process stood still.
STOOD_STILL_S = 0.5
# What this program unpacks itself, and never beyond the limit.
_PACKED = {"gzip", "x-gzip", "deflate"}
_BROKEN = (aiohttp.ClientError, httpx2.TransportError, OSError, EOFError, ValueError)


class NoAnswerError(httpx2.TransportError):
    """No answer came: nothing, or nothing that is HTTP."""


class TimeLimit:
    """How long a call may take (seconds), without the time in which this process stood still.

    After Ctrl-Z and `fg`, or a pause of the machine, more may have passed, and the answer be there: it is read first.
    """

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._ends_at = self._loop.time() + seconds

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep to the limit, as far as it is left. Raises TimeoutError."""
        async with asyncio.timeout(None) as timeout:
            timer: asyncio.TimerHandle

            def end() -> None:
                nonlocal timer
                now = self._loop.time()
                if (late := now - self._ends_at) > STOOD_STILL_S:
                    self._ends_at = now + min(late, self._seconds)
                    timer = self._loop.call_at(self._ends_at, end)
                else:
                    timeout.reschedule(now)

            timer = self._loop.call_at(self._ends_at, end)
            try:
                yield
            finally:
                timer.cancel()


class ReceivingTransport(httpx2.AsyncBaseTransport):
    """Receives whole answers. What is said of the way it came stands in an answer's extensions.

    `incomplete`: why the rest of the body is missing (None: nothing is). `larger_than`: the limit in bytes, if that is
    why. `milliseconds`: from the first byte sent to the last one received.
    """

    def __init__(self, way: httpx2.AsyncBaseTransport, timeout_s: float, max_bytes: int):
        self._way = way
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and receive all of its answer. Raises NoAnswerError, and TimeoutError where none began."""
        started = time.perf_counter()
        body = bytearray()
        limit = TimeLimit(self._timeout_s)
        async with limit.kept():
            try:
                response = await self._way.handle_async_request(request)
            except _BROKEN as error:
                if isinstance(error, TimeoutError):
                    raise
                raise NoAnswerError(str(error) or type(error).__name__, request=request) from error
        incomplete = await self._receive(response, body, limit)
        names = (b"content-encoding", b"content-length", b"transfer-encoding")
        unpacked = _encoding(response) in _PACKED
        headers = [pair for pair in response.headers.raw if not (unpacked and pair[0].lower() in names)]
        milliseconds = (time.perf_counter() - started) * 1000
        return httpx2.Response(
            response.status_code,
            headers=headers,
            content=bytes(body[: self._max_bytes]),
            request=request,
            extensions={
                **response.extensions,
                "incomplete": incomplete,
                "larger_than": self._max_bytes if len(body) > self._max_bytes else None,
                "milliseconds": milliseconds,
            },
        )

    async def _receive(self, response: httpx2.Response, body: bytearray, limit: TimeLimit) -> str | None:
        """Fill `body`; returns why the rest is missing."""
        try:
            async with limit.kept():
                async for piece in self._unpacked(response):
                    body += piece
                    if len(body) > self._max_bytes:
                        return f"it is larger than {self._max_bytes:,} bytes (max_reply_bytes of the endpoint)."
        except TimeoutError:
            return f"it did not end within {self._timeout_s:g} s (timeout_s of the endpoint)."
        except (*_BROKEN, zlib.error) as error:
            return f"its connection broke ({error or type(error).__name__})."
        finally:
            # A connection with a rest on it is closed, not kept for the next call.
            await asyncio.shield(_closed(response))
        return None

    async def _unpacked(self, response: httpx2.Response) -> AsyncIterator[bytes]:
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        if _encoding(response) not in _PACKED:
            async for chunk in response.stream:
                yield chunk
            return
        # 32: gzip or zlib, as the header says.
        unpacker = zlib.decompressobj(32 + zlib.MAX_WBITS)
        async for chunk in response.stream:
            while chunk:
                yield unpacker.decompress(chunk, self._max_bytes + 1)
                chunk = unpacker.unconsumed_tail or unpacker.unused_data
                if unpacker.eof:
                    unpacker = zlib.decompressobj(32 + zlib.MAX_WBITS)
        yield unpacker.flush()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._way.aclose()


async def _closed(response: httpx2.Response) -> None:
    with suppress(*_BROKEN):
        await response.aclose()


def _encoding(response: httpx2.Response) -> str:
    return response.headers.get("content-encoding", "").strip().lower()


def http_client(base_url: str, timeout_s: float, max_bytes: int, *, uses_proxies: bool) -> DefaultAioHttpClient:
    """The HTTP client of one endpoint: over aiohttp, without redirects, without cookies.

    Raises GenerationError (connection) for a proxy in the environment that it cannot use.
    """
    proxy = _proxy(base_url) if uses_proxies else None

    # To read the certificates takes as long as several calls.
    is_encrypted = base_url.startswith("https://") or (proxy or "").startswith("https://")

    def session() -> aiohttp.ClientSession:
        # Our own limits decide how many calls are in flight.
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=httpx2.create_ssl_context() if is_encrypted else True),
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=LARGEST_HEADER_BYTES,
            max_field_size=LARGEST_HEADER_BYTES,
            max_headers=MOST_HEADERS,
        )

    way = AiohttpTransport(client=session, proxy=httpx2.Proxy(proxy) if proxy else None)
    return DefaultAioHttpClient(
        transport=ReceivingTransport(way, timeout_s, max_bytes),
        timeout=httpx2.Timeout(timeout_s, read=None),
        follow_redirects=False,
        trust_env=False,
        headers={"accept-encoding": "gzip, deflate"},
    )


def _proxy(base_url: str) -> str | None:
    """The proxy that the environment names for an address. None is asked for a server of this machine."""
    address = urlsplit(base_url)
    host = address.hostname or ""
    if host == "localhost" or host.startswith("127.") or host == "::1" or proxy_bypass(host):
        return None
    proxies = getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    if proxy and not proxy.startswith(("http://", "https://")):
        scheme = proxy.partition("://")[0] if "://" in proxy else "no scheme"
        name = f"{address.scheme}_proxy" if address.scheme in proxies else "all_proxy"
        raise GenerationError(
            FailureKind.CONNECTION,
            f"The environment variable {name} names a proxy of a kind that is not supported ({scheme}). Name an "
            f"http:// proxy there, take the variable away, or add {host} to no_proxy.",
        )
    return proxy

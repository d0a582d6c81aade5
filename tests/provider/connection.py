"""HTTP/1.1 on one connection, with the control over the socket that faults need."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

LINGER_ZERO = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Connection(asyncio.Protocol):
    """Reads one request after the other and hands each to `handle`, which sends the reply through the connection.

    `handle` is cancelled when the client goes away or the connection is reset from elsewhere (then `was_reset`).
    """

    def __init__(
        self, handle: Callable[[Request, Connection], Awaitable[None]], connections: set[Connection] | None = None
    ):
        self.was_reset = False
        self._handle = handle
        self._connections = set() if connections is None else connections
        self._received = bytearray()
        self._head: tuple[int, Request] | None = None
        self._task: asyncio.Task[None] | None = None
        self._drained = asyncio.Event()

    async def send(self, data: bytes) -> bool:
        """Send `data`; return True once its last byte was handed to the socket, False if the connection is dead."""
        self._drained.set()
        self._transport.write(data)
        await self._drained.wait()
        return not self._transport.is_closing()

    def reset(self) -> None:
        """Drop the connection with a TCP reset; the client sees `ECONNRESET`."""
        self.was_reset = True
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        self._transport.abort()

    def close(self) -> None:
        """Close the connection politely, once everything has been sent."""
        self._transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:
        # With limits of zero, asyncio reports every time that its own buffer fills or empties.
        transport.set_write_buffer_limits(0)
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self._connections.discard(self)
        if self._task:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._drained.clear()

    def resume_writing(self) -> None:
        self._drained.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._task is None:
            self._serve_next()

    def _serve_next(self) -> None:
        try:
            request = self._take_request()
        except ValueError:
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.close()
            return
        if request:
            self._task = asyncio.get_running_loop().create_task(self._serve(request))

    async def _serve(self, request: Request) -> None:
        try:
            await self._handle(request, self)
        except Exception:
            self.reset()
            raise
        finally:
            self._task = None
        if request.headers.get("connection", "").lower() == "close":
            self.close()
        if not self._transport.is_closing():
            self._serve_next()

    def _take_request(self) -> Request | None:
        """Return the next request once it has come in full; ValueError if it is no HTTP/1.1 with a known length."""
        if self._head is None:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return None
            self._head = _parse_head(self._received[:end].decode("latin-1"))
            del self._received[: end + 4]
        length, request = self._head
        if len(self._received) < length:
            return None
        body = bytes(self._received[:length])
        del self._received[:length]
        self._head = None
        return Request(request.method, request.path, request.headers, body)


def _parse_head(head: str) -> tuple[int, Request]:
    first, *lines = head.split("\r\n")
    method, path, _version = first.split(" ")
    fields = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in fields}
    if "transfer-encoding" in headers:
        raise ValueError("a request body needs a Content-Length")
    return int(headers.get("content-length", 0)), Request(method, path, headers, b"")

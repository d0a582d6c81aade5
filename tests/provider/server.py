"""The server: what each call gets, and the control door through which a test scripts and asks."""

from __future__ import annotations

import asyncio
import hashlib
import math
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from provider.batches import BatchServices
from provider.connection import Connection, Request
from provider.holding import Holding
from provider.ledger import Call, Ledger, RollingWindow
from provider.replies import Reply, reply_for
from provider.rules import Answer, Rule, Script, rules_from_json

HOST = "127.0.0.1"
BACKLOG = 4096
# Long enough for a client on the same machine to read what was sent before the reset that follows it.
PAUSE_BEFORE_RESET_S = 0.05


@dataclass(frozen=True, slots=True)
class Options:
    """What a server is started with; `None` means no limit, and the API key is compared, never demanded."""

    api_key: str = "test-key"
    latency_s: float = 0.0
    max_concurrency: int | None = None
    max_calls_per_window: int | None = None
    window_s: float = 60.0
    ledger: Path | None = None
    keep_bodies: bool = True
    batch_s: float | None = None


class ProviderServer:
    """Answers chat completions on one port, and control requests on another that no scripted fault takes down."""

    def __init__(self, options: Options, rules: list[Rule]):
        self._options = options
        self._script = Script(rules)
        self._ledger = Ledger(options.ledger, options.keep_bodies, options.window_s)
        self._accepted = RollingWindow(options.window_s)
        self._batches = BatchServices(self._complete, options.api_key, options.batch_s)
        self._connections: set[Connection] = set()
        self._holding = Holding()
        self._listener: asyncio.Server | None = None
        self._reopening: asyncio.Task[None] | None = None

    async def start(self, port: int) -> dict[str, str]:
        """Listen; return the addresses as `base_url` and `control_url`. Port 0 means any free port."""
        # This socket never listens. It keeps the port ours while the server plays dead.
        self._port_holder = _bound_socket(port)
        self._port = self._port_holder.getsockname()[1]
        await self._listen()
        loop = asyncio.get_running_loop()
        self._control = await loop.create_server(lambda: Connection(self._control_request), HOST, 0)
        control_port = self._control.sockets[0].getsockname()[1]
        return {"base_url": f"http://{HOST}:{self._port}/v1", "control_url": f"http://{HOST}:{control_port}"}

    def finish(self) -> None:
        """Write to the ledger's file what is still in flight."""
        self._ledger.finish()

    async def _listen(self) -> None:
        self._listener = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._answer_call, self._connections), sock=_bound_socket(self._port), backlog=BACKLOG
        )

    async def _answer_call(self, request: Request, connection: Connection) -> None:
        if self._listener is None:  # the connection was waiting to be accepted when the server went down
            connection.reset()
            return
        if self._batches.serves(request):
            await self._batches.answer(request, connection)
            return
        call = _call_from(request, self._ledger.next_sequence(), self._options.api_key)
        self._ledger.open(call)
        name, answer = self._choose_answer(call)
        call = replace(call, answered_by=name)
        delivery = _Delivery(connection)
        try:
            await self._deliver(name, answer, reply_for(answer, call), delivery)
        except asyncio.CancelledError:
            if not delivery.reply_sent:
                delivery.ended = "server down" if connection.was_reset else "client gone"
            raise
        finally:
            self._ledger.close(call, delivery.ended, delivery.status, delivery.reply_sent)

    def _complete(self, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """What a request within a batch gets, by the same rules as a call."""
        request = Request("POST", "/v1/chat/completions", {}, orjson.dumps(body))
        call = _call_from(request, self._ledger.next_sequence(), self._options.api_key)
        rule = self._script.choose(call.model, call.prompt)
        reply = reply_for(rule.answer if rule else Answer(), call)
        return reply.status, orjson.loads(reply.body)

    def _choose_answer(self, call: Call) -> tuple[str, Answer]:
        """Return who answers, as the ledger names it, and the answer."""
        if not call.path.partition("?")[0].endswith("/chat/completions"):
            return "not found", Answer(status=404, latency_s=0)
        if call.model is None:
            return "bad request", Answer(status=400, latency_s=0)
        options = self._options
        if options.max_concurrency is not None and self._ledger.stats.in_flight > options.max_concurrency:
            return "over concurrency", Answer(status=429, headers={"retry-after": "1"}, latency_s=0)
        headers = {}
        if options.max_calls_per_window is not None:
            remaining = options.max_calls_per_window - self._accepted.count()
            if remaining <= 0:
                headers = {**self._rate_headers(0), "retry-after": str(math.ceil(self._accepted.until_next_free()))}
                return "over rate", Answer(status=429, headers=headers, latency_s=0)
            self._accepted.add()
            headers = self._rate_headers(remaining - 1)
        rule = self._script.choose(call.model, call.prompt)
        if rule is None:
            return "default", Answer(headers=headers)
        return rule.name, replace(rule.answer, headers={**headers, **rule.answer.headers})

    def _rate_headers(self, remaining: int) -> dict[str, str]:
        return {
            "x-ratelimit-limit-requests": str(self._options.max_calls_per_window),
            "x-ratelimit-remaining-requests": str(remaining),
            "x-ratelimit-reset-requests": f"{self._accepted.until_next_free():.3f}s",
        }

    async def _deliver(self, rule: str, answer: Answer, reply: Reply, delivery: _Delivery) -> None:
        if answer.down_for_s is not None:
            self._go_down(answer.down_for_s, until_released=answer.held)
            delivery.ended = "server down"
            return
        await self._holding.wait(rule, answer)
        if answer.hang_s is not None:
            await asyncio.sleep(answer.hang_s)
            delivery.reset()
            return
        latency_s = self._options.latency_s if answer.latency_s is None else answer.latency_s
        if latency_s > 0:
            await asyncio.sleep(latency_s)
        if answer.reset == "before":
            delivery.reset()
        elif answer.reset == "during" or answer.close_during:
            await delivery.send_half(reply, then_reset=answer.reset is not None)
        else:
            await delivery.send(reply)
            if answer.reset == "after":
                await asyncio.sleep(PAUSE_BEFORE_RESET_S)
                delivery.reset()

    def _go_down(self, seconds: float, *, until_released: bool) -> None:
        if self._listener:
            self._listener.close()
            self._listener = None
            self._reopening = asyncio.get_running_loop().create_task(self._come_back(seconds, until_released))
        for connection in list(self._connections):
            connection.reset()

    async def _come_back(self, seconds: float, until_released: bool) -> None:
        await asyncio.sleep(seconds)
        if until_released:
            await self._holding.released()
        await self._listen()

    async def _control_request(self, request: Request, connection: Connection) -> None:
        status, body = self._control_answer(request)
        reply = Reply(status, {}, body)
        await connection.send(reply.head() + body)

    def _control_answer(self, request: Request) -> tuple[int, bytes]:
        if request.path == "/control/batches":
            return self._batches.control(request)
        match request.method, request.path:
            case "GET", "/control/ledger":
                return 200, self._ledger.as_json()
            case "DELETE", "/control/ledger":
                self._ledger.reset()
                return 200, b"{}"
            case "GET", "/control/stats":
                self._ledger.stats.cpu_s = time.process_time()
                self._ledger.stats.connections = len(self._connections)
                return 200, orjson.dumps(self._ledger.stats)
            case "PUT", "/control/script":
                try:
                    self._script = Script(rules_from_json(orjson.loads(request.body)))
                except ValueError as error:
                    return 400, orjson.dumps({"error": str(error)})
                self._holding.begin_anew()
                return 200, b"{}"
            case "PUT", "/control/release":
                self._holding.release()
                return 200, b"{}"
        return 404, orjson.dumps({"error": f"there is no {request.method} {request.path}"})


class _Delivery:
    """Sends a reply through a connection, or part of it, and remembers what became of it."""

    def __init__(self, connection: Connection):
        self._connection = connection
        self.status: int | None = None
        self.reply_sent = False
        self.ended = "server error"

    async def send(self, reply: Reply) -> None:
        self.status = reply.status
        self.reply_sent = await self._connection.send(reply.head() + reply.body)
        self.ended = "replied" if self.reply_sent else "client gone"
        if reply.is_raw:
            self._connection.close()

    async def send_half(self, reply: Reply, then_reset: bool) -> None:
        self.status = reply.status
        await self._connection.send(reply.head() + reply.body[: len(reply.body) // 2])
        await asyncio.sleep(PAUSE_BEFORE_RESET_S)
        if then_reset:
            self.reset()
        else:
            self._connection.close()
            self.ended = "cut"

    def reset(self) -> None:
        self._connection.reset()
        self.ended = "reset"


def _call_from(request: Request, sequence: int, api_key: str) -> Call:
    headers = dict(request.headers)
    authorization = headers.pop("authorization", "")
    try:
        body = orjson.loads(request.body)
        canonical = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONDecodeError:
        body, canonical = request.body.decode(errors="replace"), request.body
    fields = body if isinstance(body, dict) else {}
    return Call(
        sequence=sequence,
        received_at=time.time(),
        path=request.path,
        headers=headers,
        key_came=bool(authorization),
        key_correct=authorization == f"Bearer {api_key}",
        model=fields.get("model"),
        seed=fields.get("seed"),
        prompt=_last_prompt(fields.get("messages")),
        body=body,
        body_sha256=hashlib.sha256(canonical).hexdigest(),
    )


def _last_prompt(messages: Any) -> str:
    """Return the text of the last message, whose content may be a list of parts; empty if there is none."""
    if not isinstance(messages, list) or not messages or not isinstance(messages[-1], dict):
        return ""
    content = messages[-1].get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if isinstance(part, dict))


def _bound_socket(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((HOST, port))
    bound.setblocking(False)
    return bound

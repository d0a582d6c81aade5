"""The batch services of the scripted server: OpenAI's files and batches, Anthropic's messages and message batches.

Time ends a batch (`batch_s` seconds after its creation), or a test does through the control door (`do`). Each request
that was executed counts as bought, under the digest of its body: whoever buys twice is seen.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from provider import anthropic_batches, openai_batches
from provider.batch_faults import BatchFault, BatchFaults, Operation, damaged_results
from provider.batch_work import BatchWork
from provider.connection import Connection, Request
from provider.openai_batches import ApiError, OpenAIBatch
from provider.replies import Reply

# A chat completion for a body, as the rules of the server have it: its status and its content.
Complete = Callable[[Mapping[str, Any]], tuple[int, dict[str, Any]]]
# Longer than anybody waits.
LATE_S = 3600


class BatchServices:
    """Both services, in one account each."""

    def __init__(self, complete: Complete, api_key: str, batch_s: float | None):
        self._complete = complete
        self._api_key = api_key
        self._batch_s = batch_s
        self._faults = BatchFaults()
        self._files: dict[str, tuple[str, bytes]] = {}
        self._openai: dict[str, OpenAIBatch] = {}
        self._anthropic: dict[str, BatchWork] = {}
        self._bought: Counter[str] = Counter()
        self._operations: Counter[str] = Counter()
        self._address = ""

    def serves(self, request: Request) -> bool:
        """Whether a request is for one of these services."""
        path = urlsplit(request.path).path
        return path.startswith(("/v1/files", "/v1/batches", "/v1/messages"))

    async def answer(self, request: Request, connection: Connection) -> None:
        """Answer a request, or what a fault leaves of the answer."""
        self._address = f"http://{request.headers.get('host', '')}"
        operation = _operation(request)
        fault = self._faults.next(operation) if operation else None
        effect = fault.effect if fault else ""
        if fault and effect in ("reset", "status"):
            await _fail(fault, connection)
            return
        status, body = self._do(request)
        self._operations[str(operation)] += status < 400
        if operation == "results" and status == 200:
            body = damaged_results(fault, body)
        if fault and effect in ("lost answer", "status after"):
            await _fail(fault, connection)
            return
        if effect == "late answer":
            await asyncio.sleep(LATE_S)
        if effect == "error in 200":
            status, body = 200, orjson.dumps({"error": {"message": "Something went wrong."}})
        elif effect == "empty object":
            status, body = 200, b"{}"
        reply = Reply(status, {"request-id": "req_scripted"}, body)
        if effect == "cut":
            await connection.send(reply.head() + body[: len(body) // 2])
            connection.close()
        else:
            await connection.send(reply.head() + body)

    def control(self, request: Request) -> tuple[int, bytes]:
        """What a test asks for: the state of all batches, faults to come, or that batches go on."""
        body = orjson.loads(request.body or b"{}")
        if request.method == "GET":
            return 200, orjson.dumps(self._state())
        if "faults" in body:
            self._faults = BatchFaults(body["faults"])
        if body.get("forget"):
            self._bought.clear()
        if "do" in body:
            self._go_on(**body)
        return 200, b"{}"

    def _state(self) -> dict[str, Any]:
        return {
            "bought": dict(self._bought),
            "operations": dict(self._operations),
            "files": len(self._files),
            "batches": {
                key: {"items": [item.custom_id for item in work.items], "ended_as": work.ended_as}
                for key, work in self._works().items()
            },
        }

    def _works(self) -> dict[str, BatchWork]:
        return {**{key: one.work for key, one in self._openai.items()}, **self._anthropic}

    def _go_on(self, do: str, share: float = 1.0, id: str | None = None) -> None:
        for key, work in self._works().items():
            if (work.ended_as is not None and do != "vanish") or id not in (None, key):
                continue
            if do == "vanish":
                work.vanished = True
                continue
            work.answer(share, self._execution(key), self._bought)
            if do in ("completed", "expired", "canceled", "failed"):
                self._end(key, work, "canceled" if work.cancel_at else do)
            elif do == "failed without files":
                work.end("failed")

    def _end(self, key: str, work: BatchWork, ended_as: Any) -> None:
        work.end(ended_as)
        if batch := self._openai.get(key):
            output, errors = batch.files()
            if output:
                batch.output_file_id = self._add_file("output.jsonl", output)
            if errors:
                batch.error_file_id = self._add_file("errors.jsonl", errors)

    def _pass_time(self) -> None:
        for key, work in self._works().items():
            if work.ended_as is not None:
                continue
            if (batch := self._openai.get(key)) and batch.errors:
                work.end("failed")
            elif work.cancel_at is not None:
                self._end(key, work, "canceled")
            elif self._batch_s is not None and time.time() >= work.created_at + self._batch_s:
                work.answer(1.0, self._execution(key), self._bought)
                self._end(key, work, "completed")

    def _execution(self, key: str) -> Callable[[Mapping[str, Any]], tuple[int, dict[str, Any]]]:
        return self._complete if key in self._openai else self._message

    def _message(self, params: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        if fault := anthropic_batches.fault_of_params(params):
            return 400, anthropic_batches.error_body(400, fault)
        status, completion = self._complete(params)
        if status >= 400:
            return status, anthropic_batches.error_body(status, "scripted")
        return 200, anthropic_batches.message_of(completion, dict(params))

    def _add_file(self, name: str, content: bytes) -> str:
        file_id = f"file-{len(self._files) + 1:06d}"
        self._files[file_id] = (name, content)
        return file_id

    def _do(self, request: Request) -> tuple[int, bytes]:
        url = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        parts = url.path.removeprefix("/v1/").strip("/").split("/")
        is_anthropic = parts[0] == "messages"
        try:
            self._check_key(request, is_anthropic=is_anthropic)
            self._pass_time()
            if is_anthropic:
                done = self._of_anthropic(request, parts[1:], query)
            elif parts[0] == "files":
                done = self._of_files(request, parts[1:])
            else:
                done = self._of_batches(request, parts[1:], query)
            return 200, done if isinstance(done, bytes) else orjson.dumps(done)
        except ApiError as error:
            said = anthropic_batches.error_body(error.status, error.message) if is_anthropic else error.body()
            return error.status, orjson.dumps(said)

    def _check_key(self, request: Request, *, is_anthropic: bool) -> None:
        headers = request.headers
        key = headers.get("authorization", "").removeprefix("Bearer ")
        # Anthropic's reference names x-api-key; its client of today sends the key as a bearer token.
        key = key or (headers.get("x-api-key", "") if is_anthropic else "")
        if key != self._api_key:
            raise ApiError(401, f"Incorrect API key provided: {key}.", "invalid_api_key")
        if is_anthropic and "anthropic-version" not in headers:
            raise ApiError(400, "anthropic-version: header is required")

    def _of_files(self, request: Request, parts: list[str]) -> Any:
        if request.method == "POST" and not parts:
            name, content = openai_batches.uploaded(request)
            return self._file(self._add_file(name, content))
        if not parts or parts[0] not in self._files:
            raise ApiError(404, f"No such File object: {parts[0] if parts else ''}")
        if request.method == "DELETE":
            del self._files[parts[0]]
            return {"id": parts[0], "object": "file", "deleted": True}
        return self._files[parts[0]][1] if parts[1:] == ["content"] else self._file(parts[0])

    def _file(self, file_id: str) -> dict[str, Any]:
        name, content = self._files[file_id]
        about = {"id": file_id, "object": "file", "bytes": len(content), "created_at": int(time.time())}
        return {**about, "filename": name, "purpose": "batch", "status": "processed"}

    def _of_batches(self, request: Request, parts: list[str], query: dict[str, str]) -> Any:
        if not parts and request.method == "POST":
            file_id, metadata = openai_batches.checked_creation(_json(request))
            if file_id not in self._files:
                raise ApiError(400, f"No such File object: {file_id}")
            items, errors = openai_batches.items_of(self._files[file_id][1])
            number = len(self._openai) + 1
            batch = OpenAIBatch(BatchWork(number, items), file_id, metadata, errors)
            self._openai[batch.id] = batch
            return {**batch.as_json(self._batch_s), "status": "validating"}
        if not parts:
            there = [one for one in self._openai.values() if not one.work.vanished]
            rows = [one.as_json(self._batch_s) for one in reversed(there)]
            return {"object": "list", **_page(rows, query.get("after"), int(query.get("limit", 20)), most=100)}
        found = self._openai.get(parts[0])
        if found is None or found.work.vanished:
            raise ApiError(404, f"No batch found with id '{parts[0]}'.")
        if parts[1:] == ["cancel"]:
            if found.work.ended_as is not None:
                raise ApiError(409, f"Cannot cancel a batch with status '{found.status(self._batch_s)}'.")
            found.work.cancel_at = time.time()
        return found.as_json(self._batch_s)

    def _of_anthropic(self, request: Request, parts: list[str], query: dict[str, str]) -> Any:
        if not parts:
            status, body = self._message(_json(request))
            if status >= 400:
                raise ApiError(status, body["error"]["message"])
            return body
        if parts == ["batches"] and request.method == "POST":
            items, refused = anthropic_batches.items_of(_json(request), len(request.body))
            if refused:
                raise ApiError(413 if "maximum size" in refused else 400, refused)
            work = BatchWork(len(self._anthropic) + 1, items)
            self._anthropic[anthropic_batches.batch_id(work)] = work
            return anthropic_batches.batch_json(work, self._address)
        if parts == ["batches"]:
            works = [work for work in reversed(self._anthropic.values()) if not work.vanished]
            rows = [anthropic_batches.batch_json(work, self._address) for work in works]
            return _page(rows, query.get("after_id"), int(query.get("limit", 20)), most=1000)
        found = self._anthropic.get(parts[1])
        if found is None or found.vanished:
            raise ApiError(404, f"Batch {parts[1]} not found")
        if parts[2:] == ["results"]:
            if found.ended_at is None:
                raise ApiError(404, "The batch has no results yet")
            return anthropic_batches.result_lines(found)
        if parts[2:] == ["cancel"] and found.ended_at is None:
            found.cancel_at = time.time()
        return anthropic_batches.batch_json(found, self._address)


def _json(request: Request) -> Any:
    try:
        return orjson.loads(request.body)
    except ValueError:
        raise ApiError(400, "The body is not valid JSON.") from None


def _page(rows: list[dict[str, Any]], after: str | None, limit: int, *, most: int) -> dict[str, Any]:
    """One page of a list, newest first."""
    if not 1 <= limit <= most:
        raise ApiError(400, f"limit: 1 to {most}")
    ids = [row["id"] for row in rows]
    start = ids.index(after) + 1 if after in ids else 0
    page = rows[start : start + limit]
    ends = {"first_id": page[0]["id"] if page else None, "last_id": page[-1]["id"] if page else None}
    return {"data": page, **ends, "has_more": start + limit < len(rows)}


def _operation(request: Request) -> Operation | None:
    path = urlsplit(request.path).path.rstrip("/")
    if request.method == "POST":
        if path.endswith("/cancel"):
            return "cancel"
        return "upload" if path.endswith("/files") else "create" if path.endswith("/batches") else None
    if path.endswith(("/content", "/results")):
        return "results"
    return "list" if path.endswith("/batches") else "retrieve" if "/batches/" in path else None


async def _fail(fault: BatchFault, connection: Connection) -> None:
    if fault.effect.startswith("status"):
        body = orjson.dumps(ApiError(fault.status, "scripted").body())
        await connection.send(Reply(fault.status, {}, body).head() + body)
    else:
        connection.reset()

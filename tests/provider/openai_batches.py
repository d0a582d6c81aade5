"""OpenAI's Files and Batch API, as its reference describes them: what a client sends and reads, and nothing else.

A file of JSON lines is uploaded and named in `POST /batches`; a batch is validated, worked on, finalized, and then has
an output file of the requests that were executed with success and an error file of the others.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from email.parser import BytesParser
from typing import Any

import orjson

from provider.batch_work import BatchWork, Item
from provider.connection import Request

MOST_REQUESTS, MOST_BYTES, WINDOW_S = 50_000, 200_000_000, 86_400
URL = "/v1/chat/completions"


class ApiError(Exception):
    """An error answer."""

    def __init__(self, status: int, message: str, code: str | None = None):
        super().__init__(message)
        self.status, self.message, self.code = status, message, code

    def body(self) -> dict[str, Any]:
        """The error as OpenAI writes it."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {"error": {"message": self.message, "type": kind, "param": None, "code": self.code}}


@dataclass
class OpenAIBatch:
    """A batch and what only OpenAI has of it."""

    work: BatchWork
    input_file_id: str
    metadata: dict[str, str] | None
    errors: list[dict[str, Any]] = field(default_factory=list)
    output_file_id: str | None = None
    error_file_id: str | None = None

    @property
    def id(self) -> str:
        return f"batch_{self.work.number:06d}"

    def status(self, batch_s: float | None) -> str:
        """The state that a look at the batch shows now."""
        work = self.work
        if work.ended_as is not None:
            return {"canceled": "cancelled"}.get(work.ended_as, work.ended_as)
        if work.cancel_at is not None:
            return "cancelling"
        passed = (time.time() - work.created_at) / batch_s if batch_s else 0.5
        return "validating" if passed < 0.1 else "finalizing" if passed > 0.9 else "in_progress"

    def as_json(self, batch_s: float | None) -> dict[str, Any]:
        """The batch object."""
        work, status = self.work, self.status(batch_s)
        ended = None if work.ended_at is None else int(work.ended_at)
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": URL,
            "errors": {"object": "list", "data": self.errors} if self.errors else None,
            "input_file_id": self.input_file_id,
            "completion_window": "24h",
            "status": status,
            "output_file_id": self.output_file_id,
            "error_file_id": self.error_file_id,
            "created_at": int(work.created_at),
            "in_progress_at": None if status in ("validating", "failed") else int(work.created_at),
            "expires_at": int(work.created_at) + WINDOW_S,
            "finalizing_at": ended if status == "completed" else None,
            "completed_at": ended if status == "completed" else None,
            "failed_at": ended if status == "failed" else None,
            "expired_at": ended if status == "expired" else None,
            "cancelling_at": None if work.cancel_at is None else int(work.cancel_at),
            "cancelled_at": ended if status == "cancelled" else None,
            "request_counts": {
                "total": 0 if status == "failed" else len(work.items),
                "completed": work.count("succeeded"),
                "failed": work.count("errored"),
            },
            "metadata": self.metadata,
        }

    def files(self) -> tuple[bytes, bytes]:
        """The contents of the output file and of the error file. A canceled batch says nothing of what it left out."""
        done, failed = [], []
        for number, item in enumerate(self.work.items):
            line: dict[str, Any] = {"id": f"batch_req_{self.work.number}_{number}", "custom_id": item.custom_id}
            if item.outcome in ("succeeded", "errored"):
                answer = {"status_code": item.status, "request_id": f"req_{number}", "body": item.answer}
                (done if item.outcome == "succeeded" else failed).append({**line, "response": answer, "error": None})
            elif item.outcome == "expired":
                message = "This request could not be executed before the completion window expired."
                failed.append({**line, "response": None, "error": {"code": "batch_expired", "message": message}})
        return _lines(done), _lines(failed)


def _lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def uploaded(request: Request) -> tuple[str, bytes]:
    """The name and content of an uploaded file. Raises ApiError."""
    head = f"content-type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + request.body)
    parts = {}
    for part in message.get_payload() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        parts[name] = (part.get_filename(), part.get_payload(decode=True))
    if parts.get("purpose", (None, b""))[1] != b"batch" or "file" not in parts:
        raise ApiError(400, "'purpose' and 'file' are required.")
    name, content = parts["file"]
    if len(content) > MOST_BYTES:
        raise ApiError(413, "The file is larger than 200 MB.")
    return name or "upload", content


def checked_creation(body: Any) -> tuple[str, dict[str, str] | None]:
    """The input file and metadata that a creation names. Raises ApiError."""
    known = {"input_file_id", "endpoint", "completion_window", "metadata"}
    if not isinstance(body, dict) or not set(body) <= known:
        raise ApiError(400, "Unknown parameter.", "unknown_parameter")
    if body.get("endpoint") != URL or body.get("completion_window") != "24h":
        raise ApiError(400, "Invalid endpoint or completion_window.")
    metadata = body.get("metadata")
    pairs = metadata.items() if isinstance(metadata, dict) else ()
    if len(pairs) > 16 or any(len(name) > 64 or not isinstance(v, str) or len(v) > 512 for name, v in pairs):
        raise ApiError(400, "Metadata has up to 16 pairs, of 64 and 512 characters.")
    return str(body.get("input_file_id")), metadata


def items_of(content: bytes) -> tuple[list[Item], list[dict[str, Any]]]:
    """The requests of an input file, and what is wrong with it."""
    items, errors, models = [], [], set()
    seen: set[str] = set()

    def wrong(line: int | None, code: str, message: str) -> None:
        errors.append({"code": code, "line": line, "message": message, "param": None})

    lines = content.splitlines()
    if not lines:
        wrong(None, "empty_file", "The input file is empty.")
    if len(lines) > MOST_REQUESTS:
        wrong(None, "too_many_tasks", f"The input file has more than {MOST_REQUESTS} requests.")
    for number, text in enumerate(lines, start=1):
        try:
            line = orjson.loads(text)
            item = Item(line["custom_id"], line["body"])
            if line["method"] != "POST" or line["url"] != URL:
                wrong(number, "invalid_url", "The URL of each line must be the endpoint of the batch.")
            models.add(item.body["model"])
        except (ValueError, KeyError, TypeError):
            wrong(number, "invalid_json_line", "This line is not parseable as valid JSON.")
            continue
        if item.custom_id in seen:
            wrong(number, "duplicate_custom_id", f"The custom_id {item.custom_id!r} was already used.")
        if len(item.custom_id) > 64:
            wrong(number, "invalid_custom_id", "A custom_id has at most 64 characters.")
        if item.body.get("stream"):
            wrong(number, "invalid_request", "Streaming is not supported in a batch.")
        seen.add(item.custom_id)
        items.append(item)
    if len(models) > 1:
        wrong(None, "mismatched_model", "An input file may only include requests to a single model.")
    return items, errors

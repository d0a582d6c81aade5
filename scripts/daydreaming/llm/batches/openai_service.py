"""OpenAI's Batch API: a file of requests is uploaded, a batch is made of it, two files of results come back.

Facts: developers.openai.com, guide "Batch API" and the reference of Files and Batches.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

import msgspec
import orjson

from daydreaming.inputs.endpoint_settings import Endpoint
from daydreaming.ledger.batch_records import BatchRecord, BatchRequest
from daydreaming.ledger.reading import error_text
from daydreaming.llm.batches.http_door import HttpDoor
from daydreaming.llm.batches.service import Outcome, ProviderBatch, Result, ServiceError, is_number
from daydreaming.llm.credentials import Credentials

URL = "/v1/chat/completions"
MARK = "daydreaming_batch"
PAGE = 100
_OVER = ("completed", "expired", "cancelled", "failed")
_EXPIRED, _CANCELED = ("batch_expired",), ("batch_cancelled", "batch_canceled")


class _Answer(msgspec.Struct):
    status_code: int
    body: msgspec.Raw = msgspec.Raw(b"null")
    request_id: str | None = None


class _Line(msgspec.Struct):
    custom_id: str
    response: _Answer | None = None
    error: dict[str, Any] | None = None


class OpenAIService:
    """The batches of an account at OpenAI, or at a server that has the same API."""

    keeps_marks = True
    most_requests = 50_000
    most_bytes = 200_000_000

    def __init__(self, endpoint: Endpoint, given: Credentials):
        import openai

        self._door = HttpDoor(openai, openai.OpenAI, endpoint, given)

    def line(self, request: BatchRequest) -> bytes:
        """A request as a line of the input file."""
        body = request.model_request().body()
        # There is nothing to stream in a batch, and the API refuses the words.
        body.pop("stream", None)
        body.pop("stream_options", None)
        return orjson.dumps({"custom_id": request.custom_id, "method": "POST", "url": URL, "body": body})

    def upload(self, record: BatchRecord, lines: Sequence[bytes]) -> str | None:
        """Upload the input file; one that nobody makes a batch of costs nothing."""
        name = f"daydreaming-{record.batch_id}.jsonl"
        body = {"purpose": "batch"}
        files = [("file", (name, b"\n".join(lines) + b"\n", "application/jsonl"))]
        headers = {"headers": {"Content-Type": "multipart/form-data"}}
        done = self._door.json("post", "/files", body=body, files=files, options=headers)
        return str(done["id"])

    def create(self, record: BatchRecord, lines: Sequence[bytes]) -> ProviderBatch:
        """Make a batch of the file that was uploaded."""
        body = {
            "input_file_id": record.input_file_id,
            "endpoint": URL,
            "completion_window": "24h",
            "metadata": {MARK: record.batch_id},
        }
        return _batch(self._door.json("post", "/batches", body=body))

    def since(self, moment: float) -> Iterator[ProviderBatch]:
        """The batches since a moment, newest first."""
        rows = self._door.rows("/batches", "after", PAGE)
        return takewhile(lambda batch: batch.created_at >= moment, map(_batch, rows))

    def is_account_of(self, record: BatchRecord) -> bool:
        """Whether the file that was uploaded for a batch is known here: a key of another project knows none of it."""
        try:
            self._door.json("get", f"/files/{record.input_file_id}")
        except ServiceError as error:
            if error.is_gone:
                return False
            raise
        return True

    def look(self, provider_id: str) -> ProviderBatch:
        """How far a batch is."""
        return _batch(self._door.json("get", f"/batches/{provider_id}"))

    def results(self, batch: ProviderBatch) -> Iterator[Result]:
        """The lines of the output file, then of the error file."""
        for file_id in batch.files:
            for line in io.BytesIO(self._door.content("get", f"/files/{file_id}/content")):
                yield _result(line)

    def cancel(self, provider_id: str) -> None:
        """Ask that a batch be ended: it can take ten minutes, and what is done by then is in its files."""
        self._door.json("post", f"/batches/{provider_id}/cancel")

    def close(self) -> None:
        """Close the connections."""
        self._door.client.close()


def _batch(row: dict[str, Any]) -> ProviderBatch:
    try:
        counts = {name: value for name, value in (row.get("request_counts") or {}).items() if is_number(value)}
        status = str(row["status"])
        files = tuple(str(row[name]) for name in ("output_file_id", "error_file_id") if row.get(name))
        return ProviderBatch(
            id=str(row["id"]),
            status=status,
            is_over=status in _OVER,
            created_at=float(row["created_at"]),
            requests=counts.get("total", 0),
            counts=counts,
            executed=counts.get("completed", 0) + counts.get("failed", 0),
            failed=_why_failed(row) if status == "failed" else "",
            leaves_out=status in ("cancelled", "failed"),
            files=files,
            mark=(row.get("metadata") or {}).get(MARK),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"The provider's answer is no batch ({error!r})."
        raise ServiceError(message, perhaps_done=True, perhaps_gone=True) from None


def _why_failed(row: dict[str, Any]) -> str:
    errors = (row.get("errors") or {}).get("data") or []
    said = [f"{one.get('message')} (code {one.get('code')}, line {one.get('line')})" for one in errors[:3]]
    return " ".join(said) or "the provider did not say why"


def _result(line: bytes) -> Result:
    try:
        row = msgspec.json.decode(line, type=_Line)
    except msgspec.DecodeError as error:
        raise ServiceError(f"A file of results was cut off or is damaged ({error}).") from None
    if row.response is not None:
        body = bytes(row.response.body)
        headers = {"x-request-id": row.response.request_id} if row.response.request_id else {}
        is_done = 200 <= row.response.status_code < 300
        message = "" if is_done else f"status {row.response.status_code}: {_error_in(body)}"
        outcome: Outcome = "answered" if is_done else "errored"
        return Result(row.custom_id, outcome, row.response.status_code, body, headers, message)
    fault = row.error or {}
    code = fault.get("code")
    if code in _EXPIRED or code in _CANCELED:
        return Result(row.custom_id, "expired" if code in _EXPIRED else "canceled", 0)
    return Result(row.custom_id, "errored", 0, message=error_text(fault))


def _error_in(body: bytes) -> str:
    try:
        content = orjson.loads(body)
    except ValueError:
        content = None
    return error_text(content.get("error", content) if isinstance(content, dict) else str(content))

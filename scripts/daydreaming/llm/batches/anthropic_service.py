"""Anthropic's Message Batches: one body of requests, one file of results, no metadata.

Facts: platform.claude.com, "Batch processing" and the reference of Message Batches.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any

import msgspec
import orjson

from daydreaming.inputs.endpoint_settings import Endpoint
from daydreaming.ledger.batch_records import BatchRecord, BatchRequest
from daydreaming.ledger.reading import error_text
from daydreaming.llm.anthropic_messages import message_body
from daydreaming.llm.batches.http_door import HttpDoor
from daydreaming.llm.batches.service import Outcome, ProviderBatch, Result, ServiceError, is_number
from daydreaming.llm.credentials import Credentials

PATH = "/v1/messages/batches"
PAGE = 1000
_OUTCOMES: dict[str, Outcome] = {"errored": "errored", "expired": "expired", "canceled": "canceled"}


class _Outcome(msgspec.Struct):
    type: str
    message: msgspec.Raw = msgspec.Raw(b"null")
    error: dict[str, Any] | None = None


class _Line(msgspec.Struct):
    custom_id: str
    result: _Outcome


class AnthropicService:
    """The batches of a workspace at Anthropic."""

    keeps_marks = False
    most_requests = 100_000
    most_bytes = 256_000_000

    def __init__(self, endpoint: Endpoint, given: Credentials):
        import anthropic

        self._door = HttpDoor(anthropic, anthropic.Anthropic, endpoint, given)

    def line(self, request: BatchRequest) -> bytes:
        """A request as a member of the list of requests."""
        params = message_body(request.model_request(), caches=request.is_of_judge)
        return orjson.dumps({"custom_id": request.custom_id, "params": params})

    def upload(self, record: BatchRecord, lines: Sequence[bytes]) -> str | None:
        """Nothing to upload."""
        return None

    def create(self, record: BatchRecord, lines: Sequence[bytes]) -> ProviderBatch:
        """Order a batch."""
        return _batch(self._door.json("post", PATH, content=b'{"requests":[' + b",".join(lines) + b"]}"))

    def since(self, moment: float) -> Iterator[ProviderBatch]:
        """The batches since a moment, newest first."""
        rows = self._door.rows(PATH, "after_id", PAGE)
        return takewhile(lambda batch: batch.created_at >= moment, map(_batch, rows))

    def is_account_of(self, record: BatchRecord) -> bool:
        """Always: nothing at Anthropic tells one workspace from another before a batch is there."""
        return True

    def look(self, provider_id: str) -> ProviderBatch:
        """How far a batch is."""
        return _batch(self._door.json("get", f"{PATH}/{provider_id}"))

    def results(self, batch: ProviderBatch) -> Iterator[Result]:
        """The lines of the file of results. Its address is ours, for the key goes nowhere else."""
        for line in io.BytesIO(self._door.content("get", f"{PATH}/{batch.id}/results")):
            yield _result(line)

    def cancel(self, provider_id: str) -> None:
        """Ask that a batch be ended; what is done by then is in its results."""
        self._door.json("post", f"{PATH}/{provider_id}/cancel")

    def close(self) -> None:
        """Close the connections."""
        self._door.client.close()


def _batch(row: dict[str, Any]) -> ProviderBatch:
    try:
        counts = {name: value for name, value in row["request_counts"].items() if is_number(value)}
        return ProviderBatch(
            id=str(row["id"]),
            status=str(row["processing_status"]),
            is_over=row["processing_status"] == "ended",
            created_at=datetime.fromisoformat(row["created_at"]).timestamp(),
            requests=sum(counts.values()),
            counts=counts,
            executed=counts.get("succeeded", 0) + counts.get("errored", 0),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"The provider's answer is no batch ({error!r})."
        raise ServiceError(message, perhaps_done=True, perhaps_gone=True) from None


def _result(line: bytes) -> Result:
    try:
        row = msgspec.json.decode(line, type=_Line)
        if row.result.type == "succeeded":
            return Result(row.custom_id, "answered", 200, bytes(row.result.message))
        outcome = _OUTCOMES[row.result.type]
    except (msgspec.DecodeError, KeyError) as error:
        raise ServiceError(f"The file of results was cut off or is damaged ({error}).") from None
    error_object = (row.result.error or {}).get("error") or row.result.error
    return Result(row.custom_id, outcome, 0, message=error_text(error_object) if error_object else "")

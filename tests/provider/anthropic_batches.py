"""Anthropic's Messages and Message Batches, as its reference describes them: what a client sends and reads.

A batch is one body of up to 100,000 requests and 256 MB, has no metadata, and ends at the latest after 24 hours; then
it has one file of results in any order, where each request has succeeded, errored, expired or been canceled.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import orjson

from provider.batch_work import BatchWork, Item

MOST_REQUESTS, MOST_BYTES, WINDOW_S = 100_000, 256_000_000, 86_400
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_KINDS = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 413: "request_too_large"}
_MORE_KINDS = {429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}


def error_body(status: int, message: str) -> dict[str, Any]:
    """An error as Anthropic writes it."""
    kind = {**_KINDS, **_MORE_KINDS}.get(status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_scripted"}


def batch_id(work: BatchWork) -> str:
    """The id of a batch."""
    return f"msgbatch_{work.number:06d}"


def batch_json(work: BatchWork, address: str) -> dict[str, Any]:
    """The batch object. Until it has ended, all requests are counted as processing."""
    ended = work.ended_at is not None
    return {
        "id": batch_id(work),
        "type": "message_batch",
        "processing_status": "ended" if ended else "canceling" if work.cancel_at else "in_progress",
        "request_counts": {
            "processing": 0 if ended else len(work.items),
            "succeeded": work.count("succeeded") if ended else 0,
            "errored": work.count("errored") if ended else 0,
            "canceled": work.count("canceled") if ended else 0,
            "expired": work.count("expired") if ended else 0,
        },
        "created_at": _time(work.created_at),
        "expires_at": _time(work.created_at + WINDOW_S),
        "ended_at": _time(work.ended_at),
        "cancel_initiated_at": _time(work.cancel_at),
        "archived_at": None,
        "results_url": f"{address}/v1/messages/batches/{batch_id(work)}/results" if ended else None,
    }


def _time(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def items_of(body: Any, size: int) -> tuple[list[Item], str]:
    """The requests of a creation, and why it is refused ("": it is not). Their `params` are not looked at here."""
    if size > MOST_BYTES:
        return [], "Request exceeds the maximum size"
    if not isinstance(body, dict) or set(body) != {"requests"} or not isinstance(body["requests"], list):
        return [], "requests: Field required, and no other field is permitted"
    rows = body["requests"]
    if not 1 <= len(rows) <= MOST_REQUESTS:
        return [], f"requests: 1 to {MOST_REQUESTS} are permitted"
    if any(not isinstance(row, dict) or set(row) != {"custom_id", "params"} for row in rows):
        return [], "requests: each has custom_id and params"
    if bad := next((row for row in rows if not _CUSTOM_ID.fullmatch(str(row["custom_id"]))), None):
        return [], f"custom_id: {bad['custom_id']!r} should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'"
    items = [Item(row["custom_id"], row["params"]) for row in rows]
    if len({item.custom_id for item in items}) < len(items):
        return [], "custom_id: each must be unique within the batch"
    return items, ""


def result_lines(work: BatchWork) -> bytes:
    """The results of a batch, in an order of their own."""
    return b"".join(orjson.dumps(_result(item)) + b"\n" for item in sorted(work.items, key=lambda one: one.custom_id))


def _result(item: Item) -> dict[str, Any]:
    result: dict[str, Any] = {"type": item.outcome}
    if item.outcome == "succeeded":
        result["message"] = item.answer
    elif item.outcome == "errored":
        result["error"] = item.answer
    return {"custom_id": item.custom_id, "result": result}


def fault_of_params(params: Any) -> str:
    """Why a message cannot be made of a request's parameters; "" if it can."""
    if not isinstance(params, dict):
        return "params: a mapping is required"
    known = {
        "model",
        "max_tokens",
        "messages",
        "system",
        "temperature",
        "top_p",
        "stop_sequences",
        "thinking",
        "stream",
    }
    if unknown := sorted(set(params) - known):
        return f"{unknown[0]}: Extra inputs are not permitted"
    missing = sorted({"model", "max_tokens", "messages"} - set(params))
    if missing:
        return f"{missing[0]}: Field required"
    if any(message.get("role") not in ("user", "assistant") for message in params["messages"]):
        return "messages: the role is user or assistant"
    return ""


def message_of(completion: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """A message that says what a chat completion says."""
    choice, usage = completion["choices"][0], completion["usage"]
    reason = {"stop": "end_turn", "length": "max_tokens"}.get(choice["finish_reason"], choice["finish_reason"])
    cached = len(orjson.dumps(params)) // 8 if b'"cache_control"' in orjson.dumps(params) else 0
    return {
        "id": completion["id"].replace("chatcmpl", "msg"),
        "type": "message",
        "role": "assistant",
        "model": params["model"],
        "content": [{"type": "text", "text": choice["message"]["content"]}],
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {
            "input_tokens": usage["prompt_tokens"],
            "cache_creation_input_tokens": cached,
            "cache_read_input_tokens": 0,
            "output_tokens": usage["completion_tokens"],
        },
    }

"""What an HTTP answer means: a reply that was paid for, or a failed call and whether trying again can help."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from daydreaming.base.errors import FailureKind
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.replies import Reply

SHOWN_CHARACTERS = 300
# A run that would only wait is ended, and says so.
LONGEST_RETRY_AFTER_S = 600.0
STATUS_CURES = {
    401: "Check the key in the endpoint's environment variable.",
    402: "The account has no credit left.",
    403: "The key may not use this model.",
    404: "Check the endpoint's base_url and the model string in llm_models.csv.",
}
RETRYABLE_STATUSES = frozenset({408, 409, 425, 429})


class CallError(Exception):
    """A call that brought no reply. `perhaps_billed`: the provider may have done the work and charge for it."""

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        retryable: bool = False,
        retry_after_s: float | None = None,
        perhaps_billed: bool = False,
        status: int | None = None,
    ):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.perhaps_billed = perhaps_billed
        self.status = status

    def hide(self, secret: str) -> None:
        """Take a key out of the message: some endpoints repeat the one that they refuse."""
        self.message = self.message.replace(secret, "***")
        self.args = (self.message,)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as it came. Times are Unix seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    started_at: float
    finished_at: float


def read_answer(answer: Answer, request: ModelRequest, prices: tuple[float | None, float | None]) -> Reply:
    """Return the reply that an answer holds.

    `prices` are US dollars per million prompt and completion tokens; a cost that the provider reports wins over them.
    Raises CallError for anything but a completion.
    """
    if answer.status >= 400:
        raise _status_failure(answer.status, _error_message(answer.body), answer.headers)
    content, malformed = _decode(answer.body)
    if content.get("error"):
        raise _error_object_failure(content["error"], answer.headers)
    choices = content.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None
    if choice is None:
        raise CallError(
            FailureKind.API, f"The answer holds no choices: {_shown(answer.body)}", retryable=True, perhaps_billed=True
        )
    if choice.get("error"):
        raise _error_object_failure(choice["error"], answer.headers)
    message = choice.get("message") if isinstance(choice.get("message"), dict) else {}
    usage = _usage(content.get("usage"))
    return Reply(
        request_sha256=request.sha256,
        text=_text(message.get("content")),
        finish_reason=choice.get("finish_reason"),
        refusal=_text(message.get("refusal")),
        usage=usage,
        cost_usd=_cost(content.get("usage"), usage, prices),
        served_model=content.get("model"),
        request_id=answer.headers.get("x-request-id") or content.get("id"),
        started_at=answer.started_at,
        finished_at=answer.finished_at,
        malformed=malformed,
    )


def _decode(body: bytes) -> tuple[dict[str, Any], str | None]:
    """Return the JSON object of a body, and what is wrong with its encoding."""
    malformed = None
    try:
        content = orjson.loads(body)
    except ValueError:
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            text, malformed = body.decode("utf-8", errors="replace"), "The reply holds bytes that are not UTF-8."
        try:
            # Lone surrogates, which only this package reads, could not be written to any file: they become U+FFFD.
            whole = json.dumps(json.loads(text), ensure_ascii=False).encode("utf-16", errors="surrogatepass")
            content = json.loads(whole.decode("utf-16", errors="replace"))
        except ValueError as error:
            page = text.lstrip()[:1] == "<"
            what = "a web page, not JSON: is the endpoint's base_url right?" if page else f"not JSON ({error}):"
            message = f"The endpoint answered with {what} {_shown(body)}"
            raise CallError(FailureKind.API, message, retryable=True, perhaps_billed=not page) from error
    if not isinstance(content, dict):
        raise CallError(FailureKind.API, f"The answer is not a JSON object: {_shown(body)}", retryable=True)
    return content, malformed


def _status_failure(status: int, message: str, headers: Mapping[str, str]) -> CallError:
    cure, wait_s = STATUS_CURES.get(status, ""), retry_after(headers)
    is_too_long = wait_s is not None and wait_s > LONGEST_RETRY_AFTER_S
    if is_too_long:
        cure = f"It asks to wait {wait_s:.0f} s: run again then."
    return CallError(
        FailureKind.RATE_LIMIT if status == 429 else FailureKind.API,
        f"The endpoint answered with status {status}: {message} {cure}".strip(),
        retryable=(status in RETRYABLE_STATUSES or status >= 500) and not is_too_long,
        retry_after_s=None if is_too_long else wait_s,
        status=status,
    )


def _error_object_failure(error: Any, headers: Mapping[str, str]) -> CallError:
    """An error inside an answer of status 200: its code decides, as a status would; without one it may pass."""
    code = error.get("code") if isinstance(error, dict) else None
    message = str(error.get("message", error) if isinstance(error, dict) else error)[:SHOWN_CHARACTERS]
    status = int(code) if str(code).isdecimal() and 400 <= int(code) < 600 else 500
    failure = _status_failure(status, message, headers)
    failure.message = f"The endpoint answered with an error inside a status 200 (code {code}): {message}"
    failure.args = (failure.message,)
    return failure


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, as `retry-after-ms` or `Retry-After` say (seconds, or an HTTP date); None if they do not."""
    milliseconds = headers.get("retry-after-ms", "")
    if re.fullmatch(r"\d+(\.\d+)?", milliseconds):
        return float(milliseconds) / 1000
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    if not value:
        return None
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _error_message(body: bytes) -> str:
    try:
        error = orjson.loads(body).get("error") or _shown(body)
        return str(error.get("message", error) if isinstance(error, dict) else error)[:SHOWN_CHARACTERS]
    except (ValueError, AttributeError):
        return _shown(body)


def _shown(body: bytes) -> str:
    return " ".join(body[: SHOWN_CHARACTERS * 4].decode("utf-8", errors="replace").split())[:SHOWN_CHARACTERS]


def _text(content: Any) -> str | None:
    """The text of a message: a string, or the text parts of a list."""
    if isinstance(content, list):
        content = "".join(part.get("text") or "" for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else None


def _usage(reported: Any) -> dict[str, int]:
    if not isinstance(reported, dict):
        return {}
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    return {name: reported[name] for name in names if isinstance(reported.get(name), int)}


def _cost(reported: Any, usage: Mapping[str, int], prices: tuple[float | None, float | None]) -> float | None:
    cost = reported.get("cost") if isinstance(reported, dict) else None
    if isinstance(cost, int | float) and not isinstance(cost, bool):
        return float(cost)
    if None in prices or "prompt_tokens" not in usage or "completion_tokens" not in usage:
        return None
    return (usage["prompt_tokens"] * prices[0] + usage["completion_tokens"] * prices[1]) / 1e6

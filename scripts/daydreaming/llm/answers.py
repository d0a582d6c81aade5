"""What an HTTP answer means: one to be kept and read, or a failed call and whether trying again can help."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

from daydreaming.base.errors import FailureKind
from daydreaming.ledger.reading import NoReplyError, error_text, shown, too_large
from daydreaming.ledger.received import Received

STATUS_CURES = {
    401: "Check the key in the endpoint's environment variable.",
    402: "The account has no credit left.",
    403: "The key may not use this model.",
    404: "Check the endpoint's base_url and the model string in llm_models.csv.",
    407: "Check the proxy that the environment names.",
}
RETRYABLE_STATUSES = frozenset({408, 409, 425, 429})
# What every further call to the same endpoint and model would meet.
LASTING_STATUSES = frozenset({401, 402, 403, 404, 407})
KEPT_HEADERS = ("content-type", "date", "server", "x-request-id", "cf-ray", "retry-after", "retry-after-ms", "location")
_MODERATED = re.compile(r"moderation|flagged|content[ _-]?(filter|policy|management)|ResponsibleAI", re.IGNORECASE)
_LOADING = re.compile(r"\bloading\b|being loaded|warming up|starting up|\bstill loading", re.IGNORECASE)


class CallError(Exception):
    """A call that brought no reply.

    `perhaps_billed`: the provider may have done the work and charge for it. `lasting`: what every other call to the
    same endpoint and model would meet, in words. `stops_for_s`: for how long (seconds) the provider wants no call to
    the model, when that is longer than a run waits. `is_loading`: the server is loading its model.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        retryable: bool = False,
        retry_after_s: float | None = None,
        perhaps_billed: bool = False,
        status: int | None = None,
        lasting: str | None = None,
        is_loading: bool = False,
        stops_for_s: float | None = None,
    ):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.perhaps_billed = perhaps_billed
        self.status = status
        self.lasting = lasting
        self.is_loading = is_loading
        self.stops_for_s = stops_for_s


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as it came, secrets taken out. Times are Unix seconds.

    `incomplete` says why the rest of the body is missing, and `larger_than` names the limit in bytes if that is why;
    `milliseconds` is from the first byte sent to the last one received.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    started_at: float
    finished_at: float
    milliseconds: float = 0.0
    incomplete: str | None = None
    larger_than: int | None = None
    redacted: int = 0

    @property
    def is_success(self) -> bool:
        """Whether the endpoint says that this is what was asked for (a status 2xx)."""
        return 200 <= self.status < 300

    def received(self) -> Received:
        """What the reply store keeps of it."""
        kept = {name: value for name, value in self.headers.items() if _is_kept(name)}
        return Received.of(
            self.body,
            status=self.status,
            headers=kept,
            started_at=self.started_at,
            finished_at=self.finished_at,
            incomplete=self.incomplete,
            larger_than=self.larger_than,
            redacted=self.redacted,
        )


def _is_kept(name: str) -> bool:
    return name in KEPT_HEADERS or name.startswith(("x-ratelimit-", "openai-", "x-openrouter", "x-generation"))


def status_failure(answer: Answer, base_url: str, longest_wait_s: float) -> CallError:
    """What an answer with a status other than 2xx means."""
    if 300 <= answer.status < 400:
        target = shown(answer.headers.get("location", "nowhere"))
        return CallError(
            FailureKind.API,
            f"The endpoint redirects (status {answer.status}) to {target}. Redirects are not followed: if that is the "
            "right address, make it the endpoint's base_url.",
            status=answer.status,
            lasting=f"status {answer.status}",
        )
    error = _error_of(answer.body)
    text = error_text(error) if error else shown(answer.body)
    cure = _cure(answer.status, base_url)
    return _failure(
        answer.status,
        f"The endpoint answered with status {answer.status}: {text}",
        error if error else text,
        cure,
        wait_s=retry_after(answer.headers),
        longest_wait_s=longest_wait_s,
    )


def inside_failure(error: NoReplyError, answer: Answer, longest_wait_s: float) -> CallError:
    """What an answer of status 2xx without a reply means: the code of an error inside it decides, as a status would."""
    if error.error is None:
        if answer.larger_than is not None:
            # What is too large now will be too large again, and was probably paid for.
            return CallError(FailureKind.MALFORMED, too_large(answer.larger_than), perhaps_billed=True)
        late = answer.incomplete is not None and "timeout_s" in answer.incomplete
        broken = answer.incomplete is not None
        kind = FailureKind.TIMEOUT if late else FailureKind.CONNECTION if broken else FailureKind.API
        message = error.message if answer.incomplete is None else f"The answer broke off: {answer.incomplete}"
        return CallError(kind, message, retryable=True, perhaps_billed=error.perhaps_billed)
    return _failure(
        error.code or 500,
        error.message,
        error.error,
        STATUS_CURES.get(error.code or 500, ""),
        wait_s=retry_after(answer.headers),
        longest_wait_s=longest_wait_s,
    )


def _failure(
    status: int, message: str, error: Any, cure: str, *, wait_s: float | None, longest_wait_s: float
) -> CallError:
    if status in {400, 403} and _MODERATED.search(str(error)):
        message += " The provider's moderation refused the prompt: change the template or the model."
        return CallError(FailureKind.REFUSED, message, status=status)
    lasting = f"status {status}" if status in LASTING_STATUSES else None
    stops_for_s = None
    retryable = status in RETRYABLE_STATUSES or status >= 500
    if retryable and wait_s is not None and wait_s > longest_wait_s:
        until = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + min(wait_s, 3e9)))
        cure = f"It asks to wait {wait_s:.0f} s, until {until}: run again then (longest_wait_s is {longest_wait_s:g})."
        stops_for_s, retryable = wait_s, False
    return CallError(
        FailureKind.RATE_LIMIT if status == 429 else FailureKind.API,
        f"{message.rstrip('.')}. {cure}".strip(),
        retryable=retryable,
        retry_after_s=wait_s,
        status=status,
        lasting=lasting,
        stops_for_s=stops_for_s,
        is_loading=retryable and status in {425, 502, 503, 504} and bool(_LOADING.search(str(error))),
    )


def _cure(status: int, base_url: str) -> str:
    address = urlsplit(base_url)
    if status == 404 and (address.hostname or "").endswith((".azure.com", ".azure.net")):
        return "Azure wants `default_query: {api-version: ...}` of the endpoint, and the deployment in base_url."
    if status == 404 and not re.search(r"/v\d+", address.path):
        return f"The endpoint's base_url has no /v1, which most servers want: try {base_url.rstrip('/')}/v1."
    return STATUS_CURES.get(status, "")


def _error_of(body: bytes) -> Any:
    """The error object of a body; None if it has none."""
    try:
        content = orjson.loads(body)
    except ValueError:
        return None
    if isinstance(content, list) and content:
        content = content[0]
    return content.get("error") if isinstance(content, dict) else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, as `retry-after-ms` or `Retry-After` say (seconds, or an HTTP date); None if they do not."""
    milliseconds = headers.get("retry-after-ms", "").strip()
    if re.fullmatch(r"\d{1,15}(\.\d+)?", milliseconds, re.ASCII):
        return float(milliseconds) / 1000
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,15}(\.\d+)?", value, re.ASCII):
        return float(value)
    if not value:
        return None
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(value)
        return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None

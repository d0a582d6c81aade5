"""What a provider's batch service can do, whoever the provider is, and what went wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from daydreaming.inputs.endpoint_settings import Endpoint
from daydreaming.ledger.batch_records import BatchRecord, BatchRequest

# A file of many requests takes longer than one call.
SHORTEST_TIMEOUT_S = 600.0
Outcome = Literal["answered", "errored", "expired", "canceled"]


class ServiceError(Exception):
    """An operation of a batch service that failed.

    `perhaps_done`: the provider may have done what was asked. `is_gone`: it does not know the batch; `perhaps_gone`: it
    answered something that is no batch, for a moment or for ever.
    """

    def __init__(self, message: str, *, perhaps_done: bool = False, is_gone: bool = False, perhaps_gone: bool = False):
        super().__init__(message)
        self.message = message
        self.perhaps_done = perhaps_done
        self.is_gone = is_gone
        self.perhaps_gone = perhaps_gone


@dataclass(frozen=True, slots=True)
class ProviderBatch:
    """A batch as its provider shows it. `is_over`: its results are there, or it never began (then `failed` says why).

    `executed` is how many requests the provider says that it has answered, with a reply or an error. `leaves_out`:
    requests that it did not come to stand in none of its files. Times are Unix seconds.
    """

    id: str
    status: str
    is_over: bool
    created_at: float
    requests: int
    counts: Mapping[str, int]
    executed: int = 0
    failed: str = ""
    leaves_out: bool = False
    files: tuple[str, ...] = ()
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request. `body` is the answer as it came, `message` what an error says."""

    custom_id: str
    outcome: Outcome
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = ""
    redacted: int = 0


class BatchService(Protocol):
    """The batches of one account. No method repeats anything by itself; all raise ServiceError.

    `keeps_marks`: a batch can be told by what it was created with, and not by its results alone.
    """

    keeps_marks: bool
    most_requests: int
    most_bytes: int

    def line(self, request: BatchRequest) -> bytes:
        """A request as it is sent. Raises GenerationError for one that this provider cannot be asked."""

    def upload(self, record: BatchRecord, lines: Sequence[bytes]) -> str | None:
        """Bring the requests to the provider, where that is a step of its own; returns the name of their file."""

    def create(self, record: BatchRecord, lines: Sequence[bytes]) -> ProviderBatch:
        """Order a batch. This is what costs."""

    def since(self, moment: float) -> Iterator[ProviderBatch]:
        """The batches of the account that were made since a moment (Unix seconds), newest first."""

    def is_account_of(self, record: BatchRecord) -> bool:
        """Whether this is the account that a batch was to be made in, as far as the provider lets one see it."""

    def look(self, provider_id: str) -> ProviderBatch:
        """How far a batch is."""

    def results(self, batch: ProviderBatch) -> Iterator[Result]:
        """What became of its requests, as far as the files can be read; raises at last where they were cut off."""

    def cancel(self, provider_id: str) -> None:
        """Ask that a batch be ended."""

    def close(self) -> None:
        """Close its connections."""


def service_for(endpoint: Endpoint) -> BatchService:
    """The batch service of an endpoint. Raises GenerationError (missing_key)."""
    from daydreaming.llm.credentials import credentials_of

    given = credentials_of(endpoint)
    if endpoint.kind == "anthropic":
        from daydreaming.llm.batches.anthropic_service import AnthropicService

        return AnthropicService(endpoint, given)
    from daydreaming.llm.batches.openai_service import OpenAIService

    return OpenAIService(endpoint, given)


def is_number(value: Any) -> bool:
    """Whether a value of a body is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)

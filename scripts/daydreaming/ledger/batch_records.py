"""The records of provider batches: what was sent under which ids, and how far it is.

A record is written before anything is sent and after each answer that changes it, so that whatever ends a process, the
next one knows what the provider may hold.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from daydreaming.base.atomic import write_bytes
from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.base.locks import locked_file
from daydreaming.base.paths import DataPaths
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.received import Prices

# Both providers allow ids of 64 letters, digits, "-" and "_"; 40 hexadecimal digits of a name are 160 bits.
DIGITS_OF_REQUEST = 40
# More than any file system rounds its times to.
_TICK_NS = 2_000_000_000


class BatchState(StrEnum):
    """How far a batch is. The provider may hold one that is `sending`, and holds one that is `accepted`."""

    PREPARED = "prepared"  # its requests are reserved; nothing was asked for
    SENDING = "sending"  # its creation was asked for, and no answer is known
    ACCEPTED = "accepted"
    COLLECTED = "collected"  # each of its requests has an outcome
    NOT_SENT = "not sent"  # it never reached the provider, or was refused
    GIVEN_UP = "given up"  # the user no longer waits for what its provider does not give


OPEN = (BatchState.PREPARED, BatchState.SENDING, BatchState.ACCEPTED)


class BatchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a batch: its id there, what is asked, for what, at which prices, and its call in the journal."""

    custom_id: str
    request_sha256: str
    request: dict[str, Any]
    account: Mapping[str, str]
    prices: Prices
    call: str
    reserved_usd: float | None = None
    is_of_judge: bool = False

    def model_request(self) -> ModelRequest:
        """The request itself. Raises GenerationError (storage) where it is not the one that its name says."""
        request = ModelRequest.from_content(self.request)
        if request.sha256 != self.request_sha256:
            message = f"The request of {self.custom_id} in a batch's file was changed: put the file back as it was."
            raise GenerationError(FailureKind.STORAGE, message)
        return request


class _Name(msgspec.Struct):
    """What is needed of a request to know that it waits."""

    request_sha256: str


class BatchRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A batch. Times are Unix seconds, amounts US dollars, at the batch price.

    `answerer` is the address that it was sent to. `provider_id` is known once it was accepted. `suspects` are batches
    at the provider that may be this one: nobody knows before their results are there; `cleared` are those that turned
    out to be others'. `is_stuck`: the provider no longer gives what it owes, so that the user may give it up;
    `missing_since`: since when it answers as if there were no such batch. `outcomes` counts its requests by what became
    of them, `errors` has what the provider says of those that it could not execute, by request_sha256. `settled_in` is
    the run that brought it to its end.
    """

    version: int = 1
    batch_id: str
    endpoint: str
    kind: str
    answerer: str
    model: str
    cohort_id: str
    requests: int
    state: BatchState = BatchState.PREPARED
    prepared_at: float = 0.0
    reserved_usd: float | None = None
    input_file_id: str | None = None
    sending_at: float | None = None
    provider_id: str | None = None
    accepted_at: float | None = None
    suspects: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    status: str = ""
    counts: Mapping[str, int] = {}
    looked_at: float | None = None
    cancel_asked: bool = False
    problem: str = ""
    is_stuck: bool = False
    missing_since: float | None = None
    outcomes: Mapping[str, int] = {}
    errors: Mapping[str, str] = {}
    cost_usd: float | None = None
    settled_at: float | None = None
    settled_in: str = ""

    @property
    def is_open(self) -> bool:
        """Whether requests of it may still be answered, or paid for."""
        return self.state in OPEN

    def with_(self, **changes: Any) -> BatchRecord:
        """The record with some values changed."""
        return msgspec.structs.replace(self, **changes)


# Made known to msgspec here: see `stored_answers`.
_KNOWN: tuple[msgspec.json.Decoder[Any], ...] = tuple(
    msgspec.json.Decoder(kind) for kind in (BatchRequest, _Name, BatchRecord)
)


def new_batch_id() -> str:
    """A name for a batch that no other one has: 16 hexadecimal digits."""
    return uuid.uuid4().hex[:16]


def custom_id(batch_id: str, request_sha256: str) -> str:
    """The id of a request in a batch: it says which request it is, and that it is this batch's."""
    return f"{request_sha256[:DIGITS_OF_REQUEST]}-{batch_id}"


class BatchRecords:
    """`data/batches/<batch_id>.json`, and `<batch_id>.requests` beside it while the batch is open."""

    def __init__(self, paths: DataPaths):
        self._folder = paths.batches
        self._seen: tuple[int, dict[str, str]] = (-1, {})  # when the folder had changed, and what waited then

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only process that sends and collects batches of this folder; waits for another one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            with locked_file(descriptor):
                yield
        finally:
            os.close(descriptor)

    def all(self) -> list[BatchRecord]:
        """All records, oldest first. Raises GenerationError (storage) for one that cannot be read."""
        records = [self._read(path) for path in self._folder.glob("*.json")]
        return sorted(records, key=lambda record: (record.prepared_at, record.batch_id))

    def open(self) -> list[BatchRecord]:
        """The records of the batches that wait, oldest first."""
        return [record for record in self.all() if record.is_open]

    def save(self, record: BatchRecord) -> BatchRecord:
        """Write a record, safe from a power loss when this returns; what is settled needs its requests no more."""
        write_bytes(self._path(record.batch_id), msgspec.json.format(msgspec.json.encode(record)) + b"\n")
        if not record.is_open:
            self._requests_path(record.batch_id).unlink(missing_ok=True)
        return record

    def save_requests(self, batch_id: str, requests: Sequence[BatchRequest]) -> None:
        """Write the requests of a batch, before its record."""
        write_bytes(self._requests_path(batch_id), b"".join(msgspec.json.encode(one) + b"\n" for one in requests))

    def requests(self, batch_id: str) -> list[BatchRequest]:
        """The requests of an open batch. Raises GenerationError (storage)."""
        path = self._requests_path(batch_id)
        try:
            lines = path.read_bytes().splitlines()
            return [msgspec.json.decode(line, type=BatchRequest) for line in lines]
        except (OSError, msgspec.DecodeError) as error:
            message = f"{path}, which says what the open batch {batch_id} holds, cannot be read: {error}."
            raise GenerationError(FailureKind.STORAGE, f"{message} Put it back as it was.") from error

    def remove_strays(self) -> None:
        """Remove requests that a killed process left: of batches without a record, which were not sent, or settled."""
        for path in self._folder.glob("*.requests"):
            record = self._path(path.stem)
            if not record.exists() or not self._read(record).is_open:
                path.unlink()

    def waiting(self, *, fresh: bool = False) -> Mapping[str, str]:
        """The requests that wait in open batches, each with its batch: looked up anew when a record has changed."""
        try:
            changed_at = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return {}
        if not fresh and changed_at == self._seen[0]:
            return self._seen[1]
        looked_at = time.time_ns()
        waiting = {name: record.batch_id for record in self.open() for name in self._names(record.batch_id)}
        # A record that is written in the same tick of the file system's clock would not be seen the next time.
        self._seen = (changed_at if looked_at - changed_at > _TICK_NS else -1, waiting)
        return waiting

    def _names(self, batch_id: str) -> list[str]:
        try:
            with self._requests_path(batch_id).open("rb") as lines:
                return [msgspec.json.decode(line, type=_Name).request_sha256 for line in lines]
        except (OSError, msgspec.DecodeError):
            # Another process may have settled it in this moment.
            if not self._read(self._path(batch_id)).is_open:
                return []
            return [request.request_sha256 for request in self.requests(batch_id)]

    def are_there(self) -> bool:
        """Whether anything was ever ordered by batches here."""
        return self._folder.is_dir()

    def check_is_not_waiting(self, request_sha256: str) -> None:
        """Raise GenerationError (waiting) for a request that waits in a batch: it is paid for already."""
        if (batch_id := self.waiting().get(request_sha256)) is not None:
            raise GenerationError(
                FailureKind.WAITING,
                f"No call was made: its request waits in the batch {batch_id}. Collect it by `snakemake --config "
                "batch=true`, or end it by `snakemake cancel-batches`.",
            )

    def last_error(self, request_sha256: str) -> str | None:
        """Why the last batch that had a request could not answer it; None if none had it, or it is another one."""
        errors = (record.errors.get(request_sha256) for record in reversed(self.all()))
        return next(filter(None, errors), None)

    def _path(self, batch_id: str) -> Path:
        return self._folder / f"{batch_id}.json"

    def _requests_path(self, batch_id: str) -> Path:
        return self._folder / f"{batch_id}.requests"

    def _read(self, path: Path) -> BatchRecord:
        try:
            record = msgspec.json.decode(path.read_bytes(), type=BatchRecord)
            if record.version != 1:
                raise ValueError(f"its version is {record.version}, and this program reads 1")
        except (OSError, ValueError) as error:
            message = f"{path} is not the record of a batch ({error}). What it has bought is not known without it:"
            raise GenerationError(FailureKind.STORAGE, f"{message} put it back as it was.") from error
        return record

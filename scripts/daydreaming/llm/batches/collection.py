"""The answers of a batch that is over: each becomes a stored reply, each call of its journal gets its end."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from daydreaming.ledger.batch_records import BatchRecord, BatchRecords, BatchRequest, BatchState
from daydreaming.ledger.journal import Journal
from daydreaming.ledger.reading import NoReplyError, read_reply
from daydreaming.ledger.received import Received, Reply
from daydreaming.ledger.replies import ReplyStore
from daydreaming.llm.batches.service import BatchService, ProviderBatch, Result, ServiceError


class Collection:
    """Collects batches. What was collected before a process ended is not stored or counted again."""

    def __init__(self, records: BatchRecords, store: ReplyStore, journal: Journal, checkpoint: Callable[[str], None]):
        self._records = records
        self._store = store
        self._journal = journal
        self._checkpoint = checkpoint
        self._outcomes: dict[str, str] = {}  # custom_id -> what became of it
        self._errors: dict[str, str] = {}
        self._ends: dict[str, dict[str, Any]] = {}  # call -> how it ended
        self._digests: dict[str, bytes] = {}  # custom_id -> of its first answer
        self._oddities: Counter[str] = Counter()

    def collect(
        self, service: BatchService, batch: ProviderBatch, record: BatchRecord, now: float, run_id: str
    ) -> BatchRecord:
        """Store what came, end its calls, and write the record: settled when each request has an outcome.

        Raises GenerationError (storage): what was stored by then stays, and the rest is collected the next time.
        """
        requests = {request.custom_id: request for request in self._records.requests(record.batch_id)}
        problem = self._take_results(service, batch, requests, now)
        missing = [request for name, request in requests.items() if name not in self._outcomes]
        executed = sum(outcome in ("answered", "errored") for outcome in self._outcomes.values())
        if missing and not problem and batch.leaves_out and executed >= batch.executed:
            for request in missing:
                self._set(request, "canceled", {"kind": "canceled"})
            missing = []
        ended = ended_calls(self._journal, requests.values())
        self._journal.end_calls({call: end for call, end in self._ends.items() if call not in ended})
        self._checkpoint("calls ended")
        record = record.with_(
            outcomes={**Counter(self._outcomes.values()), **self._oddities},
            errors=self._errors,
            cost_usd=sum(end.get("cost_usd") or 0.0 for end in self._ends.values()),
        )
        if missing:
            problem = problem or "Its files say nothing of them."
            told = (
                f"{len(missing):,} of {len(requests):,} answers are not there. {problem} They are asked for again the"
            )
            told += " next time; `snakemake cancel-batches` gives them up."
            return self._records.save(record.with_(problem=told, is_stuck=True))
        settled = record.with_(state=BatchState.COLLECTED, settled_at=now, settled_in=run_id)
        settled = self._records.save(settled)
        self._checkpoint("collection written")
        return settled

    def _take_results(
        self, service: BatchService, batch: ProviderBatch, requests: Mapping[str, BatchRequest], now: float
    ) -> str:
        """Take all that can be read; returns why the rest cannot."""
        try:
            for result in service.results(batch):
                request = requests.get(result.custom_id)
                if request is None:
                    self._oddities["of other ids"] += 1
                elif result.custom_id in self._outcomes:
                    self._repeated(request, result, now)
                else:
                    self._take(request, result, now)
                    self._checkpoint("answer stored")
        except ServiceError as error:
            return error.message
        return ""

    def _take(self, request: BatchRequest, result: Result, now: float) -> None:
        if result.outcome in ("expired", "canceled"):
            # Neither provider charges for what it did not execute.
            self._set(request, result.outcome, {"kind": result.outcome})
            return
        self._digests[result.custom_id] = _digest(result.body)
        try:
            reply = self._stored(request, result, now) if result.body else None
            problem, billed = result.message, False
        except NoReplyError as error:
            reply, problem, billed = None, result.message or error.message, error.perhaps_billed
        if reply is None:
            self._errors[request.request_sha256] = problem
            self._set(request, "errored", {"kind": "api", "perhaps_billed": (billed and not result.message) or None})
        else:
            end = {"cost_usd": reply.cost_usd, "perhaps_billed": True, **reply.usage}
            self._set(request, "answered", end)

    def _stored(self, request: BatchRequest, result: Result, now: float) -> Reply:
        """The reply that an answer holds, which is in the store when this returns. Raises NoReplyError."""
        received = _received(result, now)
        if self._store.exists(request.request_sha256):
            # Stored before this process started, or bought elsewhere: what is there stays.
            return read_reply(request.request_sha256, received, request.prices)
        room = self._store.room_for(request.model_request())
        try:
            return room.keep(received, request.prices, request.account)
        finally:
            room.discard()

    def _repeated(self, request: BatchRequest, result: Result, now: float) -> None:
        """An id that stands there again: the first answer counts, and another one is kept as a receipt."""
        self._oddities["repeated ids"] += 1
        if result.body and _digest(result.body) != self._digests.get(result.custom_id):
            room = self._store.room_for(request.model_request())
            try:
                room.receive(_received(result, now), request.prices, request.account)
            finally:
                room.discard()

    def _set(self, request: BatchRequest, outcome: str, end: dict[str, Any]) -> None:
        self._outcomes[request.custom_id] = outcome
        self._ends[request.call] = end


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()


def _received(result: Result, now: float) -> Received:
    headers = {"content-type": "application/json", **result.headers}
    return Received.of(
        result.body, status=result.status, headers=headers, started_at=now, finished_at=now, redacted=result.redacted
    )


def end_unended(journal: Journal, requests: Iterable[BatchRequest], end: Mapping[str, Any]) -> None:
    """End those calls of a batch that the journal has begun and not ended."""
    requests = list(requests)
    started, ended = _calls(journal)
    journal.end_calls({one.call: end for one in requests if one.call in started and one.call not in ended})


def ended_calls(journal: Journal, requests: Iterable[BatchRequest]) -> set[str]:
    """The calls of a batch that the journal has ended."""
    _, ended = _calls(journal)
    return {request.call for request in requests if request.call in ended}


def _calls(journal: Journal) -> tuple[set[str], set[str]]:
    started, ended = set(), set()
    for event in journal.events():
        if event["event"] == "call_started":
            started.add(event["call"])
        elif event["event"] == "call_ended":
            ended.add(event["call"])
    return started, ended

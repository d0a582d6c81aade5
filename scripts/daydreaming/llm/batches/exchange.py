"""The exchange of batches with providers: orders them, finds them again, collects what they answered, ends them.

Nothing here has to stay alive: each step starts from the records. `checkpoint` is called in every gap between two
writes or answers, so that tests can end the process there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from daydreaming.base.errors import GenerationError
from daydreaming.inputs.endpoint_settings import Endpoint
from daydreaming.inputs.settings import Settings
from daydreaming.ledger.batch_records import BatchRecord, BatchRecords, BatchRequest, BatchState
from daydreaming.ledger.journal import Journal
from daydreaming.ledger.replies import ReplyStore
from daydreaming.llm.batches.collection import Collection, end_unended
from daydreaming.llm.batches.finding import find
from daydreaming.llm.batches.grouping import Wanted, groups_of, most_usd
from daydreaming.llm.batches.ordering import Submission, answerer_of, as_started, parts_of, prepared
from daydreaming.llm.batches.service import BatchService, ServiceError, service_for

Checkpoint = Callable[[str], None]
# An error object in place of a batch may pass; what lasts so long will not.
PERHAPS_GONE_FOR_S = 3600.0


class BatchExchange:
    """One process's exchange with all providers; every public method holds the records against other processes."""

    def __init__(
        self,
        settings: Settings,
        store: ReplyStore,
        journal_of: Callable[[str], Journal],
        run_id: str,
        *,
        checkpoint: Checkpoint = lambda name: None,
        now: Callable[[], float] = time.time,
    ):
        self.records = BatchRecords(settings.paths)
        self._settings = settings
        self._store = store
        self._journal_of = journal_of
        self._run_id = run_id
        self._checkpoint = checkpoint
        self._now = now
        self._services: dict[str, BatchService] = {}

    def close(self) -> None:
        """Close all connections."""
        for service in self._services.values():
            service.close()
        self._services.clear()

    def submit(self, wanted: Iterable[Wanted]) -> Submission:
        """Order batches of the requests that neither have a reply nor wait in a batch already.

        A problem of one batch stops no other one. Raises GenerationError (storage, missing_key).
        """
        submission, wanted = Submission(), list(wanted)
        # From before the look until its record is there, no other process pays for any of them.
        with self.records.held(), self._store.claimed(one.request.sha256 for one in wanted) as claimed:
            waiting = self.records.waiting(fresh=True)
            new = [
                one
                for one in wanted
                if one.request.sha256 in claimed
                and one.request.sha256 not in waiting
                and not self._store.exists(one.request.sha256)
            ]
            for (endpoint, _, _), group in groups_of(new).items():
                self._submit_group(self._service(endpoint), group, submission)
        return submission

    def bring_up_to_date(self) -> list[BatchRecord]:
        """Find what became of all open batches, collect those that are over; returns their records as they are now.

        Raises GenerationError (storage, missing_key).
        """
        with self.records.held():
            self.records.remove_strays()
            return [self._advance(record) for record in self.records.open()]

    def cancel(self) -> list[BatchRecord]:
        """End what waits, and collect what came. What a provider does not give is given up: its money counts as spent.

        Raises GenerationError (storage, missing_key).
        """
        with self.records.held():
            self.records.remove_strays()
            return [self._cancel(record) for record in self.records.open()]

    def _submit_group(self, service: BatchService, group: list[Wanted], submission: Submission) -> None:
        endpoint = self._settings.endpoints[group[0].context.endpoint]
        for part in parts_of(group, service, endpoint, submission):
            self._order(service, endpoint, part, submission)

    def _order(self, service: BatchService, endpoint: Endpoint, part: list[Wanted], submission: Submission) -> None:
        """Order one batch: the record first, then the money, then the provider."""
        journal = self._journal_of(part[0].context.cohort_id)
        fitting = journal.fitting([most_usd(one, endpoint.batch.price) for one in part])
        if fitting < len(part):
            submission.problems.append(
                f"{len(part) - fitting:,} requests to {part[0].request.model!r} wait: with them the batch may exceed "
                "the budget. Raise budget_usd or budget_calls in config.yaml and run again."
            )
        if not fitting:
            return
        record, requests = prepared(part[:fitting], endpoint, self._now())
        self.records.save_requests(record.batch_id, requests)
        self._checkpoint("requests written")
        record = self.records.save(record)
        self._checkpoint("record written")
        try:
            journal.start_calls({request.call: as_started(request) for request in requests})
        except GenerationError as error:
            submission.problems.append(self._not_sent(record, error.message).problem)
            return
        self._checkpoint("money reserved")
        record = self._send(service, record, requests)
        (submission.sent.append(record) if record.is_open else submission.problems.append(record.problem))

    def _send(self, service: BatchService, record: BatchRecord, requests: list[BatchRequest]) -> BatchRecord:
        lines = [service.line(request) for request in requests]
        try:
            input_file_id = service.upload(record, lines)
        except ServiceError as error:
            # A file that nobody makes a batch of costs nothing.
            return self._not_sent(record, error.message)
        self._checkpoint("file uploaded")
        record = self.records.save(
            record.with_(input_file_id=input_file_id, state=BatchState.SENDING, sending_at=self._now())
        )
        self._checkpoint("about to send")
        try:
            batch = service.create(record, lines)
        except ServiceError as error:
            if not error.perhaps_done:
                return self._not_sent(record, error.message)
            record = self.records.save(record.with_(problem=error.message))
            return self._find(service, record)
        self._checkpoint("answer came")
        accepted = record.with_(
            state=BatchState.ACCEPTED, provider_id=batch.id, accepted_at=self._now(), status=batch.status
        )
        record = self.records.save(accepted)
        self._checkpoint("acceptance written")
        return record

    def _advance(self, record: BatchRecord) -> BatchRecord:
        """What became of an open batch."""
        if record.state is BatchState.PREPARED:
            return self._not_sent(record, "The run that prepared it ended before it was sent.")
        if problem := self._why_not_asked(record):
            return self.records.save(record.with_(problem=problem))
        service = self._service(record.endpoint)
        if record.state is BatchState.SENDING:
            record = self._find(service, record)
        if record.state is not BatchState.ACCEPTED or record.provider_id is None:
            return record
        try:
            batch = service.look(record.provider_id)
        except ServiceError as error:
            return self.records.save(_missing(record, error, self._now()))
        self._checkpoint("looked")
        record = record.with_(
            status=batch.status,
            counts=batch.counts,
            looked_at=self._now(),
            problem="",
            is_stuck=False,
            missing_since=None,
        )
        if batch.failed and not batch.files and not batch.executed:
            return self._not_sent(record, f"The provider refused the batch: {batch.failed}")
        if not batch.is_over:
            return self.records.save(record)
        collection = Collection(self.records, self._store, self._journal_of(record.cohort_id), self._checkpoint)
        return collection.collect(service, batch, record, self._now(), self._run_id)

    def _why_not_asked(self, record: BatchRecord) -> str:
        """Why nobody can be asked about a batch: the endpoint is not the one that it was sent to. "" if it is."""
        endpoint = self._settings.endpoints.get(record.endpoint)
        if endpoint is not None and (endpoint.kind, answerer_of(endpoint)) == (record.kind, record.answerer):
            return ""
        what = "is not in config.yaml any more" if endpoint is None else "has another kind or address now"
        return f"The endpoint {record.endpoint!r} {what}, and so nobody can be asked. Put it back as it was."

    def _find(self, service: BatchService, record: BatchRecord) -> BatchRecord:
        """Whether a batch whose creation was asked for is at its provider."""
        others = {one.provider_id for one in self.records.all() if one.batch_id != record.batch_id and one.provider_id}
        ids = {request.custom_id for request in self.records.requests(record.batch_id)}
        try:
            found = find(service, record, ids, others, self._now())
        except ServiceError as error:
            return self.records.save(record.with_(problem=error.message))
        self._checkpoint("looked for")
        if found.state is BatchState.NOT_SENT:
            return self._not_sent(record, found.problem)
        return self.records.save(found)

    def _not_sent(self, record: BatchRecord, problem: str) -> BatchRecord:
        """Settle a batch of which the provider has done nothing: its money is free again."""
        end_unended(self._journal_of(record.cohort_id), self.records.requests(record.batch_id), {"kind": "not_sent"})
        self._checkpoint("money given back")
        return self.records.save(self._settled(record, BatchState.NOT_SENT, problem))

    def _settled(self, record: BatchRecord, state: BatchState, problem: str) -> BatchRecord:
        return record.with_(state=state, problem=problem, settled_at=self._now(), settled_in=self._run_id)

    def _cancel(self, record: BatchRecord) -> BatchRecord:
        # What one look alone does not find, as while a connection is broken, may be there a minute later.
        was_missed = record.is_stuck or record.missing_since is not None
        record = self._advance(record)
        if was_missed and record.is_open and record.is_stuck:
            given_up = {"kind": "given_up", "perhaps_billed": True}
            end_unended(self._journal_of(record.cohort_id), self.records.requests(record.batch_id), given_up)
            return self.records.save(self._settled(record, BatchState.GIVEN_UP, record.problem))
        if record.state is not BatchState.ACCEPTED or record.provider_id is None or self._why_not_asked(record):
            return record
        provider_id = record.provider_id
        record = self.records.save(record.with_(cancel_asked=True))
        self._checkpoint("about to cancel")
        # One that ended in this moment cannot be canceled any more: the look that follows shows it.
        with suppress(ServiceError):
            self._service(record.endpoint).cancel(provider_id)
        self._checkpoint("cancellation asked for")
        return self._advance(record)

    def _service(self, endpoint: str) -> BatchService:
        if endpoint not in self._services:
            self._services[endpoint] = service_for(self._settings.endpoints[endpoint])
        return self._services[endpoint]


def _missing(record: BatchRecord, error: ServiceError, now: float) -> BatchRecord:
    """The record of a batch that its provider shows no longer, for a moment or for ever."""
    if not error.perhaps_gone:
        return record.with_(problem=error.message, is_stuck=error.is_gone, missing_since=None)
    since = now if record.missing_since is None else record.missing_since
    may_be_given_up_at = since + PERHAPS_GONE_FOR_S
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(may_be_given_up_at))
    problem = f"{error.message.rstrip('.')}. If it stays so, `snakemake cancel-batches` gives it up from {when} on."
    return record.with_(problem=problem, is_stuck=now >= may_be_given_up_at, missing_since=since)

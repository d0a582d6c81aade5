"""What is ordered in one batch: requests under their ids, and the record that is written before they are sent."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from daydreaming.base.errors import GenerationError
from daydreaming.inputs.endpoint_settings import Endpoint
from daydreaming.ledger.batch_records import BatchRecord, BatchRequest, custom_id, new_batch_id
from daydreaming.llm.batches.grouping import Limits, Wanted, batch_prices, chunks, most_usd
from daydreaming.llm.batches.service import BatchService


@dataclass(slots=True)
class Submission:
    """What was ordered, and what was not, with the reasons."""

    sent: list[BatchRecord] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def parts_of(
    group: list[Wanted], service: BatchService, endpoint: Endpoint, submission: Submission
) -> Iterator[list[Wanted]]:
    """The requests of each batch that a group is sent in. What cannot be sent at all becomes a problem."""
    batch = endpoint.batch
    limits = Limits(
        min(service.most_requests, batch.max_requests or service.most_requests),
        min(service.most_bytes, batch.max_bytes or service.most_bytes),
    )
    # The ids of one batch are as long as those of another.
    name = new_batch_id()
    sizes, sendable = [], []
    for one in group:
        try:
            size = len(service.line(_asked(name, one, batch.price)))
            limits.check(size)
        except GenerationError as error:
            if error.message not in submission.problems:
                submission.problems.append(error.message)
        else:
            sizes.append(size)
            sendable.append(one)
    for part in chunks(sizes, limits):
        yield sendable[part]


def prepared(part: list[Wanted], endpoint: Endpoint, now: float) -> tuple[BatchRecord, list[BatchRequest]]:
    """The record of a batch and what it asks for, before anything is written or sent."""
    batch_id, price = new_batch_id(), endpoint.batch.price
    requests = [_asked(batch_id, one, price) for one in part]
    known = [request.reserved_usd for request in requests if request.reserved_usd is not None]
    record = BatchRecord(
        batch_id=batch_id,
        endpoint=endpoint.name,
        kind=endpoint.kind,
        answerer=answerer_of(endpoint),
        model=part[0].request.model,
        cohort_id=part[0].context.cohort_id,
        requests=len(requests),
        prepared_at=now,
        reserved_usd=sum(known) if len(known) == len(requests) else None,
    )
    return record, requests


def answerer_of(endpoint: Endpoint) -> str:
    """Who answers at an endpoint: its address."""
    return (endpoint.base_url or "").rstrip("/")


def as_started(request: BatchRequest) -> dict[str, object]:
    """What the journal says of a request's call when it starts."""
    names = ("stage", "gen_id", "template_id", "llm_model_id", "batch")
    account = {name: request.account[name] for name in names}
    return {"reserved_usd": request.reserved_usd, "request_sha256": request.request_sha256, **account}


def _asked(batch_id: str, one: Wanted, price: float) -> BatchRequest:
    name = one.request.sha256
    return BatchRequest(
        custom_id=custom_id(batch_id, name),
        request_sha256=name,
        request=one.request.content,
        account={**one.context.account(), "batch": batch_id},
        prices=batch_prices(one.context.prices, price),
        call=uuid.uuid4().hex[:16],
        reserved_usd=most_usd(one, price),
        is_of_judge=one.context.is_of_judge,
    )

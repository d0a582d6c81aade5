"""Finds a batch at its provider whose creation was asked for while the answer got lost."""

from __future__ import annotations

import time
from collections.abc import Collection as Ids
from collections.abc import Set

from daydreaming.ledger.batch_records import BatchRecord, BatchState
from daydreaming.llm.batches.service import BatchService, ProviderBatch, ServiceError

# The clocks of provider and client differ; a batch that was made long before ours is none of ours.
CLOCKS_DIFFER_S = 3600.0
# What was sent may be worked on for a while after its connection broke, and then be in the provider's list.
SETTLES_IN_S = 900.0


def find(service: BatchService, record: BatchRecord, custom_ids: Ids[str], others: Set[str], now: float) -> BatchRecord:
    """The record with what the provider's list says: accepted, suspected, not sent, or as it was.

    Where the provider keeps what a batch was created with, that tells. Elsewhere each batch that was made since with as
    many requests is suspected until its results show whose `custom_ids` it holds. `others` are batches that other
    records have. Raises ServiceError.
    """
    since = (record.sending_at or record.prepared_at) - CLOCKS_DIFFER_S
    if service.keeps_marks:
        found = next((one for one in service.since(since) if one.mark == record.batch_id), None)
        return _accepted(record, found, now) if found else _not_there(record, now)
    candidates = [
        one
        for one in service.since(since)
        if one.requests == record.requests and one.id not in others and one.id not in record.cleared
    ]
    cleared = list(record.cleared)
    for one in candidates:
        if one.is_over:
            if _holds_ours(service, one, custom_ids):
                return _accepted(record, one, now)
            cleared.append(one.id)
    suspects = tuple(one.id for one in candidates if not one.is_over)
    record = record.with_(cleared=tuple(cleared), suspects=suspects)
    if not suspects:
        return _not_there(record, now)
    problem = f"Its creation got no answer. It may be {' or '.join(suspects)}, whose results will tell."
    return record.with_(problem=problem)


def _accepted(record: BatchRecord, found: ProviderBatch, now: float) -> BatchRecord:
    return record.with_(
        state=BatchState.ACCEPTED,
        provider_id=found.id,
        accepted_at=now,
        status=found.status,
        suspects=(),
        problem="",
    )


def _not_there(record: BatchRecord, now: float) -> BatchRecord:
    settled_at = (record.sending_at or record.prepared_at) + SETTLES_IN_S
    if now < settled_at:
        until = time.strftime("%H:%M:%S", time.localtime(settled_at))
        problem = f"Its creation got no answer, and it is not in the provider's list. It is looked for until {until}."
        return record.with_(problem=problem)
    return record.with_(state=BatchState.NOT_SENT, problem="It never reached the provider.")


def _holds_ours(service: BatchService, batch: ProviderBatch, custom_ids: Ids[str]) -> bool:
    try:
        first = next(service.results(batch), None)
    except ServiceError as error:
        if error.is_gone:
            return False
        raise
    return first is not None and first.custom_id in custom_ids

"""Finds a batch at its provider whose creation was asked for while the answer got lost."""

from __future__ import annotations

import time
from collections.abc import Collection as Ids
from collections.abc import Set

from daydreaming.ledger.batch_records import BatchRecord, BatchState
from daydreaming.llm.batches.service import BatchService, ProviderBatch, ServiceError

# The clocks of provider and client differ; a batch that was made long before ours is none of ours.
CLOCKS_DIFFER_S = 86_400.0
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
        return _accepted(record, found, now) if found else _not_there(service, record, now)
    candidates = [
        one
        for one in service.since(since)
        if one.requests == record.requests and one.id not in others and one.id not in record.cleared
    ]
    cleared = list(record.cleared)
    suspects: list[str] = []
    silent: list[str] = []  # over, and their results are gone
    for one in candidates:
        first = _first_id(service, one) if one.is_over else None
        if first in custom_ids:
            return _accepted(record, one, now)
        if first is not None:
            cleared.append(one.id)
        else:
            (silent if one.is_over else suspects).append(one.id)
    record = record.with_(cleared=tuple(cleared), suspects=(*suspects, *silent), is_stuck=bool(silent and not suspects))
    if not record.suspects:
        return _not_there(service, record, now)
    tell = "whose results will tell." if suspects else "which has ended, and has no results that would tell."
    problem = f"Its creation got no answer. It may be {' or '.join(record.suspects)}, {tell}"
    cure = " Look there, or give it up by `snakemake cancel-batches`." if record.is_stuck else ""
    return record.with_(problem=problem + cure)


def _accepted(record: BatchRecord, found: ProviderBatch, now: float) -> BatchRecord:
    return record.with_(
        state=BatchState.ACCEPTED,
        provider_id=found.id,
        accepted_at=now,
        status=found.status,
        suspects=(),
        problem="",
        is_stuck=False,
    )


def _not_there(service: BatchService, record: BatchRecord, now: float) -> BatchRecord:
    settled_at = (record.sending_at or record.prepared_at) + SETTLES_IN_S
    if now < settled_at:
        until = time.strftime("%H:%M:%S", time.localtime(settled_at))
        problem = f"Its creation got no answer, and it is not in the provider's list. It is looked for until {until}."
        return record.with_(problem=problem)
    if not service.is_account_of(record):
        problem = (
            "Its creation got no answer, and the account that the endpoint's key opens knows nothing of it: is the key "
            "that of another project now? Put the old one back, or give the batch up by `snakemake cancel-batches`."
        )
        return record.with_(problem=problem, is_stuck=True)
    return record.with_(state=BatchState.NOT_SENT, problem="It never reached the provider.")


def _first_id(service: BatchService, batch: ProviderBatch) -> str | None:
    """The first id in the results of a batch; None where it has none any more. Raises ServiceError."""
    try:
        first = next(service.results(batch), None)
    except ServiceError as error:
        if error.is_gone:
            return None
        raise
    return None if first is None else first.custom_id

"""What a cohort has called for and paid in its whole life, from its journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from daydreaming.ledger.journal import read_events
from daydreaming.ledger.tally import RunTally


@dataclass(frozen=True, slots=True)
class Spending:
    """All calls of a cohort, and those of each stage and model that made any.

    `reuses` counts how often a generation took a stored reply. Times are Unix seconds, None without a journal.
    """

    total: RunTally
    parts: Mapping[tuple[str, str], RunTally]
    runs: int
    reuses: int
    first_at: float | None
    last_at: float | None


def read_spending(journal: Path) -> Spending:
    """Count a cohort's journal from its first line to its last, over all runs. Raises OSError."""
    total = RunTally(None)
    parts: dict[tuple[str, str], RunTally] = {}
    owners: dict[str, tuple[str, str]] = {}  # call -> stage, model
    runs: set[str] = set()
    reuses, first_at, last_at = 0, None, None
    for event in read_events(journal):
        total.take(event)
        # What a run says of itself comes after the report that it makes, and is no part of it.
        if "call" not in event and "stage" not in event:
            continue
        runs.add(event["run"])
        last_at = event["time"]
        first_at = last_at if first_at is None else first_at
        reuses += event.get("result") == "reused"
        if event["event"] == "call_started":
            owners[event["call"]] = (event["stage"], event["llm_model_id"])
        if owner := owners.get(event.get("call", "")):
            parts.setdefault(owner, RunTally(None)).take(event)
    return Spending(total, parts, len(runs), reuses, first_at, last_at)

"""The requests of one batch, what became of each, and what the owner of the account has bought."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

Outcome = Literal["waiting", "succeeded", "errored", "expired", "canceled"]
# The status of an answer and its body, for a model and the rest of a request's body.
Execute = Callable[[Mapping[str, Any]], tuple[int, dict[str, Any]]]


@dataclass(slots=True)
class Item:
    """One request of a batch."""

    custom_id: str
    body: Mapping[str, Any]
    outcome: Outcome = "waiting"
    status: int = 0
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def request_sha256(self) -> str:
        """What is asked, whoever asks it and under whatever id."""
        return hashlib.sha256(orjson.dumps(self.body, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass
class BatchWork:
    """A batch as both providers have it: requests, some of them answered, and the times (Unix seconds) of its life."""

    number: int
    items: list[Item]
    created_at: float = field(default_factory=time.time)
    cancel_at: float | None = None
    ended_at: float | None = None
    ended_as: Literal["completed", "expired", "canceled", "failed"] | None = None
    vanished: bool = False

    def answer(self, share: float, execute: Execute, bought: Counter[str]) -> None:
        """Answer requests in order until `share` of all are answered."""
        for item in self.items[: round(share * len(self.items))]:
            if item.outcome == "waiting":
                item.status, item.answer = execute(item.body)
                item.outcome = "succeeded" if item.status < 400 else "errored"
                if item.outcome == "succeeded":
                    bought[item.request_sha256] += 1

    def end(self, ended_as: Literal["completed", "expired", "canceled", "failed"]) -> None:
        """End the batch: what waits expires or is canceled."""
        for item in self.items:
            if item.outcome == "waiting" and ended_as != "failed":
                item.outcome = "canceled" if ended_as == "canceled" else "expired"
        self.ended_as, self.ended_at = ended_as, time.time()

    def count(self, *outcomes: Outcome) -> int:
        """How many requests have one of these outcomes."""
        return sum(item.outcome in outcomes for item in self.items)

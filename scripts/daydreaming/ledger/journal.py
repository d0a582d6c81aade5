"""The journal of a cohort: every call and every generation's outcome, one JSON line each, for its whole life.

It is what the budget is checked against and what the summary of a run is made from. Lines are appended under a file
lock, so that processes that share a cohort share its budget. Its methods wait for that lock: call them in threads. A
call that started and never ended (its process died) stays reserved: it may have been billed, and the budget must hold.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from daydreaming.base.atomic import write_all
from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.base.locks import locked_file
from daydreaming.ledger.costs import cost_of_call
from daydreaming.ledger.events import events_from

# Sums of many small floats: three calls of 0.1 fit into 0.3.
ROUNDING_USD = 1e-9


class ReservedError(GenerationError):
    """A call for which there is no money now, and may be when calls that have reserved some end."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a cohort may cost in its whole life: US dollars and calls; None is no limit."""

    usd: float | None = None
    calls: int | None = None

    @property
    def is_limited(self) -> bool:
        """Whether there is anything to check before a call."""
        return self.usd is not None or self.calls is not None


@dataclass(slots=True)
class Account:
    """What a cohort has spent, and has reserved for the calls that have not ended (US dollars)."""

    spent_usd: float = 0.0
    calls: int = 0
    reserved: dict[str, tuple[float, str]] = field(default_factory=dict)  # call -> (US dollars, request_sha256)

    @property
    def reserved_usd(self) -> float:
        """The most that the calls without an end may cost."""
        return sum(amount for amount, _ in self.reserved.values())

    def take(self, event: dict[str, Any]) -> None:
        """Take one line of the journal into account."""
        if event["event"] == "call_started":
            self.calls += 1
            self.reserved[event["call"]] = (event.get("reserved_usd") or 0.0, event.get("request_sha256", ""))
        elif event["event"] == "call_ended" and event["call"] in self.reserved:
            amount, _ = self.reserved.pop(event["call"])
            cost = cost_of_call(event, amount)
            self.spent_usd += (cost.perhaps or 0.0) if cost.known is None else cost.known

    def settle(self, stored_cost: Callable[[str], float | None]) -> None:
        """Take the calls without an end whose reply is in the store (their process died) at what the reply cost."""
        for call, (_, request_sha256) in list(self.reserved.items()):
            cost = stored_cost(request_sha256)
            if cost is not None:
                del self.reserved[call]
                self.spent_usd += cost


class Journal:
    """The journal of one cohort, as one process writes it. `run_id` marks the lines of one run of the workflow."""

    def __init__(self, path: Path, budget: Budget, run_id: str, stored_cost: Callable[[str], float | None]):
        self._path = path
        self._budget = budget
        self._run_id = run_id
        self._stored_cost = stored_cost
        self._descriptor: int | None = None
        self._position = 0
        self._account = Account()
        self._guard = threading.Lock()

    def start_call(self, reserve_usd: float | None, **details: Any) -> str:
        """Reserve money for a call and write that it starts; returns the call's id.

        Raises GenerationError (budget) when the call could exceed the budget: then nothing is reserved. ReservedError
        where that is so because of calls that have not ended.
        """
        call = uuid.uuid4().hex[:16]
        event = {"event": "call_started", "call": call, "reserved_usd": reserve_usd, **details}
        with self._locked() as descriptor:
            if self._budget.is_limited:
                self._read_on(descriptor)
                self._check(reserve_usd or 0.0)
            self._append(descriptor, event)
        return call

    def start_calls(self, calls: Mapping[str, Mapping[str, Any]]) -> None:
        """Reserve money for many calls at once, by ids that the caller gives, each with its `reserved_usd` and details.

        Raises GenerationError (budget) when they could exceed the budget together: then nothing is reserved.
        """
        with self._locked() as descriptor:
            if self._budget.is_limited:
                self._read_on(descriptor)
                self._check(sum(details.get("reserved_usd") or 0.0 for details in calls.values()), len(calls))
            self._append(descriptor, *({"event": "call_started", "call": call, **of} for call, of in calls.items()))

    def fitting(self, reserves_usd: Sequence[float | None]) -> int:
        """How many calls, the first ones of those that may cost so much each, the budget allows now."""
        if not self._budget.is_limited:
            return len(reserves_usd)
        with self._locked() as descriptor:
            self._read_on(descriptor)
            self._account.settle(self._stored_cost)
            left = None if self._budget.calls is None else max(0, self._budget.calls - self._account.calls)
            total, number = self._total(0.0), 0
            for reserve in reserves_usd[:left]:
                total += reserve or 0.0
                if self._budget.usd is not None and total > self._budget.usd + ROUNDING_USD:
                    break
                number += 1
            return number

    def end_calls(self, calls: Mapping[str, Mapping[str, Any]]) -> None:
        """Write how many calls ended, each with the details of `end_call`."""
        with self._locked() as descriptor:
            self._append(descriptor, *({"event": "call_ended", "call": call, **of} for call, of in calls.items()))

    def end_call(self, call: str, **details: Any) -> None:
        """Write how a call ended: `cost_usd` and tokens, or the `kind` of its failure."""
        self.write("call_ended", call=call, **details)

    def write(self, event: str, **details: Any) -> None:
        """Append an event to the journal."""
        with self._locked() as descriptor:
            self._append(descriptor, {"event": event, **details})

    def events(self) -> Iterator[dict[str, Any]]:
        """All events of the cohort, oldest first."""
        return read_events(self._path)

    def _check(self, reserve_usd: float, calls: int = 1) -> None:
        account, budget = self._account, self._budget
        if budget.calls is not None and account.calls + calls > budget.calls:
            raise GenerationError(
                FailureKind.BUDGET,
                f"The cohort has made {account.calls} calls and budget_calls is {budget.calls}. "
                "Raise budget_calls in config.yaml and run again.",
            )
        if budget.usd is None or self._total(reserve_usd) <= budget.usd + ROUNDING_USD:
            return
        account.settle(self._stored_cost)
        if self._total(reserve_usd) > budget.usd + ROUNDING_USD:
            error = ReservedError if account.reserved else GenerationError
            raise error(
                FailureKind.BUDGET,
                f"This call may cost up to {reserve_usd:.6f} USD; with {account.spent_usd:.6f} spent and "
                f"{account.reserved_usd:.6f} reserved that may exceed budget_usd {budget.usd:.6f}. "
                "Raise budget_usd in config.yaml and run again.",
            )

    def _total(self, reserve_usd: float) -> float:
        return self._account.spent_usd + self._account.reserved_usd + reserve_usd

    def _read_on(self, descriptor: int) -> None:
        """Take the lines of all processes since the last look into account."""
        for event in events_from(descriptor, self._position):
            self._account.take(event)
        self._position = os.fstat(descriptor).st_size

    def _append(self, descriptor: int, *events: Mapping[str, Any]) -> None:
        of_all = {"run": self._run_id, "time": time.time()}
        size = os.fstat(descriptor).st_size
        try:
            write_all(descriptor, b"".join(orjson.dumps({**event, **of_all}) + b"\n" for event in events))
        except OSError:
            # Half a line, as a full disk leaves it, would take the next one with it.
            os.ftruncate(descriptor, size)
            raise
        if self._budget.is_limited:
            os.fdatasync(descriptor)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The journal's open file, held against other threads and processes."""
        with self._guard:
            descriptor = self._open()
            with locked_file(descriptor):
                yield descriptor

    def _open(self) -> int:
        if self._descriptor is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            _end_torn_line(self._descriptor)
        return self._descriptor

    def close(self) -> None:
        """Close the file."""
        with self._guard:
            if self._descriptor is not None:
                os.close(self._descriptor)
            self._descriptor = None


def _end_torn_line(descriptor: int) -> None:
    """End the last line if a crash has torn it, so that the next one stands alone."""
    with locked_file(descriptor):
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            write_all(descriptor, b"\n")


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """The events of a journal, oldest first; none if there is no journal."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        yield from events_from(descriptor, 0)
    finally:
        os.close(descriptor)

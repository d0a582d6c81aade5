"""Fixtures of the fault tests, and the table of faults that ends a run of them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from fault_study import FaultStudy, delivered, failures, lost, repeated

from provider import Provider
from studies import Run

SEEN_CHARACTERS = 160
COLUMNS = ("fault", "calls", "replies lost", "requests repeated", "what the user saw")


@dataclass(frozen=True)
class FaultRow:
    """One row of the table: what was done to the workflow, and what it came to."""

    fault: str
    calls: int
    replies_lost: int
    requests_repeated: int
    seen: str


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as started:
        yield started


@pytest.fixture
def noted(record_property: Callable[[str, object], None]) -> Callable[[str, int, str], None]:
    """Note a fault in the table of which the test itself has shown that nothing was lost or bought twice."""

    def note(fault: str, calls: int, seen: str) -> None:
        record_property("fault", json.dumps(asdict(FaultRow(fault, calls, 0, 0, seen))))

    return note


@pytest.fixture
def survived(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Note a fault in the table; fails when a reply was lost, or a request repeated whose reply had arrived.

    `attempts` is how many repetitions the configuration asks for; `unread` are the calls whose reply may have been on
    its way when the run was killed; `others` are studies that called the same provider.
    """

    def note(
        fault: str,
        study: FaultStudy,
        run: Run,
        seen: str | None = None,
        attempts: int = 0,
        unread: Collection[int] = (),
        others: Collection[FaultStudy] = (),
    ) -> None:
        all_calls = study.provider.ledger()
        calls = [call for call in all_calls if call.sequence not in unread]
        lost_calls, repeated_calls = lost(calls, study, *others), repeated(calls)
        what = seen or what_was_seen(run, retried=len(calls) > len(delivered(calls)))
        row = FaultRow(fault, len(all_calls), len(lost_calls), len(repeated_calls) - attempts, what)
        record_property("fault", json.dumps(asdict(row)))
        assert lost_calls == []
        assert len(repeated_calls) == attempts, repeated_calls

    return note


def what_was_seen(run: Run, retried: bool) -> str:
    """The first failure that a run has shown, in as many words as fit into a table."""
    messages = failures(run.output)
    if messages:
        others = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
        return f"exit code {run.code}: {shortened(messages[0])}{others}"
    if run.code:
        return f"exit code {run.code}"
    return "nothing: the calls were tried again" if retried else "nothing"


def shortened(text: str) -> str:
    """The beginning of a text, on one line."""
    words = " ".join(text.split())
    return words if len(words) <= SEEN_CHARACTERS else f"{words[:SEEN_CHARACTERS]}..."


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of faults; the file that FAULT_TABLE names gets it, too."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    properties = [value for report in reports for name, value in report.user_properties if name == "fault"]
    rows = sorted((FaultRow(**json.loads(value)) for value in properties), key=lambda row: row.fault)
    if not rows:
        return
    table = markdown(rows)
    terminalreporter.section("faults")
    terminalreporter.write_line(table)
    if "FAULT_TABLE" in os.environ:
        Path(os.environ["FAULT_TABLE"]).write_text(f"{table}\n", encoding="utf-8")


def markdown(rows: list[FaultRow]) -> str:
    """The rows as a table in Markdown."""
    lines = [COLUMNS, tuple("---" for _ in COLUMNS)]
    lines += [tuple(str(value).replace("|", "\\|") for value in asdict(row).values()) for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

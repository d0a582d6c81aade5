"""What one run did, counted from the journal's lines as they come: for the progress and for the summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daydreaming.ledger.costs import cost_of_call
from daydreaming.ledger.events import BAD_LINE, parse_event

SUCCESSES = ("made", "reused", "copied", "kept")
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class GenerationResult:
    """What a run made of one generation: `made`, `reused`, `copied`, `kept`, or the kind of its failure."""

    stage: str
    gen_id: str
    template_id: str
    llm_model_id: str
    result: str

    @property
    def failed(self) -> bool:
        """Whether there is no parsed text."""
        return self.result not in SUCCESSES


@dataclass
class RunTally:
    """Calls, tokens, costs (US dollars) and generations of one run; lines of other runs are passed over.

    A `run_id` of None takes the lines of all runs: a cohort's whole life.

    `cost_usd` is what is known to be spent. `perhaps_usd` is the most that calls may have cost on top of it: those that
    failed and were perhaps billed, and those that have not ended. `unpriced_calls` may have been billed at a price that
    nobody told. A generation that was tried more than once counts with its last result.
    """

    run_id: str | None
    calls: int = 0
    ended_calls: int = 0
    failed_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    unpriced_calls: int = 0
    saved_usd: float = 0.0
    results: dict[tuple[str, str], GenerationResult] = field(default_factory=dict)  # (stage, gen_id) -> result
    bad_lines: list[str] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)  # (stage, result) -> generations
    _perhaps_billed_usd: float = 0.0
    _in_flight: dict[str, float | None] = field(default_factory=dict)  # call -> reserved US dollars

    @property
    def in_flight(self) -> int:
        """How many calls have started and not ended."""
        return len(self._in_flight)

    @property
    def perhaps_usd(self) -> float:
        """The most that calls may have cost on top of `cost_usd`, as far as prices are known."""
        return self._perhaps_billed_usd + sum(reserved or 0.0 for reserved in self._in_flight.values())

    def succeeded(self, stage: str) -> int:
        """How many generations of a stage have been made, from whatever source."""
        return sum(self.counts[stage, result] for result in SUCCESSES)

    def failed(self, stage: str | None = None) -> int:
        """How many generations failed, of a stage or of all."""
        return sum(
            number
            for (of_stage, result), number in self.counts.items()
            if result not in SUCCESSES and stage in (None, of_stage)
        )

    def failures(self) -> list[GenerationResult]:
        """The generations that failed, in the order in which they first ended."""
        return [result for result in self.results.values() if result.failed]

    def take(self, event: dict[str, Any]) -> None:
        """Count one line of the journal. `bad_lines` names those that cannot be used, of whatever run they are."""
        if event["event"] == BAD_LINE:
            self.bad_lines.append(f"line {event['line']}: {event['problem']}" if "line" in event else event["problem"])
            return
        if self.run_id is not None and event.get("run") != self.run_id:
            return
        if event["event"] == "call_started":
            self.calls += 1
            self._in_flight[event["call"]] = event.get("reserved_usd")
        elif event["event"] == "call_ended":
            self._end_call(event)
        elif event["event"] == "generation":
            self._end_generation(event)

    def _end_call(self, event: dict[str, Any]) -> None:
        reserved = self._in_flight.pop(event["call"], None)
        self.ended_calls += 1
        self.failed_calls += "kind" in event
        self.prompt_tokens += event.get("prompt_tokens") or 0
        self.completion_tokens += event.get("completion_tokens") or 0
        cost = cost_of_call(event, reserved)
        self.cost_usd += cost.known or 0.0
        self._perhaps_billed_usd += cost.perhaps or 0.0
        self.unpriced_calls += cost.known is None and cost.perhaps is None

    def _end_generation(self, event: dict[str, Any]) -> None:
        result = GenerationResult(
            event["stage"], event["gen_id"], event["template_id"], event["llm_model_id"], event["result"]
        )
        key = (result.stage, result.gen_id)
        before = self.results.get(key)
        if before is not None:
            self.counts[before.stage, before.result] -= 1
        self.results[key] = result
        self.counts[result.stage, result.result] += 1
        self.saved_usd += event.get("saved_usd") or 0.0


class JournalTail:
    """The lines that come to a journal from now on; no line is read twice."""

    def __init__(self, path: Path):
        self._path = path
        self._position = path.stat().st_size if path.exists() else 0

    def read(self) -> Iterator[dict[str, Any]]:
        """The events since the last look, as far as their lines are complete. Raises OSError."""
        try:
            stream = self._path.open("rb")
        except FileNotFoundError:
            return
        with stream:
            stream.seek(self._position)
            rest = b""
            while block := stream.read(_BLOCK_BYTES):
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    self._position += len(line) + 1
                    event = parse_event(line)
                    if event is not None:
                        yield event

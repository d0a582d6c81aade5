"""What a run says of itself through Snakemake's logger: messages in words, for any log handler.

Each carries, as the attribute `daydreaming` of its record, what this project's own handler makes of it
(snakemake_logger_plugin_daydreaming): a line of progress, a list of failures that does not fill the terminal.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from daydreaming.base.amounts import counted
from daydreaming.ledger.tally import JournalTail

_ATTRIBUTE = "daydreaming"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """Generations are being made from now on: `totals` by stage, told of in the lines that come to a journal."""

    tail: JournalTail
    run_id: str
    totals: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class GenerationFailed:
    """A generation (stage, gen_id) has failed; None where the message alone says which."""

    generation: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class RunEnded:
    """No generation is made any more; `text` says what the run came to."""

    text: str


RunEvent = RunStarted | GenerationFailed | RunEnded


def run_started(logger: logging.Logger, journal: Path, run_id: str, totals: Mapping[str, int]) -> None:
    """Say that a run starts to make generations; `totals` are the numbers of those that it plans, by stage.

    Call it before the first generation is made: progress counts what comes to the journal from now on.
    """
    event = RunStarted(JournalTail(journal.absolute()), run_id, dict(totals))
    planned = ", ".join(counted(number, stage) for stage, number in totals.items() if number)
    logger.info(f"Generations to make: {planned or 'none'}.", extra={_ATTRIBUTE: event})


def generation_failed(logger: logging.Logger, message: str, generation: tuple[str, str] | None = None) -> None:
    """Say that a generation has failed, and how.

    With `generation` (stage, gen_id), this project's handler shows it once, though Snakemake may try it again.
    """
    logger.error(message, extra={_ATTRIBUTE: GenerationFailed(generation)})


def run_ended(logger: logging.Logger, text: str) -> None:
    """Say what a run came to (`daydreaming.watch.run_end.end_run`); an empty text only ends the progress."""
    logger.info(text, extra={_ATTRIBUTE: RunEnded(text)})


def event_of(record: logging.LogRecord) -> RunEvent | None:
    """What a log record carries for this project's handler; None for any other message."""
    event = getattr(record, _ATTRIBUTE, None)
    return event if isinstance(event, RunEvent) else None

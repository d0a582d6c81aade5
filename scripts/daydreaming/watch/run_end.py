"""The end of a run, however it ends: failures, summary, and what becomes of the results that failures hold up."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from daydreaming.generation.currency import State
from daydreaming.generation.inspection import changed_inputs
from daydreaming.generation.specification import Key
from daydreaming.generation.study import Study
from daydreaming.ledger.journal import Budget, Journal, read_events
from daydreaming.results.failures import failures_text, run_failures
from daydreaming.watch.run_summary import RunSummary, summarize_run, summary_text

_EVENT = "run_ended"
HELD_BACK_HEADING = "Generations that were not tried, for the same error had come too often"
WAITING_HEADING = f"Generations that are {State.WAITING}"


def end_run(
    study: Study,
    run_id: str,
    planned: Sequence[Key],
    *,
    wants_scores: bool,
    seconds: float,
    stopped: bool,
    adopted: int = 0,
) -> str:
    """End a run: return what it came to, and make or set aside the results that its failures hold up.

    `planned` are the generations that were to be made, `wants_scores` says whether their scores were to be, too,
    `stopped` whether the user stopped the run, `seconds` how long it took, `adopted` how many generations that no run
    made are used as they are. The first call for a run does it, in whatever process; any later one returns "".
    """
    try:
        token = _announce(study, run_id)
        ends: list[str] = []
        events = _noting_ends(read_events(study.cohort_files.journal), run_id, ends)
        summary = summarize_run(study, run_id, planned, seconds, stopped=stopped, adopted=adopted, events=events)
    except OSError as error:
        return f"What the run came to cannot be told, for its journal cannot be read: {error}."
    if token and ends[0] != token:
        return ""
    parts = [
        failures_text(run_failures(summary.failures, study.paths)),
        failures_text(run_failures(summary.held_back, study.paths), HELD_BACK_HEADING),
        failures_text(run_failures(summary.waiting, study.paths), WAITING_HEADING),
        summary_text(summary),
        _results(study, summary) if wants_scores else "",
        _changes(study),
        _report(study, summary) if wants_scores else "",
    ]
    return "\n\n".join(filter(None, parts))


def _announce(study: Study, run_id: str) -> str:
    """Write in the journal that a run ends, and return the name of that line; "" where it cannot be written.

    Lines are appended one after the other, so whoever finds its own line to be the run's first is the one to end it.
    """
    token = uuid.uuid4().hex
    journal = Journal(study.cohort_files.journal, Budget(), run_id, lambda _: None)
    try:
        journal.write(_EVENT, token=token)
    except OSError:  # a full disk: better to tell the end twice than not at all
        return ""
    finally:
        journal.close()
    return token


def _noting_ends(events: Iterable[dict[str, Any]], run_id: str, ends: list[str]) -> Iterator[dict[str, Any]]:
    """Hand on the events of a journal, and note the names of the lines that say that a run ended."""
    for event in events:
        if event["event"] == _EVENT and event.get("run") == run_id:
            ends.append(str(event.get("token")))
        yield event


def _changes(study: Study) -> str:
    """Which inputs are not what they were when the run began."""
    changed = changed_inputs(study)
    if not changed:
        return ""
    what = f"Changed while the run went on: {', '.join(changed)}."
    return f"{what} What was made before is of the old text: run the same command again."


def _report(study: Study, summary: RunSummary) -> str:
    """Where the report is, of a run that made all of it."""
    unmade = summary.failures or summary.held_back or summary.waiting
    if unmade or summary.not_tried or summary.blocked or summary.stopped:
        return ""
    return f"Report: {study.cohort_files.report}" if study.cohort_files.report.exists() else ""


def _results(study: Study, summary: RunSummary) -> str:
    """What becomes of the results: nothing where all was made, else partial ones if the user allows them."""
    if not (summary.failures or summary.held_back or summary.waiting):
        return ""
    # Not at the start of every run: what makes results takes a third of a second to import.
    from daydreaming.results.partial_results import set_results_aside, write_partial_results

    is_complete = not summary.not_tried and study.settings.max_failed_fraction > 0
    try:
        return write_partial_results(study) if is_complete else set_results_aside(study) or ""
    except OSError as error:
        return f"The results of the run could not be made: {error}."

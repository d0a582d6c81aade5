"""What a run does with batches before Snakemake has a graph: collect, order what is ready, wait if it is told to.

What waits in a batch is not in the graph. Nothing has to stay alive in between: the next start reads the records.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

from daydreaming.base.amounts import usd
from daydreaming.base.data_in_use import DataInUse
from daydreaming.base.errors import Fault, GenerationError, InputError
from daydreaming.generation.call_context import answered_together, context_of
from daydreaming.generation.specification import CallSpecification, Key
from daydreaming.generation.study import Study
from daydreaming.ledger.batch_records import BatchRecord, BatchState
from daydreaming.ledger.journal import Budget, Journal
from daydreaming.ledger.replies import ReplyStore
from daydreaming.llm.batches.exchange import BatchExchange
from daydreaming.llm.batches.grouping import Wanted
from daydreaming.llm.breakers import AnswerBreaker
from daydreaming.plan.planning import PlannedGeneration, State, make_plan

ANSWERED_WITHIN_S = 86_400


@dataclass(frozen=True)
class Standing:
    """Where a cohort stands: what can be made without a batch, and the requests that are to go out in one.

    `later` counts the generations whose request is not known before something else is answered. `held` says which
    requests are not sent, for the answers before them were useless (their generations fail in this run), `problems`
    what else kept requests from being sent.
    """

    makeable: frozenset[Key]
    ready: list[Wanted] = field(repr=False)
    waiting: int
    later: int
    held: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether all generations can be made."""
        return not (self.ready or self.waiting or self.later)


class BatchDesk:
    """The batches of one study, as one run sees them. `tell` shows a line to the user."""

    def __init__(self, study: Study, run_id: str, tell: Callable[[str], None]):
        self._study = study
        self._run_id = run_id
        self._tell = tell
        self._store = ReplyStore(study.paths)
        self._journals: dict[str, Journal] = {}
        self._refused: dict[tuple[str, str], str] = {}  # (endpoint, model) -> what their provider said of a batch

    @cached_property
    def _exchange(self) -> BatchExchange:
        return BatchExchange(self._study.settings, self._store, self._journal, self._run_id)

    def look(self, last_stage: str) -> Standing:
        """Where the cohort stands up to a stage, by what lies here. Asks nobody, writes nothing."""
        waiting = self._exchange.records.waiting()
        failed = {
            name
            for record in self._exchange.records.all()
            if record.settled_in == self._run_id
            for name in record.errors
        }
        makeable: set[Key] = set()
        ready, counts, held = [], {"waiting": 0, "later": 0}, dict[str, None]()
        generations = make_plan(self._study, last_stage, keeps_requests=True).generations
        answers = self._answers(generations)
        for planned in generations:
            specification, request = planned.specification, planned.request
            if self._can_be_made(planned, makeable, failed):
                makeable.add(specification.key)
            elif request is None or not isinstance(specification, CallSpecification):
                counts["later"] += 1
            elif request.sha256 in waiting:
                counts["waiting"] += 1
            elif why := _why_held(answers, specification):
                held[why] = None
                makeable.add(specification.key)
            else:
                ready.append(Wanted(request, context_of(specification)))
        return Standing(frozenset(makeable), ready, counts["waiting"], counts["later"], tuple(held))

    def work(self, last_stage: str) -> Standing:
        """Collect what is there, order what is ready, and wait for it where the user wants that. Raises InputError."""
        told = ""
        with self._at_work():
            self._collect()
            standing = self._order(last_stage)
            while self._study.settings.batch_wait and standing.waiting:
                if (text := self.waiting_text(standing, stays=True)) != told:
                    self._tell(told := text)
                time.sleep(self._study.settings.batch_poll_s)
                if self._collect():
                    standing = self._order(last_stage)
        return standing

    def cancel(self) -> list[str]:
        """End all batches that wait, of all cohorts of the data folder; returns what became of them."""
        with self._at_work():
            records = self._exchange.cancel()
        return [record_text(record) for record in records] or ["No batch waits."]

    def waiting_text(self, standing: Standing, *, stays: bool = False) -> str:
        """What waits, until when, and what it costs at most: "" where nothing does. `stays`: the run waits for it.

        It begins with `waiting:` as long as the cohort does; the batches are those of all cohorts.
        """
        records = self._exchange.records.open()
        parts, problems = [], [record_text(record) for record in records if record.problem]
        number = sum(record.requests for record in records)
        if records and standing.is_complete:
            others = f"{number:,} requests that are not needed here wait in batches. A later start collects them."
            return "\n".join([others, *problems, *standing.held])
        if records:
            answered = sum(record.counts.get("completed", record.counts.get("succeeded", 0)) for record in records)
            by = max(record.sending_at or record.prepared_at for record in records) + ANSWERED_WITHIN_S
            parts.append(
                f"{number:,} requests in {len(records):,} {'batch' if len(records) == 1 else 'batches'}, "
                f"{answered:,} answered as far as their providers said; they cost at most {_most_usd(records)} and are "
                f"answered by {time.strftime('%Y-%m-%d %H:%M', time.localtime(by))} or expire."
            )
        if standing.ready:
            parts.append(f"{len(standing.ready):,} requests are ready for the next batch.")
        if standing.later:
            parts.append(f"{standing.later:,} generations follow when the ones before them are there.")
        cure = "" if stays else " Run the same command again to go on."
        waiting = [f"waiting: {' '.join(parts)}{cure}"] if parts else []
        return "\n".join([*waiting, *problems, *standing.held])

    def _collect(self) -> bool:
        """Collect what is there; returns whether any batch has come to its end."""
        settled = [record for record in self._exchange.bring_up_to_date() if not record.is_open]
        for record in settled:
            self._tell(record_text(record))
            if record.state is BatchState.NOT_SENT and record.provider_id is not None:
                self._refused[record.endpoint, record.model] = record_text(record)
        return bool(settled)

    def _order(self, last_stage: str) -> Standing:
        standing = self.look(last_stage)
        # What was refused is not sent again before the user has seen it.
        wanted = [one for one in standing.ready if (one.context.endpoint, one.request.model) not in self._refused]
        if not wanted:
            return replace(standing, problems=tuple(self._refused.values()))
        submission = self._exchange.submit(wanted)
        for record in submission.sent:
            self._tell(record_text(record))
        for problem in submission.problems:
            self._tell(problem)
        waiting = self._exchange.records.waiting(fresh=True)
        left = [one for one in standing.ready if one.request.sha256 not in waiting]
        sent = len(standing.ready) - len(left)
        problems = (*self._refused.values(), *submission.problems)
        return replace(standing, ready=left, waiting=standing.waiting + sent, problems=problems)

    def _can_be_made(self, planned: PlannedGeneration, makeable: set[Key], failed: set[str]) -> bool:
        """Whether a job of this run can make it: from what is stored, or by a call that is no batch's."""
        specification = planned.specification
        has_sources = all(source in makeable for source in specification.sources)
        if not isinstance(specification, CallSpecification):
            return has_sources
        is_single = not self._study.settings.uses_batches(specification.endpoint)
        if planned.request is not None:
            # What came back as an error fails in the run that has collected it, and is asked for again by the next.
            return is_single or planned.request.sha256 in failed
        return has_sources and (is_single or planned.state is not State.UNKNOWN)

    def _answers(self, generations: Iterable[PlannedGeneration]) -> AnswerBreaker:
        """What came of the answers that are there, by template and model: as in a run that reads them one by one."""
        answers = AnswerBreaker(self._study.settings.stop_after_unusable)
        for planned in generations:
            is_there = planned.request is None and planned.state in (State.UP_TO_DATE, State.REPARSE, State.REUSE)
            if not planned.specification.is_copy and (planned.failure or is_there):
                answers.answered(*answered_together(planned.specification), planned.failure)
        return answers

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Keep the data folder from being tidied up meanwhile, and close all at the end. Raises InputError."""
        in_use = DataInUse(self._study.paths)
        try:
            yield
        except (GenerationError, OSError) as error:
            raise InputError(Fault("batches", str(error), "What was sent before stays recorded.")) from None
        finally:
            self._close()
            in_use.close()

    def _journal(self, cohort_id: str) -> Journal:
        if cohort_id not in self._journals:
            settings = self._study.settings
            budget = Budget(settings.budget_usd, settings.budget_calls)
            path = self._study.paths.cohort(cohort_id).journal
            self._journals[cohort_id] = Journal(path, budget, self._run_id, self._store.cost_usd)
        return self._journals[cohort_id]

    def _close(self) -> None:
        self._exchange.close()
        for journal in self._journals.values():
            journal.close()


def record_text(record: BatchRecord) -> str:
    """One line about a batch."""
    head = f"Batch {record.batch_id} of {record.requests:,} requests to {record.model!r} at {record.endpoint!r}"
    if record.state is BatchState.COLLECTED:
        outcomes = ", ".join(f"{number:,} {name}" for name, number in record.outcomes.items())
        cost = "" if record.cost_usd is None else f", {usd(record.cost_usd)}"
        first = next(iter(record.errors.values()), "")
        return f"{head}: {outcomes}{cost}." + (f" The first error: {first}" if first else "")
    if record.state is BatchState.ACCEPTED and not record.problem:
        return f"{head}: sent, at most {_most_usd([record])}; its provider calls it {record.provider_id}."
    return f"{head}: {record.state}. {record.problem}"


def _most_usd(records: Sequence[BatchRecord]) -> str:
    amounts = [record.reserved_usd for record in records if record.reserved_usd is not None]
    return usd(sum(amounts)) if len(amounts) == len(records) else "an unknown amount (no prices)"


def _why_held(answers: AnswerBreaker, specification: CallSpecification) -> str:
    """Why a request is not sent: all answers to its template and model were useless for one reason. "": it is sent."""
    try:
        answers.check(*answered_together(specification))
    except GenerationError as error:
        return error.message
    return ""

"""What a run does with batches before Snakemake has a graph: collect, order what is ready, wait if it is told to.

What waits in a batch is not in the graph. Nothing has to stay alive in between: the next start reads the records.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from daydreaming.base.amounts import usd
from daydreaming.base.errors import Fault, GenerationError, InputError
from daydreaming.generation.specification import CallSpecification, Key
from daydreaming.generation.study import Study
from daydreaming.ledger.batch_records import BatchRecord, BatchState
from daydreaming.ledger.journal import Budget, Journal
from daydreaming.ledger.replies import ReplyStore
from daydreaming.llm.batches.exchange import BatchExchange
from daydreaming.llm.batches.grouping import Wanted
from daydreaming.llm.call_account import CallContext
from daydreaming.plan.planning import PlannedGeneration, State, make_plan

ANSWERED_WITHIN_S = 86_400


@dataclass(frozen=True)
class Standing:
    """Where a cohort stands: what can be made without a batch, and the requests that are to go out in one.

    `later` counts the generations whose request is not known before something else is answered, `problems` are what
    kept requests from being sent.
    """

    makeable: frozenset[Key]
    ready: list[Wanted] = field(repr=False)
    waiting: int
    later: int
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
        ready, counts = [], {"waiting": 0, "later": 0}
        for planned in make_plan(self._study, last_stage, keeps_requests=True).generations:
            specification, request = planned.specification, planned.request
            if self._can_be_made(planned, makeable, failed):
                makeable.add(specification.key)
            elif request is None or not isinstance(specification, CallSpecification):
                counts["later"] += 1
            elif request.sha256 in waiting:
                counts["waiting"] += 1
            else:
                ready.append(Wanted(request, _context(specification)))
        return Standing(frozenset(makeable), ready, counts["waiting"], counts["later"])

    def work(self, last_stage: str) -> Standing:
        """Collect what is there, order what is ready, and wait for it where the user wants that. Raises InputError."""
        try:
            self._collect()
            standing = self._order(last_stage)
            while self._study.settings.batch_wait and standing.waiting:
                self._tell(self.waiting_text(standing))
                time.sleep(self._study.settings.batch_poll_s)
                self._collect()
                standing = self._order(last_stage)
        except GenerationError as error:
            raise _input_error(error) from None
        finally:
            self._close()
        return standing

    def cancel(self) -> list[str]:
        """End all batches that wait, of all cohorts of the data folder; returns what became of them."""
        try:
            records = self._exchange.cancel()
        except GenerationError as error:
            raise _input_error(error) from None
        finally:
            self._close()
        return [record_text(record) for record in records] or ["No batch waits."]

    def waiting_text(self, standing: Standing) -> str:
        """What waits, until when, and what it costs at most: "" where nothing does."""
        records = self._exchange.records.open()
        if standing.is_complete and not records:
            return ""
        parts = []
        if records:
            number = sum(record.requests for record in records)
            answered = sum(record.counts.get("completed", record.counts.get("succeeded", 0)) for record in records)
            by = max(record.sending_at or record.prepared_at for record in records) + ANSWERED_WITHIN_S
            parts.append(
                f"waiting: {number:,} requests in {len(records):,} {'batch' if len(records) == 1 else 'batches'}, "
                f"{answered:,} answered as far as their providers said; they cost at most {_most_usd(records)} and are "
                f"answered by {time.strftime('%Y-%m-%d %H:%M', time.localtime(by))} or expire. Run the same command "
                "again to collect them."
            )
            parts += [record_text(record) for record in records if record.problem]
        if standing.ready:
            start = "waiting" if not records else "also waiting"
            parts.append(f"{start}: {len(standing.ready):,} requests are ready for the next batch.")
        if standing.later:
            parts.append(f"{standing.later:,} generations follow when the ones before them are there.")
        return "\n".join(parts)

    def _collect(self) -> None:
        for record in self._exchange.bring_up_to_date():
            if not record.is_open:
                self._tell(record_text(record))

    def _order(self, last_stage: str) -> Standing:
        standing = self.look(last_stage)
        if not standing.ready or self._study.settings.offline:
            return standing
        submission = self._exchange.submit(standing.ready)
        for record in submission.sent:
            self._tell(record_text(record))
        for problem in submission.problems:
            self._tell(problem)
        standing = self.look(last_stage) if submission.sent else standing
        return replace(standing, problems=tuple(submission.problems))

    def _can_be_made(self, planned: PlannedGeneration, makeable: set[Key], failed: set[str]) -> bool:
        """Whether a job of this run can make it: from what is stored, or by a call that is no batch's."""
        specification, parent = planned.specification, planned.specification.parent
        has_parent = parent is None or parent in makeable
        if not isinstance(specification, CallSpecification):
            return has_parent
        is_single = not self._study.settings.uses_batches(specification.endpoint)
        if planned.request is not None:
            # What came back as an error fails in the run that has collected it, and is asked for again by the next.
            return is_single or planned.request.sha256 in failed
        return has_parent and (is_single or planned.state is not State.UNKNOWN)

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


def _context(specification: CallSpecification) -> CallContext:
    return CallContext(
        stage=specification.stage,
        gen_id=specification.gen_id,
        cohort_id=specification.cohort_id,
        endpoint=specification.endpoint,
        template_id=specification.template.template_id,
        llm_model_id=specification.llm_model_id,
        prices=specification.prices,
    )


def _input_error(error: GenerationError) -> InputError:
    return InputError(Fault("batches", error.message, "What was sent before stays recorded."))

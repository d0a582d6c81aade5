"""What a run came to: calls, tokens, costs, generations, failures, and how to go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from daydreaming.base.amounts import counted, duration, usd
from daydreaming.base.paths import STAGES
from daydreaming.generation.study import Study
from daydreaming.ledger.journal import Account, Budget, read_events
from daydreaming.ledger.replies import ReplyStore
from daydreaming.ledger.tally import SUCCESSES, RunTally

PlannedGeneration = tuple[str, str]  # stage, gen_id
_NO_CALL_PAID_TWICE = "A reply that is in the store is never paid for again."


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run in figures. `blocked` were not tried because a parent failed, `not_tried` because the run was stopped.

    `account` is what the cohort has spent in its whole life, `seconds` how long the run took.
    """

    cohort_id: str
    seconds: float
    tally: RunTally
    account: Account
    budget: Budget
    blocked: int
    not_tried: int

    @property
    def failed(self) -> int:
        """How many generations failed."""
        return self.tally.failed()


def summarize_run(study: Study, run_id: str, planned: Sequence[PlannedGeneration], seconds: float) -> RunSummary:
    """Read from the cohort's journal what a run did of what it had planned. Raises OSError."""
    settings = study.settings
    tally, account = RunTally(run_id), Account()
    for event in read_events(study.cohort_files.journal):
        tally.take(event)
        account.take(event)
    account.settle(ReplyStore(settings.paths).cost_usd)
    open_ends = [key for key in planned if key not in tally.results]
    blocked = sum(_has_failed_ancestor(study, tally, key) for key in open_ends)
    return RunSummary(
        cohort_id=study.membership.cohort_id,
        seconds=seconds,
        tally=tally,
        account=account,
        budget=Budget(settings.budget_usd, settings.budget_calls),
        blocked=blocked,
        not_tried=len(open_ends) - blocked,
    )


def _has_failed_ancestor(study: Study, tally: RunTally, key: PlannedGeneration) -> bool:
    *ancestors, _ = study.membership.chain(study.membership.get(*key))
    results = (tally.results.get((ancestor.stage, ancestor.gen_id)) for ancestor in ancestors)
    return any(result is not None and result.failed for result in results)


def summary_text(summary: RunSummary) -> str:
    """The summary for the terminal: a heading, a line for each thing there is to say."""
    said = [
        ("calls", _calls(summary.tally)),
        ("cost", _cost(summary.tally)),
        ("saved", _saved(summary.tally)),
        *((stage, _stage(summary.tally, stage)) for stage in STAGES),
        ("failed", _failures(summary)),
        ("not tried", _not_tried(summary)),
        ("cut off", _cut_off(summary)),
        ("cohort", _cohort(summary)),
        ("go on", _go_on(summary)),
    ]
    lines = [f"  {name:<11} {text}" for name, text in said if text]
    return "\n".join([f"Run of cohort {summary.cohort_id}, {duration(summary.seconds)}", *lines])


def _calls(tally: RunTally) -> str:
    failed = f" ({tally.failed_calls:,} failed)" if tally.failed_calls else ""
    tokens = f", {tally.prompt_tokens:,} tokens in, {tally.completion_tokens:,} out" if tally.calls else ""
    return f"{tally.calls:,}{failed}{tokens}"


def _cost(tally: RunTally) -> str:
    if not tally.calls:
        return ""
    text = usd(tally.cost_usd)
    if tally.perhaps_usd:
        text += f", up to {usd(tally.cost_usd + tally.perhaps_usd)} with calls that were perhaps billed"
    if tally.unpriced_calls:
        text += f"; {counted(tally.unpriced_calls, 'call')} without a price in llm_models.csv"
    return text


def _saved(tally: RunTally) -> str:
    reused = sum(tally.counts[stage, "reused"] for stage in STAGES)
    return f"{usd(tally.saved_usd)}, {counted(reused, 'generation')} from stored replies" if reused else ""


def _stage(tally: RunTally, stage: str) -> str:
    numbers = {result: tally.counts[stage, result] for result in SUCCESSES} | {"failed": tally.failed(stage)}
    return ", ".join(f"{number:,} {result}" for result, number in numbers.items() if number)


def _failures(summary: RunSummary) -> str:
    kinds = Counter(result.result for result in summary.tally.failures())
    return ", ".join(f"{number:,} {kind}" for kind, number in kinds.most_common())


def _not_tried(summary: RunSummary) -> str:
    reasons = {"their parent failed": summary.blocked, "the run was stopped": summary.not_tried}
    return "; ".join(f"{number:,}, for {reason}" for reason, number in reasons.items() if number)


def _cut_off(summary: RunSummary) -> str:
    number, account = summary.tally.in_flight, summary.account
    lines = [f"{counted(number, 'call')} of this run started and did not end"] if number else []
    if account.reserved:
        held = f" (up to {usd(account.reserved_usd)} stays reserved)" if account.reserved_usd else ""
        lines.append(f"{counted(len(account.reserved), 'call')} of the cohort left neither an end nor a reply{held}")
    return "; ".join(lines)


def _cohort(summary: RunSummary) -> str:
    budget, account = summary.budget, summary.account
    of_usd = "" if budget.usd is None else f" of budget_usd {usd(budget.usd)}"
    of_calls = "" if budget.calls is None else f" of budget_calls {budget.calls:,}"
    return f"{usd(account.spent_usd)}{of_usd}, {counted(account.calls, 'call')}{of_calls} in its whole life"


def _go_on(summary: RunSummary) -> str:
    if summary.failed:
        again = "`snakemake -j8` tries the failed ones again"
        score = "`python scripts/aggregate_scores.py --output scores.csv` scores what there is"
        return f"{again}; {score}. {_NO_CALL_PAID_TWICE}"
    if summary.not_tried:
        return f"`snakemake -j8` makes the rest. {_NO_CALL_PAID_TWICE}"
    return ""

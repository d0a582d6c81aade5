"""What a run came to: calls, tokens, costs, generations, failures, and how to go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from daydreaming.base.amounts import counted, duration, usd
from daydreaming.generation.currency import State
from daydreaming.generation.inspection import inspect_cohort
from daydreaming.generation.specification import Key
from daydreaming.generation.study import Study
from daydreaming.ledger.journal import Account, Budget, read_events
from daydreaming.ledger.replies import ReplyStore
from daydreaming.ledger.tally import SUCCESSES, GenerationResult, RunTally
from daydreaming.watch.outcomes import CONFIRMED, HELD_BACK, WAITING

_NO_CALL_PAID_TWICE = "A reply that is in the store is never paid for again."
_CONFIRMED_WORDS = "up to date"


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run in figures. `stages` are all of the study, in their order.

    `failures`, `held_back` and `waiting` are what the run failed to make, what it did not try because the same error
    had come too often, and what no run made and is not what is asked now, each with its last result. `confirmed`
    counts, by stage, what was found up to date. Of what has no result, `blocked` were not tried because a parent
    failed, `behind` because a parent was held back, `behind_waiting` because a parent waits for the user, `not_tried`
    because the run ended before them: the user stopped it (`stopped`), or Snakemake at an error. `account` is what the
    cohort has spent in its whole life, `seconds` how long the run took, `adopted` how many generations that no run made
    are used as they are.
    """

    cohort_id: str
    stages: Sequence[str]
    seconds: float
    tally: RunTally
    account: Account
    budget: Budget
    failures: Sequence[GenerationResult]
    held_back: Sequence[GenerationResult]
    waiting: Sequence[GenerationResult]
    confirmed: Counter[str]
    blocked: int
    behind: int
    behind_waiting: int
    not_tried: int
    stopped: bool
    adopted: int = 0


def summarize_run(
    study: Study,
    run_id: str,
    planned: Sequence[Key],
    seconds: float,
    *,
    stopped: bool = False,
    adopted: int = 0,
    events: Iterable[dict[str, Any]] | None = None,
) -> RunSummary:
    """Sum up what a run did of what it had planned, from its cohort's journal (or `events` of it). Raises OSError.

    A generation that has an up to date text now is no failure and not missing, whoever made it.
    """
    settings = study.settings
    tally, account = RunTally(run_id), Account()
    for event in read_events(study.cohort_files.journal) if events is None else events:
        tally.take(event)
        account.take(event)
    account.settle(ReplyStore(settings.paths).cost_usd)
    # A run of several cohorts has several summaries: each tells of what is its own.
    open_ends = [key for key in planned if key not in tally.results and key in study.membership.generations]
    unmade = [result for result in tally.results.values() if result.result not in SUCCESSES]
    there = up_to_date(study, [*open_ends, *((result.stage, result.gen_id) for result in unmade)])
    unmade = [result for result in unmade if (result.stage, result.gen_id) not in there]
    failures = [result for result in unmade if result.result not in (HELD_BACK, WAITING)]
    held_back, waiting = ([one for one in unmade if one.result == result] for result in (HELD_BACK, WAITING))
    open_ends = [key for key in open_ends if key not in there]
    blocked = _descendants(study, open_ends, failures)
    behind = _descendants(study, [key for key in open_ends if key not in blocked], held_back)
    behind_waiting = _descendants(study, [key for key in open_ends if key not in blocked | behind], waiting)
    kept = (key[0] for key, result in tally.results.items() if result.result == CONFIRMED)
    return RunSummary(
        cohort_id=study.membership.cohort_id,
        stages=study.membership.stages.names,
        seconds=seconds,
        tally=tally,
        account=account,
        budget=Budget(settings.budget_usd, settings.budget_calls),
        failures=failures,
        held_back=held_back,
        waiting=waiting,
        confirmed=Counter(stage for stage, _ in there) + Counter(kept),
        blocked=len(blocked),
        behind=len(behind),
        behind_waiting=len(behind_waiting),
        not_tried=len(open_ends) - len(blocked | behind | behind_waiting),
        stopped=stopped,
        adopted=adopted,
    )


def up_to_date(study: Study, keys: Sequence[Key]) -> Collection[Key]:
    """Those of some generations whose texts are there, and are what they would be made to now."""
    if not keys:
        return set()
    return set(keys) - inspect_cohort(study).open


def _descendants(study: Study, keys: Iterable[Key], unmade: Iterable[GenerationResult]) -> set[Key]:
    """Those of some generations that are made, over whatever steps, from one that was not made."""
    missing = {(result.stage, result.gen_id) for result in unmade}
    found = set()
    for key in keys:
        ancestors = study.membership.ancestors(study.membership.get(*key))
        if any((ancestor.stage, ancestor.gen_id) in missing for ancestor in ancestors):
            found.add(key)
    return found


def summary_text(summary: RunSummary) -> str:
    """The summary for the terminal: a heading, a line for each thing there is to say."""
    said = [
        ("calls", _calls(summary.tally)),
        ("cost", _cost(summary.tally)),
        ("saved", _saved(summary.tally)),
        *((stage, _stage(summary, stage)) for stage in summary.stages),
        ("adopted", _adopted(summary)),
        ("waiting", _waiting(summary)),
        ("failed", _failures(summary)),
        ("not tried", _not_tried(summary)),
        ("cut off", _cut_off(summary)),
        ("journal", _bad_lines(summary.tally)),
        ("cohort", _cohort(summary)),
        ("go on", _go_on(summary)),
    ]
    width = max(11, *(len(stage) for stage in summary.stages))
    lines = [f"  {name:<{width}} {text}" for name, text in said if text]
    return "\n".join([f"Run of cohort {summary.cohort_id}, {duration(summary.seconds)}", *lines])


def _bad_lines(tally: RunTally) -> str:
    if not tally.bad_lines:
        return ""
    return f"{counted(len(tally.bad_lines), 'line')} of it cannot be used and are passed over: {tally.bad_lines[0]}"


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
    reused = sum(number for (_, result), number in tally.counts.items() if result == "reused")
    return f"{usd(tally.saved_usd)}, {counted(reused, 'generation')} from stored replies" if reused else ""


def _stage(summary: RunSummary, stage: str) -> str:
    numbers = {result: summary.tally.counts[stage, result] for result in SUCCESSES if result != CONFIRMED}
    numbers[_CONFIRMED_WORDS] = summary.confirmed[stage]
    numbers[State.WAITING] = sum(result.stage == stage for result in summary.waiting)
    numbers["failed"] = sum(result.stage == stage for result in summary.failures)
    return ", ".join(f"{number:,} {result}" for result, number in numbers.items() if number)


def _adopted(summary: RunSummary) -> str:
    return f"{counted(summary.adopted, 'generation')} that no run made, used as found" if summary.adopted else ""


def _waiting(summary: RunSummary) -> str:
    if not summary.waiting:
        return ""
    what = counted(len(summary.waiting), "generation")
    return f"{what} that no run made, not of what is asked now: put that back, or set remake_adopted"


def _failures(summary: RunSummary) -> str:
    kinds = Counter(result.result for result in summary.failures)
    return ", ".join(f"{number:,} {kind}" for kind, number in kinds.most_common())


def _not_tried(summary: RunSummary) -> str:
    reasons = {
        "their parent failed": summary.blocked,
        "the same error had come too often": len(summary.held_back) + summary.behind,
        f"their parent is {State.WAITING}": summary.behind_waiting,
        "the run was stopped" if summary.stopped else "the run ended at an error": summary.not_tried,
    }
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
    if not (summary.failures or summary.held_back or summary.blocked or summary.not_tried):
        return ""
    again = "Run the same command again: it makes what is missing."
    score = "`python scripts/aggregate_scores.py --output scores.csv` scores what there is."
    return " ".join([again, *([score] if summary.failures else []), _NO_CALL_PAID_TWICE])

"""The plan of a run as a person reads it, and as a program does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from daydreaming.base.amounts import usd
from daydreaming.base.terminal_tables import table_text
from daydreaming.generation.study import Study
from daydreaming.ledger.batch_records import BatchRecord, BatchRecords
from daydreaming.plan.axis_table import axis_rows, axis_table
from daydreaming.plan.history import ASSUMED_CHARACTERS_PER_TOKEN, History, read_history
from daydreaming.plan.planning import Plan, PlannedGeneration, State, make_plan
from daydreaming.plan.price import PAID_STATES, PlanRow, Range, price_plan, total_row

# These have a column also where there are none.
ALWAYS_SHOWN = (State.UP_TO_DATE, State.REPARSE, State.REUSE, State.CALL, State.UNKNOWN)
KEPT_STATES = (State.UP_TO_DATE, State.ADOPTED)
AMOUNTS = ("calls", "prompt tokens", "completion tokens", "USD expected", "USD at most")
MORE_IN_SCRIPT = "`python scripts/plan.py --why` gives the reason for each generation, `--json` all of it as JSON."


@dataclass(frozen=True)
class PlanReport:
    """A plan with its price, and how far the figures can be trusted."""

    study: Study
    plan: Plan
    history: History
    rows: list[PlanRow]
    status: str = ""
    waiting: tuple[BatchRecord, ...] = ()

    def text(self, *, why: bool = False) -> str:
        """The table with its notes; `why` adds a line with the reason for each generation that is not up to date."""
        size = f"{len(self.plan.generations):,} generations"
        head = f"Plan of cohort {self.plan.cohort_id}: {size}. Nothing was called, nothing written."
        status = [self.status] if self.status else []
        axes = axis_table(self.study.membership)
        parts = [head, *status, "", *([axes, ""] if axes else []), *_tables(self.rows), "", *self._notes()]
        if why:
            parts += ["", *self._reasons()]
        return "\n".join(parts)

    def json_values(self, *, why: bool = False) -> dict[str, Any]:
        """The same as plain values. Tokens and US dollars are null where they are not known."""
        values = {
            "cohort": self.plan.cohort_id,
            "generations": len(self.plan.generations),
            "status": self.status,
            "axes": {row.axis: dict(row.rows) for row in axis_rows(self.study.membership)},
            "offline": self.study.settings.offline,
            "usd_in_batches": _range_values(total_row(self.rows).batch_usd) if self._uses_batches() else None,
            "waiting_in_batches": sum(record.requests for record in self.waiting),
            "rows": [_row_values(row) for row in self.rows],
            "total": _row_values(total_row(self.rows)),
            "characters_per_token": {
                model_id: {"prompts": length.of_prompts, "replies": length.of_replies, "past_replies": length.replies}
                for model_id in self._models()
                for length in [self.history.token_length(model_id)]
            },
        }
        return {**values, "why": [_reason_values(one) for one in self.plan.generations]} if why else values

    def _notes(self) -> Iterator[str]:
        """What one must know to read the table."""
        counts = total_row(self.rows).counts
        if not any(counts[state] for state in State if state not in KEPT_STATES):
            yield "Everything is up to date."
        elif not any(counts[state] for state in PAID_STATES):
            yield "A run makes no call."
        if counts[State.UNKNOWN]:
            yield "unknown: the request depends on a parent that is to be made first. Priced as calls."
        if counts[State.WAITING]:
            what = "no run made these texts or those behind them, and they are not of what is asked now"
            yield f"{State.WAITING}: {what}. Put that back, or set remake_adopted. `--why` says what changed."
        if counts[State.FAIL]:
            yield "fail: a run fails there, without a call. `--why` says how."
        if self.study.settings.offline and any(counts[state] for state in PAID_STATES):
            yield "offline is true: a run makes none of these calls, and what needs one fails."
        if any(counts[state] for state in PAID_STATES):
            yield from self._estimate_notes()
        yield from self._batch_notes()
        yield MORE_IN_SCRIPT

    def _uses_batches(self) -> bool:
        settings = self.study.settings
        return any(settings.uses_batches(name) for name in settings.endpoints)

    def _batch_notes(self) -> Iterator[str]:
        """The price within batches, and what waits in them."""
        total = total_row(self.rows)
        if self._uses_batches() and _calls(total):
            within, single = total.batch_usd, total.usd
            yield (
                f"At the batch price: {_amount(within.expected)} expected, at most {_amount(within.most)}; as single "
                f"calls {_amount(single.expected)}, at most {_amount(single.most)}."
            )
        if self.waiting:
            number = sum(record.requests for record in self.waiting)
            batches = f"{len(self.waiting)} {'batch' if len(self.waiting) == 1 else 'batches'}"
            known = [record.reserved_usd for record in self.waiting if record.reserved_usd is not None]
            most = _amount(sum(known) if len(known) == len(self.waiting) else None)
            yield (
                f"{number:,} requests of this data folder wait in {batches}, for at most {most}, which is reserved. "
                "Here they still count as calls; none of them is sent again."
            )

    def _estimate_notes(self) -> Iterator[str]:
        lengths = {model_id: self.history.token_length(model_id) for model_id in self._models()}
        known = [
            f"{model_id} {length.of_prompts:.1f} (from {length.replies} past replies)"
            for model_id, length in lengths.items()
            if length.replies
        ]
        assumed = [model_id for model_id, length in lengths.items() if not length.replies]
        if assumed:
            known.append(f"{', '.join(assumed)} {ASSUMED_CHARACTERS_PER_TOKEN:g} (assumed)")
        yield f"Prompt tokens are estimated from characters. Characters a token: {'; '.join(known)}."
        yield (
            "Completion tokens: the mean of past replies of the same template and model, max_tokens where there are "
            "none. The price is at most that of max_tokens."
        )
        yield "Not in the price: fresh attempts (retry_replies), calls again after failures (max_retries)."
        if unpriced := self._unpriced():
            yield f"No price for {', '.join(unpriced)}: fill in usd_per_mtok_in and _out in {self.study.paths.models}."

    def _reasons(self) -> Iterator[str]:
        for one in self.plan.generations:
            if one.state not in KEPT_STATES:
                yield f"{one.specification.stage} {one.specification.gen_id} {one.state}: {one.reason}"

    def _models(self) -> list[str]:
        """The models that would be called."""
        paid = (one.specification.llm_model_id for one in self.plan.generations if one.state in PAID_STATES)
        return list(dict.fromkeys(paid))

    def _unpriced(self) -> list[str]:
        models = self.study.catalogs.models
        return [
            model_id
            for model_id in self._models()
            if None in (models[model_id].usd_per_mtok_in, models[model_id].usd_per_mtok_out)
        ]


def plan_report(study: Study, last_stage: str = "", status: str = "") -> PlanReport:
    """Plan a run that makes the cohort up to a stage ("": all), and price it. Writes nothing, calls nobody.

    `status` is what there is to say of the cohort's table.
    """
    plan, history = make_plan(study, last_stage), read_history(study.paths)
    settings = study.settings
    prices = {name: one.batch.price for name, one in settings.endpoints.items() if settings.uses_batches(name)}
    waiting = tuple(BatchRecords(study.paths).open())
    return PlanReport(study, plan, history, price_plan(plan, history, prices), status, waiting)


def _tables(rows: Sequence[PlanRow]) -> list[str]:
    """How many generations are in which state, and what those that need a call would use."""
    total = total_row(rows)
    states = [state for state in State if state in ALWAYS_SHOWN or total.counts[state]]
    lines = [[row.stage, row.llm_model_id, *(f"{row.counts[state]:,}" for state in states)] for row in [*rows, total]]
    tables = [table_text(["stage", "model", *states], lines, numbers=states)]
    paid = [row for row in rows if _calls(row)]
    if paid:
        tables += ["", table_text(["stage", "model", *AMOUNTS], map(_amounts, [*paid, total]), numbers=AMOUNTS)]
    return tables


def _calls(row: PlanRow) -> int:
    return sum(row.counts[state] for state in PAID_STATES)


def _amounts(row: PlanRow) -> list[str]:
    tokens = (row.prompt_tokens.expected, row.completion_tokens.expected)
    prices = (row.usd.expected, row.usd.most)
    return [row.stage, row.llm_model_id, f"{_calls(row):,}", *map(_tokens, tokens), *map(_price, prices)]


def _tokens(number: float | None) -> str:
    return "?" if number is None else f"~{number:,.0f}"


def _price(amount: float | None) -> str:
    # The unit stands above the column.
    return "?" if amount is None else usd(amount).removesuffix(" USD")


def _amount(amount: float | None) -> str:
    return "an unknown amount" if amount is None else usd(amount)


def _row_values(row: PlanRow) -> dict[str, Any]:
    return {
        "stage": row.stage,
        "llm_model_id": row.llm_model_id,
        **{state.name.lower(): row.counts[state] for state in State},
        "prompt_tokens": _range_values(row.prompt_tokens),
        "completion_tokens": _range_values(row.completion_tokens),
        "usd": _range_values(row.usd),
    }


def _range_values(amount: Range) -> dict[str, float | None]:
    return {"expected": amount.expected, "most": amount.most}


def _reason_values(planned: PlannedGeneration) -> dict[str, Any]:
    return {
        "stage": planned.specification.stage,
        "gen_id": planned.specification.gen_id,
        "template_id": planned.specification.template.template_id,
        "llm_model_id": planned.specification.llm_model_id,
        "state": planned.state.name.lower(),
        "reason": planned.reason,
    }

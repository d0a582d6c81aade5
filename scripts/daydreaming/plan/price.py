"""What a plan would cost: tokens and US dollars by stage and model, from what is expected to what is possible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from daydreaming.base.errors import GenerationError
from daydreaming.generation.prompting import Prompter
from daydreaming.generation.specification import CallSpecification, Key, Specification
from daydreaming.plan.history import History
from daydreaming.plan.planning import Plan, PlannedGeneration, State

# What a run pays for, as far as the plan can know: for the unknown, too, unless a reply to it turns out to be stored.
PAID_STATES = (State.CALL, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Range:
    """An amount: what is expected, and the most that it can be. None where that is not known."""

    expected: float | None = 0.0
    most: float | None = 0.0

    def __add__(self, other: Range) -> Range:
        return Range(_sum(self.expected, other.expected), _sum(self.most, other.most))

    def times(self, factor: float | None) -> Range:
        """The amount at a price; not known where the price is not."""
        return Range(_product(self.expected, factor), _product(self.most, factor))


@dataclass
class PlanRow:
    """The generations of a stage and model: how many in each state, and what those that need a call would use."""

    stage: str
    llm_model_id: str
    counts: Counter[State] = field(default_factory=Counter)
    prompt_tokens: Range = Range()
    completion_tokens: Range = Range()
    usd: Range = Range()
    batch_usd: Range = Range()


def price_plan(plan: Plan, history: History, batch_prices: Mapping[str, float] | None = None) -> list[PlanRow]:
    """Return one row for each stage and model, in the order in which the plan has them.

    `batch_prices` are what a call costs within a batch at an endpoint, as shares of its price; 1 where none is given.
    """
    estimator = _Estimator(plan, history)
    rows: dict[tuple[str, str], PlanRow] = {}
    for planned in plan.generations:
        specification = planned.specification
        key = (specification.stage, specification.llm_model_id)
        row = rows.setdefault(key, PlanRow(*key))
        row.counts[planned.state] += 1
        if planned.state in PAID_STATES and isinstance(specification, CallSpecification):
            prompt, completion = estimator.prompt_tokens(planned), estimator.completion_tokens(specification)
            price_in, price_out = (_per_token(price) for price in specification.prices)
            row.prompt_tokens += prompt
            row.completion_tokens += completion
            price = prompt.times(price_in) + completion.times(price_out)
            row.usd += price
            row.batch_usd += price.times((batch_prices or {}).get(specification.endpoint, 1.0))
    return list(rows.values())


def total_row(rows: Iterable[PlanRow]) -> PlanRow:
    """Return the sum of all rows."""
    total = PlanRow("total", "")
    for row in rows:
        total.counts += row.counts
        total.prompt_tokens += row.prompt_tokens
        total.completion_tokens += row.completion_tokens
        total.usd += row.usd
        total.batch_usd += row.batch_usd
    return total


class _Estimator:
    """Estimates the tokens of calls.

    Prompts that cannot be rendered yet are rendered with a text of the length that their parent's text may have.
    """

    def __init__(self, plan: Plan, history: History):
        self._history = history
        self._prompter = Prompter()
        self._by_key = {
            (one.specification.stage, one.specification.gen_id): one.specification for one in plan.generations
        }
        self._lengths: dict[tuple[str, str, tuple[int, ...]], int] = {}

    def completion_tokens(self, specification: Specification) -> Range:
        """Tokens of a reply: as past ones of that template and model, else up to the limit."""
        if not isinstance(specification, CallSpecification):
            return Range(0, 0)
        limit = specification.sampling.max_tokens
        expected = self._history.expected_completion(specification)
        return Range(limit if expected is None else expected, limit)

    def prompt_tokens(self, planned: PlannedGeneration) -> Range:
        """Tokens of a prompt, from its characters."""
        characters_per_token = self._history.token_length(planned.specification.llm_model_id).of_prompts
        if planned.prompt_characters is not None:
            tokens = planned.prompt_characters / characters_per_token
            return Range(tokens, tokens)
        specification = planned.specification
        assert specification.sources, "the request of what is made from a combo is always known"
        texts = [self._characters(source) for source in specification.sources]
        expected = self._rendered_length(specification, [text.expected for text in texts])
        most = self._rendered_length(specification, [text.most for text in texts])
        return Range(expected, most).times(1 / characters_per_token)

    def _characters(self, source: Key) -> Range:
        """How long a text may be that a generation is made from; a copy is as long as its parent."""
        parent = self._by_key[source]
        if not isinstance(parent, CallSpecification):
            return self._characters(parent.parent)
        return self.completion_tokens(parent).times(self._history.token_length(parent.llm_model_id).of_replies)

    def _rendered_length(self, specification: Specification, lengths: Sequence[float | None]) -> int | None:
        """The length of a prompt with texts of these lengths; None where one of them is not known."""
        known = tuple(round(length) for length in lengths if length is not None)
        if len(known) < len(lengths):
            return None
        key = (specification.stage, specification.template.template_id, known)
        if key not in self._lengths:
            sources = self._prompter.sources(specification)
            try:
                self._lengths[key] = len(self._prompter.prompt(sources, ["x" * length for length in known]))
            except GenerationError:  # a template that computes with its parent's text may not like this one
                self._lengths[key] = len(sources.template.content) + sum(known)
        return self._lengths[key]


def _per_token(usd_per_million: float | None) -> float | None:
    return None if usd_per_million is None else usd_per_million / 1e6


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _product(amount: float | None, factor: float | None) -> float | None:
    return None if amount is None or factor is None else amount * factor

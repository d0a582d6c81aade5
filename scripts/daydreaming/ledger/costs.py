"""What calls cost, the one place where it is read: from a body, from prices, from a line of the journal.

All amounts are US dollars. An amount below zero, one that is not finite, and a number of tokens that is no count are no
information: they are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.received import Prices

TOKENS_AROUND_A_MESSAGE = 64
# Counts beyond it are not exact in every JSON reader, and no call has so many tokens.
LARGEST_COUNT = 2**53 - 1
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


def amount_usd(value: Any) -> float | None:
    """A reported amount, given as a number or as the text of one; None for anything else and below zero."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,15}(\.\d{1,30})?", value, re.ASCII):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        return None
    return float(value)


def token_counts(usage: Any) -> dict[str, int]:
    """The counts of tokens that a body's `usage` holds."""
    if not isinstance(usage, dict):
        return {}
    return {name: usage[name] for name in COUNTS if _is_count(usage.get(name))}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_COUNT


def reported_usd(usage: Any) -> float | None:
    """The cost that a body reports: `cost`, and what a provider of one's own takes for it.

    With one's own provider key OpenRouter's `cost` is its fee alone, and `cost_details.upstream_inference_cost` the
    price (openrouter.ai, usage accounting). Where `is_byok` is false that detail is a part of `cost` itself.
    """
    if not isinstance(usage, dict):
        return None
    cost, details = amount_usd(usage.get("cost")), usage.get("cost_details")
    upstream = amount_usd(details.get("upstream_inference_cost")) if isinstance(details, dict) else None
    if upstream is None or (usage.get("is_byok") is False and cost is not None):
        return cost
    return upstream + (cost or 0.0)


def cost_usd(usage: Any, prices: Prices) -> float | None:
    """What a call cost: as its body reports it, else its tokens at `prices` (US dollars per million, in and out)."""
    reported = reported_usd(usage)
    counts, (price_in, price_out) = token_counts(usage), prices
    if reported is not None or price_in is None or price_out is None:
        return reported
    if "prompt_tokens" not in counts or "completion_tokens" not in counts:
        return None
    billed = amount_usd(usage.get("billed_prompt_tokens"))
    prompt_tokens = counts["prompt_tokens"] if billed is None else billed
    return (prompt_tokens * price_in + counts["completion_tokens"] * price_out) / 1e6


def was_paid(usage: Any) -> bool:
    """Whether a body reports tokens or a cost above zero."""
    return any(token_counts(usage).values()) or bool(reported_usd(usage))


def most_expensive_usd(request: ModelRequest, prices: Prices) -> float | None:
    """The most that a call can cost in US dollars, None without prices or without a limit of its output.

    A byte-level tokenizer makes no more tokens of a prompt than it has bytes; the tokens around each message, and a
    `response_format` that the server may turn into a part of the prompt, are added.
    """
    (price_in, price_out), limit = prices, request.output_limit
    if price_in is None or price_out is None or limit is None:
        return None
    prompt_tokens = request.prompt_bytes + TOKENS_AROUND_A_MESSAGE * len(request.messages) + _form_bytes(request)
    return (prompt_tokens * price_in + limit * price_out) / 1e6


def _form_bytes(request: ModelRequest) -> int:
    form = request.extra_body.get("response_format")
    return 0 if form is None else len(orjson.dumps(form))


class CallCost(NamedTuple):
    """What a call that ended cost: known to be spent, and at most spent on top of it (None: nobody knows a price)."""

    known: float | None
    perhaps: float | None


def cost_of_call(ended: Mapping[str, Any], reserved: float | None) -> CallCost:
    """What a `call_ended` line of a journal says, given what its call had reserved.

    A call that may have been billed, at a price that nobody told, may have cost all that was reserved for it.
    """
    cost = ended.get("cost_usd")
    if cost is not None:
        return CallCost(cost, 0.0)
    return CallCost(None, reserved if ended.get("perhaps_billed") else 0.0)

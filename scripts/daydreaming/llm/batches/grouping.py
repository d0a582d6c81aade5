"""Which requests go into one batch: of one endpoint, model and cohort, within the limits of requests and bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.ledger.costs import most_expensive_usd
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.received import Prices
from daydreaming.llm.call_account import CallContext

# A line is sent with a separator, and a body has a frame around its lines.
BYTES_AROUND_A_LINE, BYTES_AROUND_ALL = 2, 1024


class Wanted(NamedTuple):
    """A request that is to be answered in a batch, and for what."""

    request: ModelRequest
    context: CallContext


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests and bytes a batch may have."""

    requests: int
    bytes: int

    def check(self, size: int) -> None:
        """Raise GenerationError (too_long) for a line of so many bytes that is too long alone."""
        if size + BYTES_AROUND_A_LINE + BYTES_AROUND_ALL > self.bytes:
            message = f"No batch has room for a request of {size:,} bytes: it may have {self.bytes:,}. "
            raise GenerationError(FailureKind.TOO_LONG, message + "Shorten its prompt, or call without batches.")


def batch_prices(prices: Prices, factor: float) -> Prices:
    """Prices within a batch, in US dollars per million tokens, from those of single calls."""
    price_in, price_out = prices
    return (None if price_in is None else price_in * factor, None if price_out is None else price_out * factor)


def groups_of(wanted: Iterable[Wanted]) -> dict[tuple[str, str, str], list[Wanted]]:
    """The requests by endpoint, model and cohort, each asked once, in the order in which they came."""
    groups: dict[tuple[str, str, str], list[Wanted]] = {}
    seen = set()
    for one in wanted:
        if one.request.sha256 not in seen:
            seen.add(one.request.sha256)
            groups.setdefault((one.context.endpoint, one.request.model, one.context.cohort_id), []).append(one)
    return groups


def chunks(sizes: Iterable[int], limits: Limits) -> Iterator[slice]:
    """Parts of a list of lines, of so many bytes each, that fit into the limits; none is too long alone."""
    start = number = 0
    total = BYTES_AROUND_ALL
    for number, size in enumerate(sizes, start=1):
        size += BYTES_AROUND_A_LINE
        if number - start > limits.requests or total + size > limits.bytes:
            yield slice(start, number - 1)
            start, total = number - 1, BYTES_AROUND_ALL
        total += size
    if number > start:
        yield slice(start, number)


def most_usd(one: Wanted, factor: float) -> float | None:
    """The most that a request can cost within a batch (US dollars); None without prices or a limit of its output."""
    return most_expensive_usd(one.request, batch_prices(one.context.prices, factor))

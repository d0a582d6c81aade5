from __future__ import annotations

from typing import Any

import pytest
from core_fixtures import request

from daydreaming.ledger.costs import amount_usd, cost_of_call, cost_usd, most_expensive_usd, token_counts
from daydreaming.ledger.model_request import ModelRequest


@pytest.mark.parametrize(
    ("asked", "prices", "usd"),
    [
        (request(messages=({"role": "user", "content": "x" * 936},), max_tokens=500), (1.0, 2.0), 0.002),
        (request(messages=({"role": "user", "content": "x" * 936},), max_tokens=500), (0.0, 0.0), 0.0),
        (request(max_tokens=None), (1.0, 2.0), None),
        (request(), (None, 2.0), None),
    ],
)
def test_the_most_that_a_call_can_cost(asked: ModelRequest, prices: Any, usd: float | None):
    assert most_expensive_usd(asked, prices) == pytest.approx(usd)


@pytest.mark.parametrize(
    ("prompt", "completion", "prices", "usd"),
    [(300, 7, (2.0, 5.0), 635e-6), (0, 7, (2.0, 5.0), 35e-6), (300, 0, (2.0, 0.5), 600e-6), (300, 7, (0.0, 0.0), 0.0)],
)
def test_tokens_at_their_prices_add_up(prompt: int, completion: int, prices: Any, usd: float):
    assert cost_usd({"prompt_tokens": prompt, "completion_tokens": completion}, prices) == pytest.approx(usd, abs=1e-12)


@pytest.mark.parametrize(
    ("value", "usd"),
    [(0, 0.0), (1e-9, 1e-9), (0.5, 0.5), (999e12, 999e12), (1e15, None), (-1e-9, None), (True, None), ("0.25", 0.25)],
)
def test_an_amount_is_a_number_from_zero_that_can_be_one(value: Any, usd: float | None):
    assert amount_usd(value) == usd


def test_counts_are_as_large_as_every_json_reader_can_hold():
    counts = {"prompt_tokens": 2**53 - 1, "completion_tokens": 2**53, "total_tokens": 0}
    assert token_counts(counts) == {"prompt_tokens": 2**53 - 1, "total_tokens": 0}


@pytest.mark.parametrize(
    ("ended", "reserved", "known", "perhaps"),
    [
        ({"cost_usd": 0.5, "perhaps_billed": True}, 0.7, 0.5, 0.0),
        ({"cost_usd": 0.0}, 0.7, 0.0, 0.0),
        ({"perhaps_billed": True}, 0.7, None, 0.7),
        ({"perhaps_billed": True}, None, None, None),
        ({"kind": "api"}, 0.7, None, 0.0),
    ],
)
def test_what_a_call_cost(ended: dict[str, Any], reserved: float | None, known: float | None, perhaps: float | None):
    assert cost_of_call(ended, reserved) == (known, perhaps)

from __future__ import annotations

from typing import Any

import pytest
from core_fixtures import request

from daydreaming.ledger.costs import cost_of_call, most_expensive_usd
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

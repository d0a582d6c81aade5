from __future__ import annotations

import pytest

from daydreaming.base.errors import FailureKind
from daydreaming.llm.answers import CallError
from daydreaming.llm.tries import FIRST_BACKOFF_S, LONGEST_BACKOFF_S, pause_after


def error(retry_after_s: float | None = None) -> CallError:
    return CallError(FailureKind.API, "no", retryable=True, retry_after_s=retry_after_s)


@pytest.mark.parametrize("failures", [1, 2, 3, 4])
def test_the_pause_doubles(failures: int):
    pauses = [pause_after(error(), failures) for _ in range(200)]
    ceiling = FIRST_BACKOFF_S * 2**failures
    assert all(ceiling / 2 <= pause <= ceiling for pause in pauses)
    assert max(pauses) - min(pauses) > ceiling / 4, "all come back at the same time"


@pytest.mark.parametrize("failures", [10, 10_000])
def test_the_pause_has_an_end(failures: int):
    assert LONGEST_BACKOFF_S / 2 <= pause_after(error(), failures) <= LONGEST_BACKOFF_S


@pytest.mark.parametrize("asked_s", [1.0, 20.0, 599.0])
@pytest.mark.parametrize("failures", [1, 6])
def test_what_the_provider_asks_for_is_waited_for_exactly(asked_s: float, failures: int):
    assert pause_after(error(asked_s), failures) == asked_s


@pytest.mark.parametrize("asked_s", [0.0, 0.001, 0.9])
def test_no_time_at_all_is_no_reason_to_ask_again_and_again(asked_s: float):
    assert all(pause_after(error(asked_s), 3) >= max(asked_s, FIRST_BACKOFF_S * 4) for _ in range(50))

"""The limits of an endpoint and key hold for all processes together: here, two studies with one `limits_dir`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from fault_study import FaultStudy, at_once

from daydreaming.llm.model_throttle import RECOVERY_S
from provider import Call, Provider, faults
from studies import Run

# A call that was on its way when a 429 came back is no offence.
REACTION_S = 0.3


def run_two_studies(folder: Path, provider: Provider, chains: int, **endpoint: object) -> tuple[FaultStudy, Run, dict]:
    """Run two studies of one endpoint at the same time, with data and requests of their own."""
    one, two = (FaultStudy.with_chains(folder / name, provider, chains, **endpoint) for name in ("one", "two"))
    two.configure(stages={"draft": {"temperature": 0.1}, "evaluation": {"temperature": 0.1}})
    for study in (one, two):
        study.configure(limits_dir=str(folder / "limits"))
    runs = at_once(one.run, two.run)
    return one, Run(0, "\n".join(run.output for run in runs), (), {}), {"others": [two]}


def most_in_flight(calls: Iterable[Call], since: float, until: float) -> int:
    """The most calls at once between two moments (Unix seconds)."""
    changes = sorted(change for call in calls for change in ((call.received_at, 1), (call.ended_at, -1)))
    most = now = 0
    for moment, change in changes:
        now += change
        if since <= moment <= until:
            most = max(most, now)
    return most


def test_requests_per_minute_hold_over_two_processes(tmp_path: Path, survived: Callable[..., None]) -> None:
    per_second, window_s = 10, 4.0
    with Provider(window_s=window_s) as provider:
        study, run, others = run_two_studies(tmp_path, provider, chains=20, requests_per_minute=60 * per_second)

        survived("requests_per_minute, two processes", study, run, **others)
        stats = provider.stats()

    assert stats.calls == 80
    # A burst of one second's calls is allowed; a busy machine may hold calls back and send them a second later.
    assert stats.peak_calls_per_window <= per_second * (window_s + 2)


def test_calls_in_flight_hold_over_two_processes(tmp_path: Path, survived: Callable[..., None]) -> None:
    with Provider(latency_s=0.3) as provider:
        study, run, others = run_two_studies(tmp_path, provider, chains=10, max_concurrency=5)

        survived("max_concurrency, two processes", study, run, **others)
        stats = provider.stats()

    assert stats.calls == 40
    assert stats.peak_in_flight == 5


def test_retry_after_is_obeyed_by_all_calls_of_the_model_of_two_processes(
    tmp_path: Path, survived: Callable[..., None]
) -> None:
    pause_s = 4
    with Provider([faults.fault_429(pause_s, nth=20)], latency_s=0.2) as provider:
        study, run, others = run_two_studies(tmp_path, provider, chains=20)

        survived("one 429 with Retry-After, two processes", study, run, **others)
        calls = provider.ledger()

    (refused,) = (call for call in calls if call.status == 429)
    paused = [
        call.sequence
        for call in calls
        if call.model == refused.model
        and refused.ended_at + REACTION_S < call.received_at < refused.ended_at + pause_s - REACTION_S
    ]
    assert paused == []
    assert max(call.received_at for call in calls) > refused.ended_at + pause_s
    assert len(calls) == 81


def test_speed_comes_back_after_a_slow_down(tmp_path: Path, survived: Callable[..., None]) -> None:
    pause_s, latency_s = 0.5, 0.5
    with Provider([faults.fault_429(pause_s, nth=9)], latency_s=latency_s) as provider:
        study = FaultStudy.with_chains(tmp_path, provider, chains=60, max_concurrency=8)
        run = study.run()

        survived("one 429: slower, then as fast as before", study, run)
        calls = provider.ledger()

    (refused,) = (call for call in calls if call.status == 429)
    # Other models go on.
    calls = [call for call in calls if call.model == refused.model]
    at, last = refused.ended_at, max(call.ended_at for call in calls)
    # Half of eight slots are left; the fifth is back after a third of the time in which they double.
    assert most_in_flight(calls, 0, at) == 8
    assert 1 <= most_in_flight(calls, at + pause_s + 0.1, at + 0.3 * RECOVERY_S) <= 4
    assert last > at + RECOVERY_S + 2 * latency_s, "the run lasts long enough to see it"
    assert most_in_flight(calls, at + RECOVERY_S, last) == 8

"""The limits of an endpoint and key hold for all processes together: here, two studies with one `limits_dir`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fault_study import FaultStudy, at_once

from daydreaming.llm.model_throttle import RECOVERY_S
from provider import Answer, Provider, Rule, faults
from studies import Run


def run_two_studies(folder: Path, provider: Provider, chains: int, **endpoint: object) -> tuple[FaultStudy, Run, dict]:
    """Run two studies of one endpoint at the same time, with data and requests of their own."""
    one, two = (FaultStudy.with_chains(folder / name, provider, chains, **endpoint) for name in ("one", "two"))
    two.configure(stages={"draft": {"temperature": 0.1}, "evaluation": {"temperature": 0.1}})
    for study in (one, two):
        study.configure(limits_dir=str(folder / "limits"))
    runs = at_once(one.run, two.run)
    return one, Run(0, "\n".join(run.output for run in runs), (), {}), {"others": [two]}


def test_requests_per_minute_hold_over_two_processes(tmp_path: Path, survived: Callable[..., None]) -> None:
    per_second, window_s, slots = 10, 4.0, 4
    limits = {"requests_per_minute": 60 * per_second, "max_concurrency": slots}
    with Provider(window_s=window_s) as provider:
        study, run, others = run_two_studies(tmp_path, provider, chains=20, **limits)

        survived("requests_per_minute, two processes", study, run, **others)
        stats = provider.stats()

    assert stats.calls == 80
    # A burst of one second's calls is allowed; calls that had their turn may come late, but no more than have a slot.
    assert stats.peak_calls_per_window <= per_second * (window_s + 1) + slots


def test_calls_in_flight_hold_over_two_processes(tmp_path: Path, survived: Callable[..., None]) -> None:
    with Provider([faults.reply_together(5)]) as provider:
        study, run, others = run_two_studies(tmp_path, provider, chains=10, max_concurrency=5)

        survived("max_concurrency, two processes", study, run, **others)
        stats = provider.stats()

    assert stats.calls == 40
    assert stats.peak_in_flight == 5


def test_retry_after_is_obeyed_by_all_calls_of_the_model_of_two_processes(
    tmp_path: Path, survived: Callable[..., None]
) -> None:
    pause_s, slots = 4, 8
    with Provider([faults.fault_429(pause_s, nth=20)], latency_s=0.2) as provider:
        study, run, others = run_two_studies(tmp_path, provider, chains=20, max_concurrency=slots)

        survived("one 429 with Retry-After, two processes", study, run, **others)
        calls = provider.ledger()
        events = [event for one in (study, *others["others"]) for event in one.events()]

    (refused,) = (call for call in calls if call.status == 429)
    (known_at,) = (event["time"] for event in events if event.get("kind") == "rate_limit")
    in_the_pause = [
        call.sequence
        for call in calls
        if call.model == refused.model and known_at < call.received_at < refused.ended_at + pause_s
    ]
    # A call that had its turn before is no offence, however late it comes; the refused one had a slot, too.
    assert len(in_the_pause) < slots
    assert max(call.received_at for call in calls) > refused.ended_at + pause_s
    assert len(calls) == 81


def test_speed_comes_back_after_a_slow_down(tmp_path: Path, survived: Callable[..., None]) -> None:
    slots = 8
    refusal = Answer(status=429, headers={"retry-after": "0.5"}, together=slots)
    with Provider([Rule("429", refusal, times=slots), faults.reply_together(slots, model="lab/writer")]) as provider:
        study = FaultStudy.with_chains(tmp_path, provider, chains=3 * slots, max_concurrency=slots)
        run = study.run()

        survived("429 to all calls in flight: slower, then as fast as before", study, run)
        calls = provider.ledger()

    at = min(call.ended_at for call in calls if call.status == 429)
    later = [call for call in calls if call.answered_by == "together"]
    # Half of eight slots are left; the fifth is back after a third of the time in which they double.
    assert sum(call.received_at < at + 0.3 * RECOVERY_S for call in later) <= slots // 2
    # None of these was answered before as many as at first were in flight.
    assert min(call.ended_at for call in later) >= at + RECOVERY_S

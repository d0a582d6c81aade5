"""The budget of a cohort: it holds in every moment, over all runs and processes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from fault_study import FaultStudy, at_once, failures, finish
from provider_fixtures import wait_until

from provider import Provider, faults
from studies import Run

# What a draft may cost at the prices of the study (1 and 2 USD per million tokens): 500 tokens out, and its prompt.
MOST_FOR_A_CALL_USD = 0.0012


def test_budget_calls_hold_over_runs(tmp_path: Path, provider: Provider, survived: Callable[..., None]) -> None:
    study = FaultStudy.with_chains(tmp_path, provider, chains=6)
    study.configure(budget_calls=5)

    first = study.run(code=1)
    second = study.run(code=1)
    study.configure(budget_calls=12)
    third = study.run()

    survived("budget_calls used up", study, first)
    assert [len(run.calls) for run in (first, second, third)] == [5, 0, 7]
    assert {message.split("]")[0] for message in failures(first.output)} == {"[budget"}
    assert "Raise budget_calls" in first.output
    assert len(study.parsed_texts()) == 18


def test_budget_calls_hold_over_two_processes(
    tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    provider.script([faults.reply_slowly(0.3)])
    study = FaultStudy.with_chains(tmp_path, provider, chains=12)
    study.configure(budget_calls=7)

    first, _ = at_once(*[partial(study.run, "--nolock", code=1)] * 2)

    survived("budget_calls, two processes at once", study, first)
    assert provider.calls == 7
    assert len(study.replies()) == 7


def test_budget_usd_holds_over_two_processes(tmp_path: Path, provider: Provider, survived: Callable[..., None]) -> None:
    provider.script([faults.reply_slowly(0.3)])
    budget_usd = 5 * MOST_FOR_A_CALL_USD
    study = FaultStudy.with_chains(tmp_path, provider, chains=30)
    study.configure(budget_usd=budget_usd)

    first, second = at_once(*[partial(study.run, "--nolock", code=1)] * 2)

    survived("budget_usd, two processes at once", study, first)
    assert "[budget]" in first.output + second.output
    stats = provider.stats()
    assert stats.peak_in_flight <= 5, "no call is made for whose highest price there is no room beside those in flight"
    assert stats.calls > 5, "what calls have left of what was reserved for them is free again"
    assert sum(event.get("cost_usd") or 0.0 for event in study.events()) < budget_usd


def test_a_cost_that_the_provider_reports_counts_against_budget_usd(
    tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    reported_usd = 0.0005
    provider.script([faults.reply_cost(reported_usd)])
    study = FaultStudy.with_chains(tmp_path, provider, chains=8)
    # Room for three reported costs and the most of a fourth call. At the prices of the catalog many more would fit.
    study.configure(budget_usd=3.5 * reported_usd + MOST_FOR_A_CALL_USD)

    run = study.run("-j1", "drafts", code=1)

    survived("budget_usd with reported costs", study, run)
    assert len(run.calls) == 4
    assert len(failures(run.output)) == 4
    assert f"{4 * reported_usd:.6f} spent" in run.output


def test_a_budget_in_usd_needs_prices(tmp_path: Path, provider: Provider, survived: Callable[..., None]) -> None:
    study = FaultStudy.with_chains(tmp_path, provider)
    study.edit("1_raw/llm_models.csv", "local,1,2", "local,,")
    study.configure(budget_usd=1)

    run = study.run(code=1)

    what = next(line for line in run.output.splitlines() if "no prices" in line)
    survived("budget_usd without prices", study, run, seen=f"exit code 1: {what}")
    assert len(run.calls) == 0
    for word in ("llm_models.csv", "usd_per_mtok_in", "'writer'", "'judge'"):
        assert word in run.output
    assert "Traceback (most recent call last)" not in run.output


def test_refused_connections_cost_nothing(tmp_path: Path, provider: Provider, survived: Callable[..., None]) -> None:
    # Up to 3 calls are cut off when the provider goes down, and those may be billed; those refused after it may not.
    provider.script([faults.fault_down(nth=1)])
    study = FaultStudy.with_chains(tmp_path, provider, chains=3)
    study.configure(budget_usd=7 * MOST_FOR_A_CALL_USD)

    def refused() -> list[dict[str, Any]]:
        return [event for event in study.events() if event.get("kind") == "connection" and not event["perhaps_billed"]]

    process = study.start("drafts")
    wait_until(lambda: len(refused()) > 3)
    provider.release()
    code, output = finish(process)

    survived("provider down under a tight budget", study, Run(code, output, (), {}))
    assert code == 0, output
    assert len(study.parsed_texts()) == 3

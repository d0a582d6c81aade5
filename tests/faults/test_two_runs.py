"""Two Snakemake processes on the same data: one of them pays for a request, and a dead one holds nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from fault_study import DRAFT, FaultStudy, at_once, end, finish
from provider_fixtures import wait_until

from provider import Provider, faults
from studies import Run

CHAINS = 15


def test_two_cohorts_that_share_their_generations_pay_once(
    tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    provider.script([faults.reply_slowly(0.2)])
    study = FaultStudy.with_chains(tmp_path, provider, CHAINS)
    study.add_cohort("c2")

    first, _ = at_once(*(partial(study.run, "--nolock", "--config", f"cohort={cohort}") for cohort in ("c1", "c2")))

    survived("two runs of cohorts that share generations", study, first)
    assert provider.calls == 2 * CHAINS
    assert len(study.parsed_texts()) == 3 * CHAINS
    assert study.errors() == []
    for cohort in ("c1", "c2"):
        assert len(study.scores(cohort)) == CHAINS


def test_a_request_in_flight_is_waited_for_and_taken_over_when_its_owner_dies(
    tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    provider.script([faults.fault_hang(100, prompt_contains=DRAFT, times=1)])
    study = FaultStudy.with_chains(tmp_path, provider, chains=1, timeout_s=100)
    study.add_cohort("c2")
    owner = study.start("--nolock", "drafts")
    try:
        wait_until(lambda: provider.calls == 1)
        waiting = study.start("--nolock", "drafts", cohort="c2")
        time.sleep(5)
        calls_while_owned = provider.calls
        still_waiting = waiting.poll() is None
    finally:
        end(owner)
    code, output = finish(waiting)

    survived(
        "owner of a request in flight killed", study, Run(code, output, (), {}), seen="nothing: the other run paid"
    )
    assert still_waiting, output
    assert calls_while_owned == 1
    assert code == 0, output
    assert provider.calls == 2

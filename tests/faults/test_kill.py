"""`kill -9` of Snakemake, again and again: what had arrived is never asked for again, and the results are the same."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fault_study import EVALUATION, FaultStudy, delivered, end, kill_group, lost, wait_for_calls
from provider_fixtures import wait_until

from provider import Call, Provider, faults

# Enough that there is something left to make after all kills, however fast the machine.
CHAINS_OF_A_KILL = 15
# Replies of very different speeds, so that at any moment some are coming, some have come, and some are being stored.
SPEEDS = [faults.reply_slowly(0.02, probability=0.4), faults.reply_slowly(0.5, probability=0.3, seed=1)]
LATENCY_S, LONGEST_DELAY_S = 0.2, 0.6
# A reply that came so shortly before the kill may be on its way through the process: seen were up to 77 ms on a quiet
# machine, and more where other tests use the processors. That it waits for no disk is a test of the client.
UNREAD_S = 0.5
# Keeps a run from being over before it is killed, however long this process takes to kill it.
UNENDING = faults.reply_held(prompt_contains=EVALUATION, nth=1)


@dataclass(frozen=True)
class Kill:
    """A run that was killed, and when it was dead (Unix seconds)."""

    process: subprocess.Popen
    at: float


@pytest.fixture
def slow_provider() -> Iterator[Provider]:
    with Provider(SPEEDS, latency_s=LATENCY_S) as started:
        yield started


@pytest.mark.parametrize("killed", [4, pytest.param(10, marks=pytest.mark.full_set)])
def test_kill_at_random_moments(
    killed: int, tmp_path: Path, slow_provider: Provider, survived: Callable[..., None]
) -> None:
    chains = CHAINS_OF_A_KILL * killed
    undisturbed = FaultStudy.with_chains(tmp_path / "undisturbed", slow_provider, chains)
    undisturbed.run()
    slow_provider.reset_ledger()
    study = FaultStudy.with_chains(tmp_path / "killed", slow_provider, chains)
    moments = random.Random(20261123)
    kills = [kill_one_run(study, moments, number) for number in range(killed)]
    try:
        slow_provider.script(SPEEDS)
        slow_provider.release()
        wait_until(lambda: slow_provider.stats().in_flight == 0)
        locked = study.run(code=1)
        study.run("--unlock")
        last = study.run()
    finally:
        for kill in kills:
            end(kill.process)

    unread = ages_of_unread(slow_provider.ledger(), study, kills)
    oldest_ms = 1000 * max(unread.values(), default=0.0)
    seen = f"Snakemake asks for --unlock ({len(unread)} replies came {oldest_ms:.0f} ms or less before a kill, unread)"
    survived(f"kill -9 at {killed} moments, then a rerun", study, last, seen=seen, unread=unread)
    assert "--unlock" in locked.output
    assert len(locked.calls) == 0
    assert len(study.parsed_texts()) == 3 * chains
    assert study.parsed_texts() == undisturbed.parsed_texts()
    assert study.errors() == []


def kill_one_run(study: FaultStudy, moments: random.Random, number: int) -> Kill:
    """Start a run and kill it in the middle: all its processes, or, every other time, Snakemake alone."""
    study.provider.script([UNENDING, *SPEEDS])
    # The first one leaves its lock behind.
    process = study.start("--nolock") if number else study.start()
    wait_for_calls(study.provider, study.provider.calls + moments.randrange(1, 10), process)
    time.sleep(moments.uniform(0, LONGEST_DELAY_S))
    assert process.poll() is None, f"the run was over before it could be killed:\n{process.communicate()[0]}"
    if number % 2 == 0:
        kill_group(process)
    else:
        process.kill()
    process.wait()
    return Kill(process, time.time())


def ages_of_unread(calls: list[Call], study: FaultStudy, kills: list[Kill]) -> dict[int, float]:
    """The lost calls whose reply nobody can have read, by their numbers: how many seconds before a kill it came.

    More than UNREAD_S only where a busy machine let the process stand still: it has called nobody since, and nothing
    that came since was kept.
    """
    lost_calls = lost(calls, study)
    signs_of_life = [call.received_at for call in calls]
    signs_of_life += [call.ended_at for call in delivered(calls) if call not in lost_calls]
    ages = {}
    for call in lost_calls:
        # Its connections outlive a killed process for a moment.
        killed_at = min((kill.at for kill in kills if kill.at + UNREAD_S >= call.ended_at), default=0.0)
        if killed_at and not any(call.ended_at + UNREAD_S < at < killed_at for at in signs_of_life):
            ages[call.sequence] = abs(killed_at - call.ended_at)
    return ages

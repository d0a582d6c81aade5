"""`kill -9` of Snakemake, again and again: what had arrived is never asked for again, and the results are the same."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fault_study import FaultStudy, end, kill_group, lost, wait_for_calls

from provider import Call, Provider, faults

# Enough that there is something left to make after all kills, however fast the machine.
CHAINS_OF_A_KILL = 15
# Replies of very different speeds, so that at any moment some are coming, some have come, and some are being stored.
SPEEDS = [faults.reply_slowly(0.02, probability=0.4), faults.reply_slowly(0.5, probability=0.3, seed=1)]
LATENCY_S, LONGEST_DELAY_S = 0.2, 0.6
# A reply that came so shortly before the kill may be on its way through the process: seen were up to 77 ms on a quiet
# machine, and more where other tests use the processors. That it waits for no disk is a test of the client.
UNREAD_S = 0.5


@dataclass(frozen=True)
class Kill:
    """A run that was killed, and when (Unix seconds)."""

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
        wait_for_calls_in_flight(slow_provider)
        locked = study.run(code=1)
        study.run("--unlock")
        last = study.run()
    finally:
        for kill in kills:
            end(kill.process)

    ages = ages_at_the_kill(lost(slow_provider.ledger(), study), kills)
    unread = {sequence for sequence, age in ages.items() if age <= UNREAD_S}
    oldest_ms = 1000 * max((ages[sequence] for sequence in unread), default=0.0)
    seen = f"Snakemake asks for --unlock ({len(unread)} replies came {oldest_ms:.0f} ms or less before a kill, unread)"
    survived(f"kill -9 at {killed} moments, then a rerun", study, last, seen=seen, unread=unread)
    assert "--unlock" in locked.output
    assert len(locked.calls) == 0
    assert len(study.parsed_texts()) == 3 * chains
    assert study.parsed_texts() == undisturbed.parsed_texts()
    assert study.errors() == []


def kill_one_run(study: FaultStudy, moments: random.Random, number: int) -> Kill:
    """Start a run and kill it in the middle: all its processes, or, every other time, Snakemake alone."""
    # The first one leaves its lock behind.
    process = study.start("--nolock") if number else study.start()
    wait_for_calls(study.provider, study.provider.calls + moments.randrange(1, 10), process)
    time.sleep(moments.uniform(0, LONGEST_DELAY_S))
    assert process.poll() is None, f"the run was over before it could be killed:\n{process.communicate()[0]}"
    kill = Kill(process, time.time())
    if number % 2 == 0:
        kill_group(process)
    else:
        process.kill()
    process.wait()
    return kill


def wait_for_calls_in_flight(provider: Provider) -> None:
    """Wait until what the last killed run left in flight is over."""
    deadline = time.monotonic() + 10
    while provider.stats().in_flight:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ages_at_the_kill(lost_calls: Iterable[Call], kills: list[Kill]) -> dict[int, float]:
    """For each lost call, by its number: how many seconds before or after a kill its reply was handed over."""
    return {call.sequence: min(abs(call.ended_at - kill.at) for kill in kills) for call in lost_calls}

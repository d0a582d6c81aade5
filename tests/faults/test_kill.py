"""`kill -9` of Snakemake, again and again: what had arrived is never asked for again, and the results are the same."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fault_study import PATIENCE_S, FaultStudy, kill_group, lost

from provider import Call, Provider

CHAINS, KILLS = 60, 10
LATENCY_S = 0.25
# A reply that the provider handed to the kernel so shortly before the kill may not have been read, let alone stored.
UNREAD_S = 0.05


@dataclass(frozen=True)
class Kill:
    """A run that was killed, and when (Unix seconds)."""

    process: subprocess.Popen
    at: float


@pytest.fixture
def slow_provider() -> Iterator[Provider]:
    with Provider(latency_s=LATENCY_S) as started:
        yield started


def test_kill_at_ten_moments(tmp_path: Path, slow_provider: Provider, survived: Callable[..., None]) -> None:
    undisturbed = FaultStudy.with_chains(tmp_path / "undisturbed", slow_provider, CHAINS)
    undisturbed.run()
    slow_provider.reset_ledger()
    study = FaultStudy.with_chains(tmp_path / "killed", slow_provider, CHAINS)
    moments = random.Random(20261123)
    kills = [kill_one_run(study, moments, everything=number % 2 == 0) for number in range(KILLS)]
    try:
        last = study.run("--nolock")
    finally:
        for kill in kills:
            kill_group(kill.process)

    unread = unread_at_a_kill(lost(slow_provider.ledger(), study), kills)
    seen = f"Snakemake's lock (--unlock). {len(unread)} replies came in the last {UNREAD_S * 1000:.0f} ms before a kill"
    survived(f"kill -9 at {KILLS} moments, then a rerun", study, last, seen=seen, unread=unread)
    assert len(study.parsed_texts()) == 3 * CHAINS
    assert study.parsed_texts() == undisturbed.parsed_texts()
    assert study.errors() == []


def kill_one_run(study: FaultStudy, moments: random.Random, everything: bool) -> Kill:
    """Start a run and kill it in the middle: all its processes, or Snakemake alone."""
    process = study.start()
    wait_for_calls(study.provider, study.provider.calls + moments.randrange(CHAINS // 4), process)
    time.sleep(moments.uniform(0, LATENCY_S))
    assert process.poll() is None, f"the run was over before it could be killed:\n{process.communicate()[0]}"
    kill = Kill(process, time.time())
    if everything:
        kill_group(process)
    else:
        process.kill()
    process.wait()
    return kill


def wait_for_calls(provider: Provider, calls: int, process: subprocess.Popen) -> None:
    """Wait until the provider has been called so often, or the run is over."""
    deadline = time.monotonic() + PATIENCE_S
    while provider.calls < calls and process.poll() is None:
        assert time.monotonic() < deadline, f"{provider.calls} calls, not {calls}"
        time.sleep(0.02)


def unread_at_a_kill(lost_calls: Iterable[Call], kills: list[Kill]) -> set[int]:
    """The numbers of the lost calls whose reply was handed over within a moment of a kill."""
    return {call.sequence for call in lost_calls if any(abs(call.ended_at - kill.at) <= UNREAD_S for kill in kills)}

"""Runs that are told to stop, or whose Snakemake is killed: the calls in flight are kept, and no other one starts."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fault_study import FaultStudy, end, finish, wait_for_calls

from provider import Provider, faults

CHAINS, IN_FLIGHT = 12, 3
# How long a run may take to hear that it is to stop.
HEARD_IN_S = 4


@pytest.fixture
def study(tmp_path: Path, provider: Provider) -> FaultStudy:
    return FaultStudy.with_chains(tmp_path, provider, CHAINS)


def started(study: FaultStudy) -> subprocess.Popen:
    """A run whose first calls are in flight, and stay there."""
    study.provider.script([faults.reply_held()])
    process = study.start(f"-j{IN_FLIGHT}")
    wait_for_calls(study.provider, IN_FLIGHT, process)
    return process


def ctrl_c(process: subprocess.Popen) -> None:
    """What a terminal does: the signal goes to all processes of the group."""
    os.killpg(process.pid, signal.SIGINT)


def sigterm(process: subprocess.Popen) -> None:
    process.terminate()


def sigterm_to_all(process: subprocess.Popen) -> None:
    """What Slurm does when it ends a job."""
    os.killpg(process.pid, signal.SIGTERM)


@pytest.mark.parametrize("stop", [ctrl_c, sigterm, sigterm_to_all], ids=lambda stop: stop.__name__)
def test_stopped(stop: Callable, study: FaultStudy, survived: Callable[..., None]) -> None:
    process = started(study)
    stop(process)
    time.sleep(HEARD_IN_S)
    study.provider.release()
    code, output = finish(process)

    assert code != 0
    assert study.provider.calls == IN_FLIGHT, output
    assert len(study.replies()) == IN_FLIGHT
    assert "Traceback" not in output
    study.provider.script([])
    rerun = study.run()
    survived(f"{stop.__name__.replace('_', ' ')} with {IN_FLIGHT} calls in flight", study, rerun, seen="the run ends")
    assert len(rerun.calls) == 2 * CHAINS - IN_FLIGHT
    assert len(study.parsed_texts()) == 3 * CHAINS


def test_snakemake_killed(study: FaultStudy, survived: Callable[..., None]) -> None:
    process = started(study)
    process.kill()
    process.wait()
    study.provider.script([])
    study.provider.release()
    study.run("--unlock")
    rerun = study.run()
    end(process)

    survived(f"kill -9 of Snakemake with {IN_FLIGHT} calls in flight", study, rerun, seen="Snakemake asks for --unlock")
    assert study.provider.calls == 2 * CHAINS
    assert len(study.parsed_texts()) == 3 * CHAINS

"""Run a command and measure it: wall time, CPU and memory of its whole process tree, and what its provider saw."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from provider import Provider

SAMPLE_INTERVAL_S = 0.5
MEBIBYTE = 2**20


@dataclass(frozen=True)
class Usage:
    """What a command and all processes that it started have used."""

    exit_code: int
    started_at: float
    wall_s: float
    cpu_s: float
    peak_memory_mib: float


@dataclass(frozen=True)
class Load:
    """What a case asks for: `generations` to make, with so many `calls`, each of `latency_s`, so many in flight."""

    generations: int
    calls: int
    latency_s: float = 0.0
    in_flight: int = 1

    @property
    def ideal_s(self) -> float:
        """The wall time if the provider were the only limit."""
        return self.calls * self.latency_s / self.in_flight


@dataclass(frozen=True)
class Measurement:
    """One run of one case. `error` says why its figures do not count; `first_call_s` is None without a call."""

    case: str
    load: Load
    wall_s: float
    cpu_s: float
    peak_memory_mib: float
    calls: int
    peak_in_flight: int
    first_call_s: float | None
    provider_cpu_s: float
    error: str | None = None


def measure(
    case: str,
    load: Load,
    provider: Provider,
    command: Sequence[str],
    logs: Path,
    environment: Mapping[str, str],
    extra_calls: int = 0,
) -> Measurement:
    """Run the command in the folder of logs and measure it; its output is added to the log of its case.

    It counts if it ends well and makes exactly the calls of the load, and as many extra ones as announced.
    """
    log = logs / f"{re.sub('[^A-Za-z0-9.]+', '-', case)}.log"
    provider.reset_ledger()
    cpu_before = provider.stats().cpu_s
    usage = run_measured(command, log, environment)
    stats = provider.stats()
    error = None
    if usage.exit_code != 0:
        error = f"exit code {usage.exit_code}, see {log}"
    elif stats.calls != load.calls + extra_calls:
        error = f"{stats.calls} calls instead of {load.calls + extra_calls}, see {log}"
    return Measurement(
        case=case,
        load=load,
        wall_s=usage.wall_s,
        cpu_s=usage.cpu_s,
        peak_memory_mib=usage.peak_memory_mib,
        calls=stats.calls,
        peak_in_flight=stats.peak_in_flight,
        first_call_s=stats.first_received_at - usage.started_at if stats.first_received_at else None,
        provider_cpu_s=stats.cpu_s - cpu_before,
        error=error,
    )


def run_measured(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Usage:
    """Run the command to its end in the folder of its log; its output is added to the log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        started_at, started = time.time(), time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=log.parent,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        with _TreeSampler(process.pid) as sampler:
            # Unlike Popen.wait, this tells what the process and its ended children have used.
            _, status, resources = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    own_peak_mib = resources.ru_maxrss / 1024
    return Usage(
        exit_code=process.returncode,
        started_at=started_at,
        wall_s=wall_s,
        # The first is exact, but knows nothing of descendants that nobody waited for.
        cpu_s=max(resources.ru_utime + resources.ru_stime, sampler.cpu_s),
        peak_memory_mib=max(sampler.peak_memory_mib, own_peak_mib),
    )


class _TreeSampler(threading.Thread):
    """Looks at a process and its descendants twice a second.

    Memory is the sum of their resident sets, which counts shared pages more than once: an upper bound.
    """

    def __init__(self, process_id: int):
        super().__init__(daemon=True)
        self.peak_memory_mib = 0.0
        self._root = psutil.Process(process_id)
        self._cpu_s: dict[psutil.Process, float] = {}
        self._ended = threading.Event()

    def __enter__(self) -> _TreeSampler:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_INTERVAL_S):
            try:
                self._sample([self._root, *self._root.children(recursive=True)])
            except psutil.NoSuchProcess:
                return

    @property
    def cpu_s(self) -> float:
        """The CPU time of all processes when they were last seen."""
        return sum(self._cpu_s.values())

    def _sample(self, tree: list[psutil.Process]) -> None:
        memory = 0
        for process in tree:
            try:
                with process.oneshot():
                    memory += process.memory_info().rss
                    times = process.cpu_times()
            except psutil.Error:
                continue
            self._cpu_s[process] = times.user + times.system
        self.peak_memory_mib = max(self.peak_memory_mib, memory / MEBIBYTE)

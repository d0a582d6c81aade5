"""Measure the workflow on a Slurm of one node: 400 chains at 1 s latency, sent as one slice with 64 calls in flight.

Needs root and the packages that `make test-cluster` installs. Starts the Slurm of tests/cluster and stops it again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "tests"))  # the scripted provider

from bench_study import PROJECT, make_study  # noqa: E402
from measuring import Load, Measurement, measure  # noqa: E402

from provider import Provider  # noqa: E402

SLURM = PROJECT / "tests/cluster/one_node_slurm.sh"
LATENCY_S, IN_FLIGHT = 1.0, 64
SAMPLE_INTERVAL_S = 0.5


class JobSampler(threading.Thread):
    """Adds up the CPU time of processes that work in a folder and are not ours: those of Slurm's jobs."""

    def __init__(self, folder: Path):
        super().__init__(daemon=True)
        self._folder = folder
        self._cpu_s: dict[psutil.Process, float] = {}
        self._ended = threading.Event()

    def __enter__(self) -> JobSampler:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    @property
    def cpu_s(self) -> float:
        """The CPU time of all jobs' processes when they were last seen."""
        return sum(self._cpu_s.values())

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_INTERVAL_S):
            ours = set(psutil.Process().children(recursive=True))
            for process in psutil.process_iter():
                try:
                    if process not in ours and Path(process.cwd()).is_relative_to(self._folder):
                        times = process.cpu_times()
                        self._cpu_s[process] = times.user + times.system
                except (psutil.Error, OSError):
                    continue


def main(argv: list[str] | None = None) -> int:
    """Run and print the figures, one line a run; return 1 if a run does not count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chains", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args(argv)
    work = HERE / "results" / "cluster"
    work.mkdir(parents=True, exist_ok=True)
    subprocess.run([SLURM, "start"], check=True, stdout=subprocess.DEVNULL)
    try:
        errors = [_run(arguments.chains, work) for _ in range(arguments.repeats)]
    finally:
        subprocess.run([SLURM, "stop"], check=True, stdout=subprocess.DEVNULL)
    return int(any(errors))


def _run(chains: int, work: Path) -> str | None:
    load_before = os.getloadavg()[0]
    with Provider(latency_s=LATENCY_S, keep_bodies=False) as provider:
        study = make_study(Path(tempfile.mkdtemp(prefix="study-", dir=work)), chains, provider.base_url, IN_FLIGHT)
        command = [str(Path(sys.executable).with_name("snakemake")), "--profile", str(PROJECT / "profiles/slurm")]
        command += ["--directory", str(study.folder)]
        load = Load(3 * chains, 3 * chains, LATENCY_S, IN_FLIGHT)
        environment = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        with JobSampler(study.folder) as jobs:
            measured = measure("cluster", load, provider, command, work / "logs", environment)
    print(_line(measured, jobs.cpu_s, load_before), flush=True)
    return measured.error


def _line(measured: Measurement, jobs_cpu_s: float, load_before: float) -> str:
    if measured.error:
        return f"does not count: {measured.error}"
    load, cpu_s = measured.load, measured.cpu_s + jobs_cpu_s
    return (
        f"{measured.calls} calls in {measured.wall_s:.1f} s, {measured.peak_in_flight} in flight, "
        f"ideal / wall {load.ideal_s / measured.wall_s:.2f}, first call after {measured.first_call_s:.1f} s, "
        f"CPU {1000 * cpu_s / load.generations:.1f} ms per generation, load before {load_before:.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())

"""What a run on a Slurm cluster asks Slurm, and what it tells its user of the jobs that made its slices."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from daydreaming.base.errors import Fault, InputError
from daydreaming.cohort.slices import Key, Slice
from daydreaming.ledger.journal import read_events
from daydreaming.ledger.tally import RunTally

SQUEUE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class SliceJob:
    """What became of a slice: its Slurm job and the job's state, in Slurm's words; "" where it was not submitted."""

    job_id: str
    state: str
    log: Path


def job_name(folder: Path) -> str:
    """Return the name of all jobs that work on a project folder: by it, a later run finds them."""
    return f"daydreaming-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]}"


def check_no_job_is_alive(name: str) -> None:
    """Raise InputError, with their ids, while jobs of that name wait or run, and where Slurm cannot be asked.

    Two runs over the same chains pay nothing twice, but Snakemake deletes under the one what the other has made.
    """
    alive = _live_jobs(name)
    if alive:
        problem = f"jobs of an earlier run still work on this folder: {', '.join(alive)}."
        raise InputError(Fault("Slurm", problem, f"Wait until they end, or cancel them: scancel {' '.join(alive)}"))


def _live_jobs(name: str) -> list[str]:
    # Without --states, squeue lists the jobs that have not ended.
    command = ["squeue", "--noheader", f"--name={name}", "--format=%i"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=SQUEUE_SECONDS)
    except FileNotFoundError:
        cure = "Run on a machine of the cluster from which jobs are sent, or without --profile profiles/slurm."
        raise InputError(Fault("Slurm", "there is no program squeue here.", cure)) from None
    except subprocess.TimeoutExpired:
        asked = subprocess.CompletedProcess(command, 1, "", f"no answer within {SQUEUE_SECONDS} s")
    if asked.returncode != 0:
        problem = f"squeue does not answer: {asked.stderr.strip()}."
        raise InputError(Fault("Slurm", problem, "Try again when the controller is there."))
    return asked.stdout.split()


def made_by_run(journal: Path, run_id: str) -> set[Key]:
    """Return the generations that all processes of a run have made, from whatever source. Raises OSError."""
    tally = RunTally(run_id)
    for event in read_events(journal):
        tally.take(event)
    return {key for key, result in tally.results.items() if not result.failed}


def slices_text(planned: Mapping[Slice, Sequence[Key]], jobs: Mapping[Slice, SliceJob], made: Collection[Key]) -> str:
    """Tell of each slice its job, the job's state, how many generations were made, and where its log is."""
    lines = ["Slices"]
    for slice_, keys in planned.items():
        job = jobs[slice_]
        where = f"Slurm job {job.job_id}: {job.state}" if job.job_id else "not submitted"
        log = f", log {job.log}" if job.job_id else ""
        count = f"{sum(key in made for key in keys):,} of {len(keys):,} generations made"
        lines.append(f"  slice {slice_.number} of {slice_.count} ({where}), {count}{log}")
    return "\n".join(lines)

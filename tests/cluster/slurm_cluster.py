"""A real Slurm of one node, which one_node_slurm.sh starts, as tests see it: its jobs, and what can happen to it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

SCRIPT = Path(__file__).with_name("one_node_slurm.sh")
PATIENCE_S = 120
POLL_S = 0.1


class SlurmCluster:
    """The cluster, between `start` and `stop`. Jobs are named by their ids."""

    folder: Path

    def start(self) -> None:
        """Start what is missing of it. Raises AssertionError with what the script says."""
        self.folder = Path(self._script("start").strip()).parent

    def stop(self) -> None:
        """Stop all of it, jobs included."""
        self._script("stop")

    def jobs(self, state: str = "PENDING,RUNNING,COMPLETING") -> list[str]:
        """Return the jobs in one of these states."""
        return _command("squeue", "--noheader", f"--states={state}", "--format=%i").split()

    def wait_for_jobs(self, count: int) -> list[str]:
        """Wait until so many jobs run, and return them."""
        wait_until(lambda: len(self.jobs("RUNNING")) >= count, f"{count} jobs to run")
        return self.jobs("RUNNING")

    def wait_until_idle(self) -> None:
        """Wait until no job is left."""
        wait_until(lambda: not self.jobs(), "all jobs to end")

    def cancel(self, *jobs: str) -> None:
        """Cancel jobs, as a user does."""
        _command("scancel", *jobs)

    def set_node(self, state: str) -> None:
        """Set the node's state, as an administrator does: `down` or `resume`."""
        node = _command("sinfo", "--noheader", "--format=%n").strip()
        _command("scontrol", "update", f"nodename={node}", f"state={state}", "reason=test")

    def kill_controller(self) -> None:
        """Kill the controller; `start` brings it back."""
        os.kill(int((self.folder / "run/slurmctld.pid").read_text()), signal.SIGKILL)

    def _script(self, action: str) -> str:
        done = subprocess.run([SCRIPT, action], capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.returncode == 0, f"{SCRIPT.name} {action}:\n{done.stdout}{done.stderr}"
        return done.stdout


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds; AssertionError, with what was waited for, after PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s in vain for {what}"
        time.sleep(POLL_S)


def _command(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stderr}"
    return done.stdout

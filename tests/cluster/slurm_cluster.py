"""A real Slurm of one node, which one_node_slurm.sh starts, as tests see it: its jobs, and what can happen to it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

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

    def take_node_down(self) -> None:
        """Take the node away, as an administrator does: Slurm kills its jobs."""
        self._update_node("state=down", "reason=test")

    def bring_node_back(self) -> None:
        """Wait until the node takes jobs again; it may do so by itself."""

        def is_back() -> bool:
            state = _command("sinfo", "--noheader", "--format=%T").strip()
            if state.startswith(("down", "drain")):
                self._update_node("state=resume")
            return state in ("idle", "mixed", "allocated")

        wait_until(is_back, "the node to come back")

    def _update_node(self, *changes: str) -> None:
        node = _command("sinfo", "--noheader", "--format=%n").strip()
        _command("scontrol", "update", f"nodename={node}", *changes)

    def stop_controller(self) -> None:
        """Stop the controller, as for maintenance; `start` brings it back."""
        controller = psutil.Process(int((self.folder / "run/slurmctld.pid").read_text()))
        controller.terminate()
        wait_until(lambda: has_ended(controller), "the controller to stop")

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


def processes_in(folder: Path) -> list[psutil.Process]:
    """The processes that work below a folder; not those that have ended and that nobody has reaped."""
    return [process for process in psutil.process_iter() if _works_in(process, folder)]


def has_ended(process: psutil.Process) -> bool:
    """Whether a process has ended; in a container, nobody may reap it."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return not has_ended(process) and Path(process.cwd()).is_relative_to(folder)
    except (psutil.Error, OSError):
        return False

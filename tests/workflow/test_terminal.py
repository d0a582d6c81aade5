"""A run in a real terminal: progress that leaves nothing behind, and Ctrl-C once, twice, three times."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provider import Provider, faults
from studies import Choice, Study
from studies.study import PROJECT, environment

IN_FLIGHT, CHAINS = 2, 6
PATIENCE_S = 120
# How long a run may take from what it says at Ctrl-C to its end of calling.
HEARD_IN_S = 4


class Terminal:
    """A Snakemake in a terminal of 80 columns: what it writes, and keys that are pressed."""

    def __init__(self, study: Study, *arguments: str):
        command = [sys.executable, "-m", "snakemake", "-s", str(PROJECT / "Snakefile"), "-d", ".", *arguments]
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.chdir(study.folder)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.execve(command[0], command, {**environment(), "TERM": "xterm", "COLUMNS": "80", "LINES": "24"})
        termios.tcsetwinsize(self._terminal, (24, 80))
        self.text = ""

    def read_until(self, words: str) -> None:
        """Read until some words were written. AssertionError where the run ends, or takes too long, before."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.text:
            assert time.monotonic() < deadline, f"no {words!r} in:\n{self.text}"
            assert self._read(), f"the run has ended without {words!r}:\n{self.text}"

    def press_ctrl_c(self) -> None:
        os.write(self._terminal, b"\x03")

    def finish(self) -> int:
        """Read to the end and return the exit code."""
        deadline = time.monotonic() + PATIENCE_S
        while self._read():
            assert time.monotonic() < deadline, f"the run does not end:\n{self.text}"
        _, status = os.waitpid(self.pid, 0)
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(status)

    def _read(self) -> bool:
        """Read what is there; false at the end."""
        if not select.select([self._terminal], [], [], 1.0)[0]:
            return True
        try:
            block = os.read(self._terminal, 1 << 16)
        except OSError:  # nobody has the terminal open any more
            return False
        self.text += block.decode("utf-8", errors="replace")
        return bool(block)


@pytest.fixture
def holding_provider() -> Iterator[Provider]:
    with Provider([faults.reply_held()]) as started:
        yield started


@pytest.fixture
def study(tmp_path: Path, holding_provider: Provider) -> Study:
    made = Study.create(
        tmp_path / "study",
        holding_provider,
        Choice(config={"replicates": {"draft": CHAINS}, "stages": {"draft": {"seed": 1}}}),
    )
    made.build()
    return made


def in_flight(study: Study, terminal: Terminal) -> None:
    """Wait until the calls are in flight."""
    deadline = time.monotonic() + PATIENCE_S
    while study.provider.calls < IN_FLIGHT:
        assert time.monotonic() < deadline, terminal.text
        terminal._read()


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_keeps_what_is_in_flight(presses: int, study: Study):
    terminal = Terminal(study, f"-j{IN_FLIGHT}", "drafts")
    in_flight(study, terminal)
    terminal.press_ctrl_c()
    terminal.read_until("Terminating processes on user request")
    if presses == 2:
        terminal.press_ctrl_c()
        terminal.read_until("Calls in flight are paid for")
    time.sleep(HEARD_IN_S)
    study.provider.release()
    code = terminal.finish()
    assert code != 0
    assert "Traceback" not in terminal.text
    assert study.provider.calls == IN_FLIGHT
    assert len(list(study.paths.replies.glob("*/*.json"))) == IN_FLIGHT
    assert terminal.text.count("Run of cohort c1") == 1
    assert re.search(r"not tried\s+4", terminal.text)


def test_a_third_ctrl_c_gives_the_calls_up(study: Study):
    terminal = Terminal(study, f"-j{IN_FLIGHT}", "drafts")
    in_flight(study, terminal)
    terminal.press_ctrl_c()
    terminal.read_until("Terminating processes on user request")
    terminal.press_ctrl_c()
    terminal.read_until("Calls in flight are paid for")
    terminal.press_ctrl_c()
    code = terminal.finish()
    assert code != 0
    assert "Traceback" not in terminal.text
    assert study.provider.calls == IN_FLIGHT
    study.provider.script([])
    assert study.run("--unlock").calls == ()
    assert len(study.run("-j8", "drafts").calls) == CHAINS

"""`make test &`: a shell starts what runs in the background with SIGINT ignored."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
WITH_SIGINT_IGNORED = ["sh", "-c", 'trap "" INT; exec "$0" "$@"']
SENDS_CTRL_C = "tests/unit/scripts/test_run_stage.py::test_ctrl_c_keeps_the_reply_of_the_call_in_flight"


def test_a_program_that_a_test_starts_sees_ctrl_c():
    command = [*WITH_SIGINT_IGNORED, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", SENDS_CTRL_C]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout

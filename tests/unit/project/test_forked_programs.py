"""A forked program is what a started one is: for the tests that run the workflow, most programs are forked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from provider_fixtures import has_ended, wait_until

from forked_programs import run_forked

TELLS = """
import json, os, sys, threading
print(json.dumps([sys.argv, os.getcwd(), os.environ["MARK"], __name__, sys.path[0], sys.stdin.read()]))
print("to the other stream", file=sys.stderr)
threading.Thread(target=lambda: print("from a thread", flush=True)).start()
"""
ENDS = {
    "falls off its end": "",
    "a number": "raise SystemExit(3)",
    "a text": "raise SystemExit('no such file')",
    "none": "raise SystemExit",
    "an error": "def f():\n    raise ValueError('wrong')\nf()",
    "a signal": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)",
}


def started(program: Path, arguments: list[str], folder: Path, variables: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(program), *arguments],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return tmp_path / "program.py"


def test_it_has_arguments_folder_and_variables_of_its_own_and_all_that_it_prints_is_heard(program, tmp_path):
    program.write_text(TELLS)
    folder, variables = tmp_path / "a folder", {**os.environ, "MARK": "ä"}
    folder.mkdir()
    asked = program, ["--one", "two words", ""], folder, variables
    code, output = run_forked(*asked, 60)
    expected_code, expected = started(*asked)
    assert (code, sorted(output.splitlines())) == (expected_code, sorted(expected.splitlines()))
    assert len(output.splitlines()) == 3


@pytest.mark.parametrize("text", ENDS.values(), ids=ENDS)
def test_it_ends_as_a_started_one_ends(program, tmp_path, text: str):
    program.write_text(text)
    code, output = run_forked(program, [], tmp_path, os.environ, 60)
    expected_code, expected = started(program, [], tmp_path, dict(os.environ))
    assert code == expected_code
    assert output.splitlines()[-1:] == expected.splitlines()[-1:]


def test_one_that_takes_too_long_is_killed(program, tmp_path):
    program.write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(1000)")
    for seconds in (1, 10, 100):  # a busy machine may need more than the first to begin with it
        with pytest.raises(TimeoutError, match=f"program.py took more than {seconds} s:") as error:
            run_forked(program, [], tmp_path, os.environ, seconds)
        if said := str(error.value).partition(":\n")[2]:
            break
    wait_until(lambda: has_ended(int(said)))

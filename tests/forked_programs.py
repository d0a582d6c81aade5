"""Python programs as processes of their own that need not import Snakemake: they are forked from one that has.

An interpreter takes a second of CPU to import Snakemake, and a test that runs the workflow starts several. A forked
program is what a started one is (arguments, environment, folder, output, exit code), but for three things: the imports
are done, the order of sets is that of all programs of the same origin, and limits of the process that asks do not
reach it. `Study.command` starts programs; it is for tests to which one of these matters.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path
from unittest.mock import patch

TESTS = Path(__file__).parent
# What a run of the workflow imports before it makes anything.
IMPORTED = (
    "snakemake.cli",
    "snakemake.report.html_reporter",
    "smart_open",
    "daydreaming.workflow.cohort_graph",
    "daydreaming.workflow.workflow_run",
    "snakemake_executor_plugin_daydreaming",
    "snakemake_logger_plugin_daydreaming",
)


def run_forked(
    program: Path, arguments: Sequence[str], folder: Path, variables: Mapping[str, str], timeout_s: float
) -> tuple[int, str]:
    """Run a Python program in a folder; returns its exit code and all that it has printed. TimeoutError ends it."""
    with tempfile.NamedTemporaryFile() as output:
        process = _context().Process(
            target=_be, args=(str(program), list(arguments), str(folder), dict(variables), output.name)
        )
        process.start()
        process.join(timeout_s)
        if process.is_alive():
            process.kill()
            process.join()
            raise TimeoutError(f"{program.name} took more than {timeout_s} s:\n{Path(output.name).read_text()}")
        code = process.exitcode or 0
        process.close()
        return code, Path(output.name).read_bytes().decode("utf-8", errors="replace")


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED))
    return context


def _be(program: str, arguments: list[str], folder: str, variables: dict[str, str], output: str) -> None:
    """Be the program, in the process that was forked for it."""
    descriptor = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    # What pytest has put there would hide that a program cannot find a module.
    of_tests = {str(TESTS.parent), str(TESTS), *(str(path) for path in TESTS.iterdir())}
    sys.path[:] = [str(Path(program).parent), *(path for path in sys.path if path not in of_tests)]
    try:
        with patch.object(sys, "argv", [program, *arguments]):
            runpy.run_path(program, run_name="__main__")
    finally:
        atexit._run_exitfuncs()  # multiprocessing leaves them out

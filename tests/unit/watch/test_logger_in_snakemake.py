"""The logger plugin in Snakemake itself: named by a profile, by the command line, alone or beside another one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from terminal_fixtures import FakeTerminal

SNAKEFILE = """
from pathlib import Path
from snakemake.logging import logger
from daydreaming.watch.run_events import generation_failed, run_ended, run_started

onstart:
    run_started(logger, Path("journal.jsonl"), "r1", {"draft": 3})
    generation_failed(logger, "draft d1 failed, [parse] no essay", ("draft", "d1"))

onsuccess:
    run_ended(logger, "Run of cohort c1")

rule all:
    output: "done.txt"
    shell: "touch {output}"
"""
OTHER_PLUGIN = """
import sys
from snakemake_interface_logger_plugins.base import LogHandlerBase

class LogHandler(LogHandlerBase):
    writes_to_stream = True
    writes_to_file = has_filter = has_formatter = needs_rulegraph = False

    def emit(self, record):
        print("OTHER", self.format(record), file=sys.stderr)
"""
TOLD_ONCE = ("draft d1 failed, [parse] no essay", "Run of cohort c1")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile/config.yaml").write_text("logger: [daydreaming]\njobs: 1\nquiet: [host]\n")
    (tmp_path / "snakemake_logger_plugin_other").mkdir()
    (tmp_path / "snakemake_logger_plugin_other/__init__.py").write_text(OTHER_PLUGIN)
    return tmp_path


def shown(folder: Path, *options: str) -> list[str]:
    """The rows of a terminal in which Snakemake has run."""
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", "profile", *options]
    env = {**os.environ, "PYTHONPATH": str(folder), "TERM": "xterm"}
    with FakeTerminal(200) as terminal:
        subprocess.run(command, cwd=folder, env=env, stderr=terminal.stream, stdout=terminal.stream, check=True)
    return [row for row in terminal.rows if row]


def test_the_profile_names_it_and_the_log_file_has_everything(folder):
    rows = shown(folder)
    assert [rows.count(told) for told in TOLD_ONCE] == [1, 1]
    assert not any("Provided cores" in row or "rule all" in row for row in rows)
    (log,) = (folder / ".snakemake/log").iterdir()
    assert rows[-1] == f"Complete log(s): {log}"
    for part in (*TOLD_ONCE, "Provided cores: 1", "rule all:", "Finished jobid: 0"):
        assert log.read_text().count(part) == 1


@pytest.mark.parametrize("loggers", [("other",), ("daydreaming", "other"), ("other", "daydreaming")])
def test_another_logger_that_is_named_shows_the_run_once(folder, loggers):
    rows = shown(folder, "--logger", *loggers)
    assert [sum(told in row for row in rows) for told in TOLD_ONCE] == [1, 1]
    assert "OTHER Generations to make: 3 drafts." in rows


def test_without_the_profile_snakemakes_own_handler_shows_the_run(folder):
    (folder / "profile/config.yaml").write_text("jobs: 1\n")
    rows = shown(folder)
    assert [sum(told in row for row in rows) for told in TOLD_ONCE] == [1, 1]
    assert "Generations to make: 3 drafts." in rows

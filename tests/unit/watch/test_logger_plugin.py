"""The logger plugin, as Snakemake's own logging runs it: what the terminal shows, and what the log file has."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import snakemake.logging
from snakemake.logging import LoggerManager
from snakemake.settings.enums import Quietness
from snakemake.settings.types import OutputSettings
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry
from terminal_fixtures import FakeTerminal
from watch_fixtures import RUN

from daydreaming.ledger.journal import Budget, Journal
from daydreaming.watch.run_events import generation_failed, run_ended, run_started
from snakemake_logger_plugin_daydreaming import FAILURES_SHOWN

TEXT_OF_DRAFT = "data/gens/draft/d1/parsed.txt"
ERROR_BLOCK = {"rule_name": "draft", "rule_msg": None, "jobid": 1, "input": [], "log": [], "conda_env": None}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return tmp_path


def settings_of(name: str):
    LoggerPluginRegistry().collect_plugins()
    return LoggerPluginRegistry().get_plugin(name).get_settings(None)


@contextmanager
def snakemake_logging(monkeypatch, stream, **options) -> Iterator[logging.Logger]:
    """Snakemake's logging with this project's plugin, for a logger of ours; its standard error is a stream of ours."""
    monkeypatch.setattr(sys, "stderr", stream)
    logger = logging.Logger("snakemake-of-a-test")
    options.setdefault("log_handler_settings", {"daydreaming": settings_of("daydreaming")})
    manager = LoggerManager(logger, OutputSettings(**options))
    manager.setup_logfile()
    try:
        yield logger
    finally:
        manager.stop()


def snakemake_says(logger, message, level=logging.INFO, **details) -> None:
    """Log a message as code of Snakemake's does."""
    code = snakemake.logging.__file__
    logger.handle(logger.makeRecord(logger.name, level, code, 1, message, (), None, extra=details))


def job_error(logger, **details) -> None:
    block = {**ERROR_BLOCK, "output": [TEXT_OF_DRAFT], "shellcmd": None, "aux": {}, "indent": False, **details}
    snakemake_says(logger, None, logging.ERROR, event=LogEvent.JOB_ERROR, **block)


def a_run(logger, failures=1) -> None:
    """All that Snakemake and the workflow say in a run of a few jobs."""
    snakemake_says(logger, "host: a-machine")
    snakemake_says(logger, "Building DAG of jobs...")
    snakemake_says(logger, "Provided cores: 8", event=LogEvent.RESOURCES_INFO)
    snakemake_says(logger, "Job stats: 3", event=LogEvent.RUN_INFO)
    run_started(logger, Path("journal.jsonl"), RUN, {"draft": 30})
    snakemake_says(logger, "Select jobs to execute...")
    snakemake_says(logger, "Execute 1 jobs...", event=LogEvent.JOB_STARTED)
    for number in range(1, failures + 1):
        generation_failed(logger, f"draft d{number} failed, [parse] no essay", ("draft", f"d{number}"))
        job_error(logger, output=[f"data/gens/draft/d{number}/parsed.txt"])
        snakemake_says(logger, "Removing output files of failed job draft")
    logger.info("What the workflow itself says.")
    run_ended(logger, "Run of cohort c1\n  calls 3")
    snakemake_says(logger, "Complete log(s): /a/log")


def log_file() -> str:
    (path,) = Path(".snakemake/log").iterdir()
    return path.read_text()


def shown_by_a_run(monkeypatch, failures=1, **options) -> str:
    stream = io.StringIO()
    with snakemake_logging(monkeypatch, stream, **options) as logger:
        a_run(logger, failures)
    return stream.getvalue()


def test_a_run_shows_news_only_and_the_log_has_everything(monkeypatch):
    lines = [line for line in shown_by_a_run(monkeypatch).splitlines() if "draft 0/30" not in line]
    assert lines == [
        "Building DAG of jobs...",
        "Job stats: 3",
        "draft d1 failed, [parse] no essay",
        "What the workflow itself says.",
        "",
        "Run of cohort c1",
        "  calls 3",
        "",
        "Complete log(s): /a/log",
    ]
    logged = log_file()
    said = ("Provided cores: 8", "Execute 1 jobs", "Error in rule draft", "[parse] no essay", "Run of cohort c1")
    assert [logged.count(part) for part in said] == [1] * len(said)


def test_only_the_first_failures_are_shown_and_where_the_rest_is(monkeypatch):
    shown = shown_by_a_run(monkeypatch, failures=FAILURES_SHOWN + 5)
    assert shown.count("[parse] no essay") == FAILURES_SHOWN
    assert shown.count("More failures: they are in Snakemake's log (.snakemake/log)") == 1
    assert log_file().count("[parse] no essay") == FAILURES_SHOWN + 5


def test_a_generation_that_is_tried_again_fails_once_on_the_terminal(monkeypatch):
    stream = io.StringIO()
    with snakemake_logging(monkeypatch, stream) as logger:
        for attempt in range(3):
            generation_failed(logger, f"draft d1 failed, [timeout] try {attempt}", ("draft", "d1"))
        generation_failed(logger, "draft d2 failed")
        generation_failed(logger, "draft d3 failed")
    assert stream.getvalue().splitlines() == ["draft d1 failed, [timeout] try 0", "draft d2 failed", "draft d3 failed"]


def test_errors_that_nobody_has_told_are_shown(monkeypatch):
    stream = io.StringIO()
    with snakemake_logging(monkeypatch, stream) as logger:
        job_error(logger)  # no run of ours makes generations here: this is all that tells of it
        run_started(logger, Path("journal.jsonl"), RUN, {"draft": 1})
        job_error(logger, rule_name="score_table", output=["data/cohorts/c1/reports/parsed_scores.csv"])
        job_error(logger)
        snakemake_says(logger, "WorkflowError: a disk that refuses", logging.ERROR, event=LogEvent.ERROR)
        snakemake_says(logger, "a warning", logging.WARNING)
    shown = stream.getvalue()
    assert (shown.count("Error in rule draft"), shown.count("Error in rule score_table")) == (1, 1)
    assert "a disk that refuses" in shown
    assert "a warning" in shown


def test_what_is_said_without_a_run_is_shown(monkeypatch):
    stream = io.StringIO()
    with snakemake_logging(monkeypatch, stream) as logger:
        snakemake_says(logger, "Building DAG of jobs...")
        snakemake_says(logger, "Nothing to be done (all requested files are present and up to date).")
        snakemake_says(logger, "Unlocking working directory.")
    assert len(stream.getvalue().splitlines()) == 3


def test_after_ctrl_c_it_is_said_that_calls_are_waited_for(monkeypatch):
    stream = io.StringIO()
    with snakemake_logging(monkeypatch, stream) as logger:
        snakemake_says(logger, "Job stats: 3", event=LogEvent.RUN_INFO)
        snakemake_says(logger, "Select jobs to execute...")
        snakemake_says(logger, "Terminating processes on user request, this might take some time.")
    assert "Terminating processes on user request" in stream.getvalue()
    assert "Select jobs" not in stream.getvalue()


@pytest.mark.parametrize("options", [{"verbose": True}, {"dryrun": True}])
def test_verbose_and_dry_runs_show_everything(monkeypatch, options):
    shown = shown_by_a_run(monkeypatch, failures=FAILURES_SHOWN + 5, **options)
    for part in ("host: a-machine", "Provided cores: 8", "Generations to make: 30 drafts.", "Execute 1 jobs..."):
        assert part in shown
    assert shown.count("Error in rule draft") == shown.count("[parse] no essay") == FAILURES_SHOWN + 5


def test_a_dry_run_looks_as_snakemakes_own(monkeypatch):
    info = {"rule_name": "draft", "rule_msg": None, "jobid": 1, "input": [], "output": [TEXT_OF_DRAFT], "log": []}
    info |= {"local": False, "is_checkpoint": False, "benchmark": None, "reason": "Missing", "wildcards": {}}
    info |= {"priority": 0, "threads": 1, "resources": {}, "indent": False, "event": LogEvent.JOB_INFO}
    shown = []
    for plugins in ({"daydreaming": settings_of("daydreaming")}, {}):
        with FakeTerminal() as terminal:
            options = {"dryrun": True, "log_handler_settings": plugins}
            with snakemake_logging(monkeypatch, terminal.stream, **options) as logger:
                snakemake_says(logger, "Building DAG of jobs...")
                monkeypatch.setattr("snakemake.logging.timestamp", lambda: "[now]")
                snakemake_says(logger, None, **info)
                snakemake_says(logger, "Job stats: 3", event=LogEvent.RUN_INFO)
        shown.append(terminal.shown)
    assert shown[0] == shown[1]
    assert "rule draft:" in shown[0]


def test_all_quiet_shows_nothing(monkeypatch):
    assert shown_by_a_run(monkeypatch, quiet={Quietness.ALL}) == ""


def test_quiet_progress_leaves_the_line_out_and_tells_the_end(monkeypatch):
    shown = shown_by_a_run(monkeypatch, quiet={Quietness.PROGRESS})
    assert "draft 0/30" not in shown
    assert "Run of cohort c1" in shown


@pytest.mark.parametrize("columns", [80, 110])
def test_on_a_terminal_the_line_is_there_and_then_gone(monkeypatch, columns):
    monkeypatch.setattr("daydreaming.watch.screen.LIVE_EVERY_S", 0.01)
    with FakeTerminal(columns) as terminal, snakemake_logging(monkeypatch, terminal.stream) as logger:
        run_started(logger, Path("journal.jsonl"), RUN, {"draft": 30_000, "essay": 30_000, "evaluation": 60_000})
        journal = Journal(Path("journal.jsonl"), Budget(), RUN, lambda _: None)
        for number in range(40):
            who = {"stage": "draft", "gen_id": f"d{number}", "template_id": "t", "llm_model_id": "m"}
            call = journal.start_call(0.1, request_sha256="0" * 64, **who)
            journal.end_call(call, cost_usd=0.1, prompt_tokens=90_000, completion_tokens=90_000)
            journal.write("generation", result="made", **who)
            generation_failed(logger, f"message {number}")
        terminal.wait_for("draft 40/30000")
        run_ended(logger, "Run of cohort c1")
    assert [row for row in terminal.rows if row] == [
        *(f"message {number}" for number in range(FAILURES_SHOWN)),
        *(row for row in terminal.rows if "More failures" in row or row.startswith("table at the end")),
        "Run of cohort c1",
    ]
    assert "\x1b[31mmessage 0" in terminal.shown


@pytest.mark.parametrize("way", ["nocolor", "NO_COLOR"])
def test_colours_can_be_switched_off(monkeypatch, way):
    monkeypatch.setenv("NO_COLOR", "1" if way == "NO_COLOR" else "")
    options = {"nocolor": way == "nocolor"}
    with FakeTerminal() as terminal, snakemake_logging(monkeypatch, terminal.stream, **options) as logger:
        a_run(logger)
    assert "[parse] no essay" in terminal.shown
    assert "\x1b[3" not in terminal.shown
    assert "\x1b[1m" not in terminal.shown


def test_a_terminal_that_is_gone_ends_nothing(monkeypatch):
    stream, errors = io.StringIO(), []
    monkeypatch.setattr(threading, "excepthook", errors.append)
    with snakemake_logging(monkeypatch, stream) as logger:
        stream.close()
        a_run(logger)
    assert "Run of cohort c1" in log_file()
    assert errors == []


def test_where_snakemake_does_not_tell_who_is_named_its_own_handler_shows_the_run(monkeypatch):
    plugin = LoggerPluginRegistry().get_plugin("daydreaming")

    class Unknown:
        stdout = nocolor = dryrun = verbose = False
        quiet = None

    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    handler = plugin.log_handler(Unknown(), None)
    assert not handler.writes_to_stream
    handler.handle(logging.makeLogRecord({"msg": "a message"}))
    assert stream.getvalue() == ""

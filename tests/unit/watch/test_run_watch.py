"""The watch over a run, from its start to its end."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from terminal_fixtures import FakeTerminal
from watch_fixtures import PLANNED, RUN, finish, journal_of, study_in

from daydreaming.watch.run_watch import RunWatch, Terminal

FORGETS_TO_FINISH = """
import os, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from watch_fixtures import PLANNED, RUN, finish, journal_of, study_in
from daydreaming.watch.run_watch import RunWatch, Terminal

study = study_in(Path.cwd())
RunWatch(study, RUN, PLANNED, Terminal(sys.stderr)).start()
finish(journal_of(study), "draft", "d1", "parse")
os.chdir("/")
raise KeyboardInterrupt
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return study_in(tmp_path)


def test_a_run_has_progress_failures_and_a_summary_in_this_order(study):
    stream = io.StringIO()
    watch = RunWatch(study, RUN, PLANNED, Terminal(stream))
    watch.start()
    journal = journal_of(study)
    finish(journal, "draft", "d1", "made")
    finish(journal, "draft", "d2", "refused")
    summary, text = watch.finish()
    shown = stream.getvalue()
    places = [
        shown.index(part)
        for part in ("draft 1/2, essay 0/2", "Failed generations: 1", "What to do", "Run of cohort c1")
    ]
    assert places == sorted(places)
    assert text in shown
    assert (summary.failed, summary.blocked, summary.not_tried) == (1, 2, 2)


def test_the_summary_is_shown_once(study):
    stream = io.StringIO()
    watch = RunWatch(study, RUN, PLANNED, Terminal(stream))
    watch.start()
    watch.finish()
    watch.finish()
    assert stream.getvalue().count("Run of cohort c1") == 1


def test_a_quiet_run_shows_nothing_and_has_its_summary(study, capsys):
    watch = RunWatch(study, RUN, PLANNED, None)
    watch.start()
    finish(journal_of(study), "draft", "d1", "made")
    assert watch.finish()[0].tally.succeeded("draft") == 1
    assert capsys.readouterr() == ("", "")


def test_a_run_that_nobody_finishes_is_summed_up_when_the_process_ends(tmp_path):
    program = FORGETS_TO_FINISH.format(tests=str(Path(__file__).parents[1]))
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert ended.stderr.count("Run of cohort c1") == 1
    assert "Failed generations: 1" in ended.stderr


def test_on_a_terminal_long_lines_break_between_words(study, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    finish(journal_of(study), "draft", "d1", "parse")
    with FakeTerminal() as terminal:
        RunWatch(study, RUN, PLANNED, Terminal(terminal.stream)).finish()
    assert "\x1b[1mRun of cohort c1" in terminal.shown
    lines = re.sub(r"\x1b\[[0-9;]*m", "", terminal.shown).splitlines()
    assert any("data/gens/draft/d1/raw.txt" in line for line in lines)
    assert max(len(line) for line in lines if "data/" not in line) <= 60


def test_a_terminal_that_others_write_to_gets_lines(study, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    with FakeTerminal() as terminal:
        watch = RunWatch(study, RUN, PLANNED, Terminal(terminal.stream, is_shared=True))
        watch.start()
        watch.finish()
    assert "draft 0/2" in terminal.shown
    assert "\x1b[2K" not in terminal.shown

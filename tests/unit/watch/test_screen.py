"""Messages and the line of progress on one stream."""

import io
import logging
import re
import threading

import pytest
from terminal_fixtures import FakeTerminal

from daydreaming.watch.run_display import RunDisplay
from daydreaming.watch.screen import Screen, is_terminal

LONG_PATH = "data/gens/evaluation/" + "x" * 90 + "/metadata.json"


@pytest.fixture(autouse=True)
def terminal_of_a_user(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def tell(screen, message):
    screen.write(message)
    screen.write("\n")
    screen.flush()


@pytest.mark.parametrize("columns", [80, 110])
def test_messages_stand_above_the_line_and_nothing_of_it_is_left(columns):
    with FakeTerminal(columns) as terminal:
        screen = Screen(terminal.stream)
        handler = logging.StreamHandler(screen)
        for number in range(3):
            screen.show(f"draft {number}/3 | 1 failed".ljust(columns - 1, "."))
            handler.emit(logging.makeLogRecord({"msg": f"message {number}"}))
        screen.show("draft 3/3 | 1 failed")
        screen.remove_line()
        tell(screen, "after it")
    assert terminal.rows == ["message 0", "message 1", "message 2", "after it"]
    assert "draft 2/3 | 1 failed".ljust(columns - 1, ".") in re.sub(r"\x1b\[[0-9;]*m", "", terminal.shown)
    assert "\x1b[1;31m1 failed" in terminal.shown


def test_while_the_line_is_there_it_is_the_last_row():
    with FakeTerminal() as terminal:
        screen = Screen(terminal.stream)
        screen.show("draft 0/3")
        tell(screen, "a message\nof two lines")
    assert terminal.rows == ["a message", "of two lines", "draft 0/3"]
    # The cursor is to be seen, however the process ends.
    assert terminal.shown.rindex("\x1b[?25h") > terminal.shown.rindex("\x1b[?25l")


def test_a_long_message_is_not_broken_up(monkeypatch):
    with FakeTerminal() as terminal:
        screen = Screen(terminal.stream)
        screen.show("draft 0/3")
        tell(screen, LONG_PATH)
        screen.remove_line()
    assert LONG_PATH in terminal.shown


def test_messages_and_lines_of_many_threads_do_not_mix():
    with FakeTerminal() as terminal:
        screen = Screen(terminal.stream)
        stopped = threading.Event()

        def show():
            while not stopped.is_set():
                screen.show("draft 0/3 | 5 failed")

        thread = threading.Thread(target=show)
        thread.start()
        for number in range(200):
            tell(screen, f"message {number}")
        stopped.set()
        thread.join()
        screen.remove_line()
    assert terminal.rows == [f"message {number}" for number in range(200)]


@pytest.mark.parametrize("no_color", [True, False])
def test_without_colours_there_is_no_style(monkeypatch, no_color):
    monkeypatch.setenv("NO_COLOR", "" if no_color else "1")
    with FakeTerminal() as terminal:
        screen = Screen(terminal.stream, no_color=no_color)
        screen.show("draft 0/3 | 2 failed")
        RunDisplay(screen).end("Run of cohort c1\n  calls 3")
        screen.remove_line()
    assert "2 failed" in terminal.shown
    assert "m" not in {part[-1:] for part in terminal.shown.split("\x1b[")[1:] if part[:1].isdigit()}
    assert "\x1b[1m" not in terminal.shown


def test_a_terminal_of_unknown_width_has_eighty_columns():
    with FakeTerminal(0) as terminal:
        assert Screen(terminal.stream).columns == 80


@pytest.mark.parametrize("term", ["dumb", "unknown", ""])
def test_a_terminal_that_cannot_write_over_a_line_is_none(term, monkeypatch):
    with FakeTerminal() as terminal:
        assert is_terminal(terminal.stream)
        monkeypatch.setenv("TERM", term)
        assert not is_terminal(terminal.stream)


def test_in_a_file_lines_are_added_and_nothing_is_styled():
    stream = io.StringIO()
    screen = Screen(stream)
    screen.show("draft 1/3 | 2 failed")
    tell(screen, "a message")
    RunDisplay(screen).end("Run of cohort c1\n  calls 3")
    assert stream.getvalue() == "draft 1/3 | 2 failed\na message\n\nRun of cohort c1\n  calls 3\n\n"


def test_on_a_terminal_the_end_of_a_run_breaks_between_words():
    path = "data/gens/draft/d1/a-file-with-a-rather-long-name-that-has-to-stay-whole.txt"
    text = f"Failed generations: 1\n  1  parse  draft  thread  writer  {path}\nRun of cohort c1"
    with FakeTerminal(60) as terminal:
        RunDisplay(Screen(terminal.stream)).end(text)
    assert "\x1b[1mRun of cohort c1" in terminal.shown
    assert "\x1b[1mFailed generations: 1" in terminal.shown
    assert path in terminal.shown
    assert "  1  parse  draft  thread  writer" in terminal.rows

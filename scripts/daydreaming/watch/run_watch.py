"""Watches a run for its user: progress while it goes, the failures and a summary when it ends, however it ends."""

from __future__ import annotations

import atexit
import logging
import textwrap
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import chdir, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from daydreaming.generation.study import Study
from daydreaming.results.failures import failures_text, run_failures
from daydreaming.watch.progress import Lines, LiveLine, Progress, ProgressState, is_terminal
from daydreaming.watch.run_summary import PlannedGeneration, RunSummary, summarize_run, summary_text


@dataclass(frozen=True)
class Terminal:
    """Where a run is shown: a stream, and the log handlers that write to it as well.

    `is_shared`: other processes write to it, so that no line of ours can stay in place.
    """

    stream: TextIO
    handlers: Sequence[logging.StreamHandler] = ()
    is_shared: bool = False


class RunWatch:
    """The watch over one run, from `start` to `finish`. With `terminal` None, nothing is shown."""

    def __init__(self, study: Study, run_id: str, planned: Sequence[PlannedGeneration], terminal: Terminal | None):
        self._study = study
        self._run_id = run_id
        self._planned = planned
        self._terminal = terminal
        self._progress: Progress | None = None
        self._started = time.monotonic()
        self._finished = False

    def start(self) -> None:
        """Show progress from now on; should nobody call `finish` (a second Ctrl-C), the end of the process does."""
        atexit.register(self._finish_in, Path.cwd())
        if self._terminal is not None:
            totals = Counter(stage for stage, _ in self._planned)
            state = ProgressState(self._study.cohort_files.journal.absolute(), self._run_id, totals)
            self._progress = Progress(state, _display(self._terminal))
            self._progress.start()

    def finish(self) -> tuple[RunSummary, str]:
        """Stop the progress and show, once, what the run came to; returns the summary and the text that tells it.

        Raises OSError when the journal cannot be read.
        """
        if self._progress is not None:
            self._progress.stop()
        summary = summarize_run(self._study, self._run_id, self._planned, time.monotonic() - self._started)
        failures = failures_text(run_failures(summary.tally.failures(), self._study.paths))
        text = "\n\n".join(filter(None, (failures, summary_text(summary))))
        if self._terminal is not None and not self._finished:
            with suppress(OSError, ValueError):  # the terminal is gone
                _show(self._terminal.stream, text)
        self._finished = True
        atexit.unregister(self._finish_in)
        return summary, text

    def _finish_in(self, folder: Path) -> None:
        """Finish in the folder of the run: Snakemake has gone back to where it was called by the time it ends."""
        with chdir(folder):
            self.finish()


def _display(terminal: Terminal) -> Lines | LiveLine:
    if is_terminal(terminal.stream) and not terminal.is_shared:
        return LiveLine(terminal.stream, terminal.handlers)
    return Lines(terminal.stream)


def _show(stream: TextIO, text: str) -> None:
    """Write a text; on a terminal, its headings (lines that are not indented) stand out."""
    if not is_terminal(stream):
        stream.write(f"\n{text}\n\n")
        stream.flush()
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream)
    lines = "\n".join(_wrapped(line, console.width) for line in text.split("\n"))
    styled = Text(f"\n{lines}\n")
    styled.highlight_regex(r"(?m)^\S.*$", "bold")
    console.print(styled, soft_wrap=True)


def _wrapped(line: str, width: int) -> str:
    """A line in pieces of a width, between words, for paths and commands must stay whole; what follows is indented."""
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    wrapper = textwrap.TextWrapper(width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return wrapper.fill(line) if len(line) > width else line

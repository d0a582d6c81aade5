"""Snakemake's logger plugin of this project: the terminal of a run shows its progress and what is news, in few lines.

`logger: [daydreaming]` in a profile, or `--logger daydreaming`, names it. Everything else is in Snakemake's log file,
`.snakemake/log`, which Snakemake writes itself. A dry run, and a run with `--verbose`, show all that Snakemake says.
Where another logger is named beside it, this one is silent: the workflow's messages are ordinary ones, and whoever
handles Snakemake's messages shows them too.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO, cast

from snakemake.logging import ColorizingTextHandler
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from daydreaming.watch.run_display import RunDisplay
from daydreaming.watch.run_events import GenerationFailed, RunEnded, RunStarted, event_of
from daydreaming.watch.screen import Screen

NAME = "daydreaming"
FAILURES_SHOWN = 20
MORE_FAILURES = (
    "More failures: they are in Snakemake's log (.snakemake/log), and counted in the table at the end of the run."
)

# What Snakemake tells before it starts a run, and what is no news in any.
_PREPARATIONS = (LogEvent.WORKFLOW_STARTED, LogEvent.RESOURCES_INFO, LogEvent.RULEGRAPH)
_PREPARATIONS_IN_WORDS = (
    "Assuming unrestricted shared filesystem usage",
    "Using shell",
    "host: ",
    "Conda environments: ignored",
    "Singularity containers: ignored",
)
# What it tells once jobs run: chatter, of thousands of jobs.
_RUN_BEGINS = (LogEvent.RUN_INFO, LogEvent.JOB_STARTED, LogEvent.JOB_INFO)
# Calls in flight are paid for: after Ctrl-C Snakemake waits for them, and says so.
_NEWS_IN_WORDS = ("Terminating processes on user request", "Will exit after finishing currently running jobs")
_LOG_FILE_HINT = "Complete log(s)"


class LogHandler(LogHandlerBase):
    """Shows a run on standard error (a dry run on standard output, as Snakemake does)."""

    def __post_init__(self) -> None:
        """Make the screen and what is shown on it; nothing is shown where another logger has the terminal."""
        common = self.common_settings
        self._screen = Screen(sys.stdout if common.stdout else sys.stderr, no_color=common.nocolor)
        self._display = RunDisplay(self._screen)
        self._messages = ColorizingTextHandler(nocolor=not self._screen.has_styles, stream=cast(TextIO, self._screen))
        self._shows_all = bool(common.dryrun or common.verbose)
        self._shows_progress = not {Quietness.PROGRESS, Quietness.ALL} & set(common.quiet or ())
        self._is_running = False
        self._makes_generations = False
        self._failures: set[object] = set()
        self._is_silent = not self.writes_to_stream

    @property
    def writes_to_stream(self) -> bool:
        """Whether this is the only logger that the user named.

        Where Snakemake does not tell, another one is assumed: Snakemake's own handler then shows the run.
        """
        return list(getattr(self.common_settings, "log_handler_settings", ())) == [NAME]

    @property
    def writes_to_file(self) -> bool:
        """Snakemake itself writes the log file."""
        return False

    @property
    def has_filter(self) -> bool:
        """Snakemake's filter does what `--quiet` and its kin say."""
        return False

    @property
    def has_formatter(self) -> bool:
        """Snakemake's messages look as Snakemake formats them."""
        return False

    @property
    def needs_rulegraph(self) -> bool:
        """No graph of the rules is shown."""
        return False

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802 (a method of logging.Handler)
        """Take over the formatter that Snakemake gives."""
        super().setFormatter(fmt)
        self._messages.setFormatter(fmt)

    def emit(self, record: logging.LogRecord) -> None:
        """Show a message, if it belongs on the terminal."""
        if self._is_silent:
            return
        try:
            self._take(record)
        except (OSError, ValueError):  # the terminal is gone, and the run goes on
            self._is_silent = True
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Take the progress away, should the run have ended without a word."""
        self._display.stop()
        super().close()

    def _take(self, record: logging.LogRecord) -> None:
        event = event_of(record)
        if isinstance(event, RunStarted):
            self._start(event, record)
        elif isinstance(event, GenerationFailed):
            self._show_failure(event, record)
        elif isinstance(event, RunEnded):
            self._display.end(event.text)
        elif self._shows_all or self._is_news(record):
            self._messages.emit(record)

    def _start(self, event: RunStarted, record: logging.LogRecord) -> None:
        self._is_running = self._makes_generations = True
        self._failures = set()
        if self._shows_all:
            self._messages.emit(record)
        if self._shows_progress:
            self._display.start(event)

    def _show_failure(self, event: GenerationFailed, record: logging.LogRecord) -> None:
        """Show a failure, if it is one of the first, and not of another try of a generation that was shown."""
        self._makes_generations = True
        who = event.generation or len(self._failures)
        if who in self._failures:
            return
        self._failures.add(who)
        if self._shows_all or len(self._failures) <= FAILURES_SHOWN:
            self._messages.emit(record)
        elif len(self._failures) == FAILURES_SHOWN + 1:
            self._messages.emit(_warning(MORE_FAILURES))

    def _is_news(self, record: logging.LogRecord) -> bool:
        event, message = getattr(record, "event", None), record.getMessage()
        self._is_running |= event in _RUN_BEGINS
        if event == LogEvent.JOB_ERROR:
            # How a generation failed was told, in words of its own, by whoever made it.
            return not (self._makes_generations and _is_generation(getattr(record, "output", ())))
        if record.levelno >= logging.WARNING or event == LogEvent.RUN_INFO:
            return True
        if event in (LogEvent.SHELLCMD, LogEvent.DEBUG_DAG):  # seen only where the user asked for them
            return True
        if not self._is_running:
            return event not in _PREPARATIONS and not message.startswith(_PREPARATIONS_IN_WORDS)
        if message.startswith(_LOG_FILE_HINT):
            return bool(self._failures)
        return event is None and (not _is_snakemakes(record) or message.startswith(_NEWS_IN_WORDS))


def _is_generation(outputs: Iterable[Any]) -> bool:
    """Whether files that a job makes are the text of a generation: .../<stage>/<gen_id>/parsed.txt."""
    paths = [Path(str(output)).parts[-3:] for output in outputs]
    return any(len(parts) == 3 and parts[2] == "parsed.txt" for parts in paths)


def _is_snakemakes(record: logging.LogRecord) -> bool:
    """Whether a message comes from the code of Snakemake, not from that of a workflow or of a plugin."""
    from snakemake import logging as of_snakemake

    return Path(record.pathname).is_relative_to(Path(of_snakemake.__file__).parent)


def _warning(message: str) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message, "levelno": logging.WARNING, "levelname": "WARNING"})

# What the user sees of a run: failures as they come, progress, and what it all came to.

import itertools
import sys

from snakemake.settings.enums import Quietness

from daydreaming.results.partial_results import set_results_aside, write_partial_results
from daydreaming.watch.run_watch import RunWatch, Terminal

# After so many, failures are told by the table at the end of the run and by Snakemake's log alone.
FAILURES_ON_TERMINAL = 20
FAILURE_NUMBERS = itertools.count(1)


def tell_failure(message, number):
    """Log a failure, the `number`-th of this process; the terminal shows the first ones only."""
    logger.error(message, extra={"off_terminal": number > FAILURES_ON_TERMINAL})
    if number == FAILURES_ON_TERMINAL + 1:
        logger.warning("More failures: they are in Snakemake's log, and counted in the table at the end of the run.")


def is_news(record):
    """Whether a message of Snakemake's belongs on the terminal of a run; all of them are in its log."""
    event = record.__dict__.get("event")
    if record.levelno < logging.WARNING:
        # Calls in flight are paid for: after Ctrl-C, Snakemake waits for them, and says so.
        return event == LogEvent.RUN_INFO or record.getMessage().startswith("Terminating processes on user request")
    if record.__dict__.get("off_terminal"):
        return False
    # A failed generation has been shown already; any other error (a disk that refuses, a rule with a bug) is news.
    return event not in (LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR) and "GenerationFailed in" not in record.getMessage()


def terminal_handlers():
    """The handlers that write Snakemake's messages to the terminal."""
    return [handler for handler in logger.handlers if handler.name == "DefaultStreamHandler"]


def quiet_terminal():
    """Keep the chatter about each job off the terminal (Snakemake's own `quiet` would keep it out of its log too)."""
    for handler in terminal_handlers():
        if not workflow.output_settings.verbose:
            handler.addFilter(is_news)


def planned_generations():
    """The generations that this run plans to make."""
    return [(job.rule.name, job.wildcards.gen_id) for job in workflow.dag.needrun_jobs() if job.rule.name in STAGES]


@cache
def run_watch():
    """The watch over this run: progress, failures, summary. None where the run makes no generation."""
    planned = planned_generations()
    if not planned:
        return None
    is_shared = workflow.local_exec and not workflow.execution_settings.use_threads
    stream = sys.stdout if workflow.output_settings.stdout else sys.stderr
    quiet = IS_PART_OF_A_RUN or Quietness.ALL in (workflow.output_settings.quiet or ())
    terminal = None if quiet else Terminal(stream, terminal_handlers(), is_shared)
    return RunWatch(study(), RUN_ID, planned, terminal)


def end_watch():
    """Tell what the run came to; results that a few failures held up are made all the same, if the user allows it."""
    if run_watch() is None:
        return
    wants_scores = any(job.rule.name == "score_table" for job in workflow.dag.needrun_jobs())
    try:
        summary, text = run_watch().finish()
        logger.info(text)
        if wants_scores and summary.failed:
            is_complete = not summary.not_tried and SETTINGS.max_failed_fraction > 0
            told = write_partial_results(study()) if is_complete else set_results_aside(study())
            logger.warning(told) if told else None
    except OSError as error:
        logger.error(f"The summary or the results of the run could not be made: {error}")

# How jobs run: the one runner of this process, what the terminal shows, and what happens when a run starts and ends.

import itertools
import sys
from concurrent.futures import Future

from snakemake.settings.enums import Quietness

from daydreaming.partial_results import set_results_aside, write_partial_results
from daydreaming.run_watch import RunWatch, Terminal

SLOW_WITHOUT_THREADS = (
    "Jobs run in processes of their own (more than a second of CPU each), for --force-use-threads is not set. "
    "Use the profile that comes with the project: profiles/default."
)

# After so many, failures are told by the table at the end of the run and by Snakemake's log alone.
FAILURES_ON_TERMINAL = 20
FAILURE_NUMBERS = itertools.count(1)

# A run that another one started (a slice's, on a cluster) leaves the progress and the summary to that one.
IS_PART_OF_A_RUN = "DAYDREAMING_RUN" in os.environ
# Processes that this one starts write their calls down as parts of the same run.
os.environ.setdefault("DAYDREAMING_RUN", uuid.uuid4().hex[:12])


class GenerationFailed(WorkflowError):
    """A generation that was not made, as Snakemake sees it: the user has been told already."""


@cache
def runner():
    """The runner of this run: one model client, one reply store, for all jobs.

    Where jobs are threads of Snakemake's process, it is a process beside it; otherwise each job's process has its own.
    """
    kind = RunnerProcess if workflow.execution_settings.use_threads and workflow.is_main_process else Runner
    return kind(SETTINGS, run_id=os.environ["DAYDREAMING_RUN"], calls_in_flight=calls_in_flight())


def run_stage(stage, gen_id, log):
    """Make one generation; a failure becomes one message here, and its stack trace goes to the log."""
    try:
        submit_stage(stage, gen_id, log).result()
    finally:
        # A process for one job ends without the hooks below.
        if not workflow.is_main_process:
            close_run()


def submit_stage(stage, gen_id, log):
    """Start making one generation, as `run_stage` does; the future ends when it is made, or raises GenerationFailed."""
    made = Future()

    def tell(future):
        error = future.exception()
        if isinstance(error, RunStoppedError):
            error = GenerationFailed(f"{stage} {gen_id}: the run was stopped before its call")
        elif isinstance(error, GenerationError):
            Path(log).parent.mkdir(parents=True, exist_ok=True)
            Path(log).write_text("".join(traceback.format_exception(error)))
            tell_failure(f"{stage} {gen_id} failed, {error}", next(FAILURE_NUMBERS))
            error = GenerationFailed(f"{stage} {gen_id}")
        made.set_exception(error) if error else made.set_result(None)

    runner().submit(study().specification(stage, gen_id)).add_done_callback(tell)
    return made


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
    return RunWatch(study(), os.environ["DAYDREAMING_RUN"], planned, terminal)


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


def has_runner():
    """Whether the runner of this process is there."""
    return bool(runner.cache_info().currsize)


def start_runner_early():
    """Let the runner's process import its packages while Snakemake builds the graph, if this run will need it."""
    makes_generations = workflow.executor_plugin is not None and not (workflow.dryrun or workflow.touch)
    if makes_generations and workflow.is_main_process and workflow.local_exec and workflow.execution_settings.use_threads:
        runner()


def stop_calling():
    """Start no call any more; those in flight go on."""
    if has_runner():
        runner().stop_calling()


def give_up_calls():
    """End without waiting for the calls in flight."""
    if has_runner():
        runner().kill()


def close_run():
    """Close what the run has opened, if it has made a generation at all."""
    if has_runner():
        runner().close()


onstart:
    leave_graph_to_itself()
    stop_rate_limiter()
    schedule_waiting_jobs()
    keep_results_until_replaced()
    skip_search_for_pipes()
    keep_fewer_records()
    stop_safely_on_sigterm()
    stop_gently_on_ctrl_c()
    quiet_terminal()
    if not workflow.execution_settings.use_threads:
        logger.warning(SLOW_WITHOUT_THREADS)
    if run_watch() is not None:
        run_watch().start()


onsuccess:
    confirm_up_to_date()
    close_run()
    end_watch()


onerror:
    confirm_up_to_date()
    close_run()
    end_watch()

# How jobs run: the one runner of this process, what the terminal shows, and what happens when a run starts and ends.

SLOW_WITHOUT_THREADS = (
    "Jobs run in processes of their own (more than a second of CPU each), for --force-use-threads is not set. "
    "Use the profile that comes with the project: profiles/default."
)

# Processes that this one starts write their calls down as parts of the same run.
os.environ.setdefault("DAYDREAMING_RUN", uuid.uuid4().hex[:12])


class GenerationFailed(WorkflowError):
    """A failed generation, as Snakemake sees it: the user has been told already."""


@cache
def runner():
    """The runner of this process: one model client, one reply store, for all jobs."""
    return Runner(SETTINGS, run_id=os.environ["DAYDREAMING_RUN"])


def run_stage(stage, gen_id, log):
    """Make one generation; a failure becomes one message here, and its stack trace goes to the log."""
    try:
        runner().run(study().specification(stage, gen_id))
    except GenerationError as error:
        Path(log).parent.mkdir(parents=True, exist_ok=True)
        Path(log).write_text("".join(traceback.format_exception(error)))
        logger.error(f"{stage} {gen_id} failed, {error}")
        raise GenerationFailed(f"{stage} {gen_id}") from None


def stop_rate_limiter():
    """Stop Snakemake's limiter of jobs per time span.

    It starts a timer thread in every round of scheduling, each of which starts another round: CPU use grows with the
    number of finished jobs. Calls are limited by endpoint instead (daydreaming.llm.limits).
    """
    workflow.scheduler.job_rate_limiter = None


def is_news(record):
    """Whether a message of Snakemake's belongs on the terminal of a run; all of them are in its log."""
    if record.levelno >= logging.WARNING:
        return record.__dict__.get("event") is None and "GenerationFailed in file" not in record.getMessage()
    return record.__dict__.get("event") == LogEvent.RUN_INFO


def quiet_terminal():
    """Keep the chatter about each job off the terminal (Snakemake's own `quiet` would keep it out of its log too)."""
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler" and not workflow.output_settings.verbose:
            handler.addFilter(is_news)


def close_run():
    """Close what the run has opened, if it has made a generation at all."""
    if runner.cache_info().currsize:
        runner().close()


onstart:
    stop_rate_limiter()
    quiet_terminal()
    if not workflow.execution_settings.use_threads:
        logger.warning(SLOW_WITHOUT_THREADS)


onsuccess:
    close_run()


onerror:
    close_run()

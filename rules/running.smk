# How jobs run: the one runner of this run, and what happens when a run starts and ends.

from concurrent.futures import Future

from daydreaming.results.report.charts import import_packages

SLOW_WITHOUT_THREADS = (
    "Jobs run in processes of their own (more than a second of CPU each), for --force-use-threads is not set. "
    "Use the profile that comes with the project: profiles/default."
)

# A run that another one started (a slice's, on a cluster) leaves the progress and the summary to that one.
IS_PART_OF_A_RUN = "DAYDREAMING_RUN" in os.environ
# Processes that this one starts write their calls down as parts of the same run.
RUN_ID = os.environ.setdefault("DAYDREAMING_RUN", uuid.uuid4().hex[:12])


# By then the first calls are on their way, and the interpreter has time.
FIRST_CALLS_S = 3.0


class GenerationFailed(WorkflowError):
    """A generation that was not made, as Snakemake sees it: the user has been told already."""


@cache
def runner():
    """The runner of this run: one model client, one reply store, for all jobs.

    Where jobs are threads of Snakemake's process, it is a process beside it; otherwise each job's process has its own.
    """
    kind = RunnerProcess if runs_in_threads() else Runner
    return kind(SETTINGS, run_id=RUN_ID, calls_in_flight=calls_in_flight())


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

    def end(future):
        error = future.exception()
        if error is None:
            made.set_result(None)
            return
        try:
            error = failure_for_snakemake(error, stage, gen_id, log)
        except OSError as refused:
            error = refused
        finally:
            made.set_exception(error)

    runner().submit(study().specification(stage, gen_id)).add_done_callback(end)
    return made


def failure_for_snakemake(error, stage, gen_id, log):
    """Tell the user how a generation failed, and return what Snakemake gets to see."""
    if isinstance(error, RunStoppedError):
        return GenerationFailed(f"{stage} {gen_id}: the run was stopped before its call")
    if not isinstance(error, GenerationError):
        return error
    tell_failure(f"{stage} {gen_id} failed, {error}", next(FAILURE_NUMBERS))
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    Path(log).write_text("".join(traceback.format_exception(error)))
    return GenerationFailed(f"{stage} {gen_id}")


def runs_in_threads():
    """Whether this process is Snakemake's own and runs the jobs, not a process for one job."""
    return workflow.execution_settings.use_threads and workflow.is_main_process


def has_runner():
    """Whether the runner of this process is there."""
    return bool(runner.cache_info().currsize)


def start_runner_early():
    """Let the runner's process import its packages while Snakemake works, if this run makes generations here."""
    executes = workflow.executor_plugin is not None and not (workflow.dryrun or workflow.touch)
    if executes and workflow.local_exec and runs_in_threads():
        runner()


def prepare_report():
    """Import what the report is drawn with while calls are waited for, not after the last one."""
    if any(job.rule.name == "report_page" for job in workflow.dag.needrun_jobs()):
        meanwhile = threading.Timer(FIRST_CALLS_S, import_packages)
        meanwhile.daemon = True
        meanwhile.start()


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
    prepare_report()
    if not workflow.execution_settings.use_threads:
        logger.warning(SLOW_WITHOUT_THREADS)
    if run_watch() is not None:
        start_runner_early()
        run_watch().start()


onsuccess:
    close_run()
    end_watch()


onerror:
    close_run()
    end_watch()

# What this workflow changes in Snakemake's scheduler, all of it here; tests/workflow/ guards it. Snakemake plans for
# jobs that compute, and looks at everything that is ready in every round; here are thousands of equal jobs that wait.

import gc
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice

import snakemake.rules
from snakemake.jobs import Job
from snakemake.scheduling.job_scheduler import JobScheduler

LOOK_AHEAD = 64
JOBS_AHEAD = 8

# The graph is millions of objects that stay: looking through them for garbage takes a fifth of the time to build it.
gc.set_threshold(100_000, 50, 100)

# Snakemake asks for the parameters of the same few input functions for every job.
snakemake.rules.get_function_params = cache(snakemake.rules.get_function_params)


class WaitingJobsScheduler(JobScheduler):
    """Snakemake's scheduler, with rounds that cost as much as what they start, not as much as what is ready."""

    @property
    def open_jobs(self):
        """Some jobs that are ready: no more than can start now, and a few to choose from."""
        return list(islice(self.workflow.dag.ready_jobs, self.resources["_cores"] + LOOK_AHEAD))

    def job_selector(self, jobs):
        """Return jobs that fit into the free resources, as they come: all are alike, there is nothing to optimize."""
        selected = []
        with self._lock:
            free = {name: amount for name, amount in self.resources.items() if name != "_job_count"}
            for job in jobs:
                self.validate_job(job)
                needs = {name: job.scheduler_resources.get(name, 0) for name in free}
                if all(needs[name] <= free[name] for name in free):
                    selected.append(job)
                    free = {name: free[name] - needs[name] for name in free}
            self.update_available_resources(selected)
        return selected


def schedule_waiting_jobs():
    """Use the scheduler above where jobs run in threads of this process and no target has priority.

    More jobs are started than calls may be in flight (`calls_in_flight`): while some are between Snakemake and their
    call, others call.
    """
    if not workflow.execution_settings.use_threads or workflow.scheduling_settings.prioritytargets:
        return
    scheduler = workflow.scheduler
    scheduler.__class__ = WaitingJobsScheduler
    jobs = calls_in_flight() + max(JOBS_AHEAD, calls_in_flight() // 2)
    scheduler.resources["_cores"] = scheduler.global_resources["_cores"] = jobs
    scheduler._executor.workers = jobs
    scheduler._executor.pool = ThreadPoolExecutor(jobs)


def leave_graph_to_itself():
    """Take the graph out of every later search for garbage: it stays as long as the run."""
    gc.freeze()


def calls_in_flight():
    """How many calls may be in flight at a time: the number of -j, or of the profile's `jobs`."""
    return workflow.resource_settings.cores or 1


def stop_rate_limiter():
    """Stop Snakemake's limiter of jobs per time span.

    It starts a timer thread in every round of scheduling, each of which starts another round: CPU use grows with the
    number of finished jobs (snakemake issue 3804). Calls are limited by endpoint instead (daydreaming.llm.limits).
    """
    workflow.scheduler.job_rate_limiter = None


def keep_results_until_replaced():
    """Do not delete the result of a generation before it is made again.

    The runner replaces parsed.txt in one step, and takes it away when the generation failed. A run that deletes it first
    takes it from another run, of a cohort that shares the generation, which has made it just now and is reading it.
    """
    remove_existing_output = Job.remove_existing_output

    async def remove_other_output(job):
        if "gen_id" not in job.wildcards_dict:
            await remove_existing_output(job)

    Job.remove_existing_output = remove_other_output


def stop_safely_on_sigterm():
    """Handle SIGTERM in a thread.

    Snakemake's handler waits for a lock; where the signal meets the main thread inside that lock, it waits for ever.
    """

    def exit_gracefully(*_):
        threading.Thread(target=workflow.scheduler.exit_gracefully).start()

    signal.signal(signal.SIGTERM, exit_gracefully)


def stop_gently_on_ctrl_c():
    """Let the calls in flight finish after Ctrl-C, also after a second one: they are paid for.

    The first is Snakemake's: it starts nothing more and waits. Python would break that wait off at the second and lose
    every reply that is still to come. The third ends the process.
    """
    presses = count(1)

    def on_ctrl_c(*_):
        press = next(presses)
        if press == 1:
            raise KeyboardInterrupt
        if press == 2:
            os.write(2, b"\nCalls in flight are paid for: waiting for their replies. Ctrl-C once more gives them up.\n")
            return
        os._exit(130)

    signal.signal(signal.SIGINT, on_ctrl_c)

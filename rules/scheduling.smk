# What this workflow changes in Snakemake's scheduler; tests/workflow/ guards it. Snakemake plans for jobs that compute, and
# looks at everything that is ready in every round; here are thousands of equal jobs that wait.

import gc
from collections.abc import MutableSet
from itertools import chain, islice

import snakemake.common
import snakemake.rules
from snakemake.executors.local import Executor
from snakemake.jobs import Job
from snakemake.scheduling.job_scheduler import JobScheduler

# The first calls of a run start when so many jobs have been looked at, not when all that may start have been.
JOBS_PER_ROUND = 64

# The graph is millions of objects that stay: looking through them for garbage takes a fifth of the time to build it.
gc.set_threshold(100_000, 50, 100)

# Snakemake asks for the parameters of the same few functions for every job.
snakemake.common.get_function_params = cache(snakemake.common.get_function_params)
snakemake.rules.get_function_params = snakemake.common.get_function_params


class UpstreamFirst(MutableSet):
    """A set of jobs that is gone through by stage: of a chain that began late, the rest should not come last of all."""

    def __init__(self, jobs=()):
        self._by_stage = {stage: {} for stage in (*STAGES, None)}
        self.update(jobs)

    def _alike(self, job):
        return self._by_stage.get(job.name, self._by_stage[None])

    def add(self, job):
        self._alike(job)[job] = None

    def update(self, jobs):
        for job in jobs:
            self.add(job)

    def discard(self, job):
        self._alike(job).pop(job, None)

    def __contains__(self, job):
        return job in self._alike(job)

    def __iter__(self):
        return chain.from_iterable(self._by_stage.values())

    def __len__(self):
        return sum(map(len, self._by_stage.values()))


class WaitingJobsScheduler(JobScheduler):
    """Snakemake's scheduler, with rounds that cost as much as what they start, not as much as what is ready."""

    @property
    def open_jobs(self):
        """Some jobs that are ready: no more than can start now, and some to choose from."""
        return list(islice(self.workflow.dag.ready_jobs, JOBS_PER_ROUND))

    def job_selector(self, jobs):
        """Return jobs that fit into the free resources, as they come: all are alike, there is nothing to optimize."""
        selected = []
        with self._lock:
            free = {name: amount for name, amount in self.resources.items() if name != "_job_count"}
            for job in UpstreamFirst(jobs):
                self.validate_job(job)
                needs = {name: job.scheduler_resources.get(name, 0) for name in free}
                if all(needs[name] <= free[name] for name in free):
                    selected.append(job)
                    free = {name: free[name] - needs[name] for name in free}
            self.update_available_resources(selected)
            if len(selected) == JOBS_PER_ROUND:
                self._open_jobs.release()  # there may be more for another round
        return selected


class WaitingJobsExecutor(Executor):
    """Snakemake's local executor, with the generations handed to the runner instead of a thread for each.

    What it does is what their rules' `run` does: `run_stage` waits for what is only started here.
    """

    def run_single_job(self, job):
        if job.rule.name not in STAGES:
            return super().run_single_job(job)
        self.workflow.async_run(job.prepare())
        return submit_stage(job.rule.name, job.wildcards.gen_id, job.log[0])

    def _callback(self, job_info, future):
        if isinstance(future.exception(), GenerationFailed):
            self.report_job_error(job_info)
        else:
            super()._callback(job_info, future)

    def cancel(self):
        """After Ctrl-C: wait for the calls in flight, which are paid for."""
        super().cancel()
        if has_runner():
            runner().stop_calling()
            runner().wait()


def schedule_waiting_jobs():
    """Use the scheduler above where jobs run in threads of this process and no target has priority.

    More jobs are started than calls may be in flight (`calls_in_flight`): while some are between Snakemake and their
    call, others call.
    """
    if not workflow.execution_settings.use_threads or workflow.scheduling_settings.prioritytargets:
        return
    scheduler = workflow.scheduler
    scheduler.__class__ = WaitingJobsScheduler
    jobs = 2 * calls_in_flight()
    scheduler.resources["_cores"] = scheduler.global_resources["_cores"] = jobs
    scheduler._executor.__class__ = WaitingJobsExecutor
    workflow.dag._ready_jobs = UpstreamFirst(workflow.dag._ready_jobs)


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

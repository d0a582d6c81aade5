"""The executor: generations go to the runner's process, everything else to Snakemake's local executor."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.real import RealExecutor
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry
from snakemake_interface_executor_plugins.settings import ExecMode

from daydreaming.base.file_times import bring_back_from_the_future
from daydreaming.generation.runner_messages import RUN_VARIABLE, RunEnd
from daydreaming.generation.runner_process import RunnerProcess
from daydreaming.generation.started_runner import StartedRunner
from snakemake_executor_plugin_daydreaming.commands import (
    StageCommand,
    StageCommands,
    generation_of,
    is_score_table,
    is_sent,
    planned_generations,
    stages_of,
)
from snakemake_executor_plugin_daydreaming.executor_settings import ExecutorSettings, new_run_id
from snakemake_executor_plugin_daydreaming.interruption import Interruption
from snakemake_executor_plugin_daydreaming.programs import Programs
from snakemake_executor_plugin_daydreaming.reporting import Reporter, Results

PROGRAMS_AT_A_TIME = 8


class Executor(RealExecutor):
    """Makes generations in one process beside Snakemake's, and tells Snakemake of them in bunches.

    Every generation that is ready is submitted at once (their rules ask for no thread here), and waits in the runner's
    process until fewer calls than `-j` are in flight.
    """

    def __post_init__(self) -> None:
        """Called by Snakemake after the constructor."""
        self._local = ExecutorPluginRegistry().get_plugin("local").executor(self.workflow, self.logger)
        self._programs = Programs(min(self.cores, PROGRAMS_AT_A_TIME))
        self._sent = Programs(self.cores)
        self._commands = StageCommands()
        self._runner: RunnerProcess | None = None
        self._settings = self.executor_settings or ExecutorSettings()
        self._reporter = Reporter(self._tell, self._settings.report_every or 0.0)
        self._submitted: dict[int, Any] = {}  # ticket -> job
        self._interruption = Interruption(self._stop_calling)
        # A run that another one started (a slice's, on a cluster) leaves progress and summary to that one.
        self._is_part_of_a_run = RUN_VARIABLE in os.environ
        self._planned = planned_generations(self.workflow.dag.needrun_jobs())
        self._started = time.monotonic()
        self._is_first_job = True
        self._start_runner()

    def run_jobs(self, jobs: list[Any]) -> None:
        """Take the jobs that Snakemake has chosen to run now."""
        for job in jobs:
            command = None if job.is_group() else self._commands.of(job)
            if command is not None:
                self._submit(job, command)
            elif getattr(job, "is_norun", False):
                self.report_job_submission(SubmittedJobInfo(job), register_job=False)
                self.report_job_success(SubmittedJobInfo(job))
            elif not job.is_group() and is_sent(job):
                self._start_program(job, self._sent)
            elif not job.is_group() and self._commands.is_of_workflow(job):
                self._start_program(job, self._programs)
            else:
                self._local.run_jobs([job])

    def run_job(self, job: Any) -> None:
        """Take one job."""
        self.run_jobs([job])

    def _start_program(self, job: Any, programs: Programs) -> None:
        """Start a program of the workflow, which replaces its results in one step.

        Not by the local executor, which deletes them first, and looks each input up among the outputs of all jobs
        before: for a table of ten thousand scores, that takes minutes.
        """
        self.printjob(job)
        self.report_job_submission(SubmittedJobInfo(job), register_job=False)
        for log in job.log:
            Path(log).parent.mkdir(parents=True, exist_ok=True)
        programs.start(job.shellcmd, lambda failure: self._tell_program(job, failure))

    def _tell_program(self, job: Any, failure: str | None) -> None:
        if failure is None:
            self.report_job_success(SubmittedJobInfo(job))
        else:
            self.report_job_error(SubmittedJobInfo(job), msg=failure)

    def _submit(self, job: Any, command: StageCommand) -> None:
        # Not `job.prepare()`, which would delete the text of before: the runner replaces it when the new one is there.
        # Nor is the job registered: the runner leaves no half text that a later run would have to mistrust.
        self.report_job_submission(SubmittedJobInfo(job), register_job=False)
        if self._is_first_job:
            # Not before: Snakemake puts its own handler of SIGTERM in place after it has made its executor.
            self._is_first_job = False
            self._interruption.listen()
        if self._runner is None:
            raise WorkflowError(f"{job.name}: the process that makes generations is gone.")
        self._submitted[job.jobid] = job
        self._runner.submit(job.jobid, command.arguments)

    def _start_runner(self) -> None:
        """Have a process for the generations before the first job: one that the rules started ahead, or a new one."""
        jobs = self.workflow.dag.needrun_jobs()
        commands = (self._commands.of(job) for job in jobs if not job.is_group())
        command = next(filter(None, commands), None)
        started = self._settings.take_started(command)
        if command is None:
            return
        if started is None:
            started = StartedRunner(command.program, command.arguments, new_run_id(), self.cores)
        self._run_id = started.run_id
        self._runner = RunnerProcess(started, self._reporter.take, self._start_watch)
        self._reporter.start(self._runner.runs_short)

    def _start_watch(self, journal: str) -> None:
        """Show progress from now on: the first calls are about to start."""
        from daydreaming.watch.run_events import run_started

        if not self._is_part_of_a_run:
            counts = Counter(stage for stage, _ in self._planned)
            totals = {stage: counts[stage] for stage in stages_of(self.workflow.rules) if counts[stage]}
            run_started(self.logger, Path(journal), self._run_id, totals)

    def _tell(self, results: Results) -> None:
        """Tell Snakemake, and the user, what came of some generations. Called by the reporter's thread."""
        from daydreaming.watch.run_events import generation_failed

        for ticket, failure in results:
            job = self._submitted.pop(ticket)
            if failure is None:
                # Where the clock was set back since an input was made, Snakemake would stop the run.
                bring_back_from_the_future(job.input)
                self.workflow.scheduler.finish_callback(job)
                continue
            if not self.workflow.execution_settings.keep_going:
                # Of what waits in the runner's process nothing may be paid for any more.
                self._stop_calling()
            if not failure.was_stopped:
                stage, gen_id = generation_of(job)
                generation_failed(self.logger, f"{stage} {gen_id} failed, {failure.message}", (stage, gen_id))
                self.logger.debug(failure.trace)
            self.workflow.scheduler.error_callback(job)

    def _stop_calling(self) -> None:
        if self._runner is not None:
            self._runner.stop_calling()

    def cancel(self) -> None:
        """Called after Ctrl-C: start no further call, and keep what those in flight bring.

        A second Ctrl-C changes nothing but says so; a third gives the calls in flight up.
        """
        self._interruption.cancelling(self._give_up_calls)
        self._stop_calling()
        if self._runner is not None:
            self._runner.wait()
        self._sent.stop()
        self._local.cancel()
        self._end()

    def _give_up_calls(self) -> None:
        if self._runner is not None:
            self._runner.kill()

    def shutdown(self) -> None:
        """Called when nothing runs any more, however the run went."""
        self._local.shutdown()
        self._end()

    def _end(self) -> None:
        from daydreaming.watch.run_events import run_ended

        self._programs.close()
        self._sent.close()
        if self._runner is not None:
            if not self._is_part_of_a_run:
                wants_scores = any(
                    is_score_table(job) for job in self.workflow.dag.needrun_jobs(exclude_finished=False)
                )
                run = RunEnd(tuple(self._planned), wants_scores, time.monotonic() - self._started)
                run_ended(self.logger, self._runner.end(run))
            self._runner.close()
            self._reporter.stop()
            self._runner = None
        self._interruption.end()

    # What Snakemake asks of executors that start processes of its own; jobs that need one are the local executor's.

    def get_python_executable(self) -> str:
        """The interpreter of spawned jobs."""
        return str(self._local.get_python_executable())

    def get_exec_mode(self) -> ExecMode:
        """The mode of spawned jobs."""
        return ExecMode.SUBPROCESS

    @property
    def cores(self) -> int:
        """How many calls may be in flight: the number of `-j`."""
        return self.workflow.resource_settings.cores or 1

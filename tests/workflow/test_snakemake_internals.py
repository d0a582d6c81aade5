"""Parts of Snakemake that it promises to nobody and that rules/ leans on: these tests fail when a version moves them.

A tiny workflow of its own, so that a failure here means Snakemake and not us.
"""

import inspect
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import snakemake.api  # isort: skip  (its parts import each other: this one has to be first)
import snakemake.common
import snakemake.rules
from snakemake.dag import DAG
from snakemake.executors.local import Executor
from snakemake.jobs import Job
from snakemake.persistence.file import FilePersistence

from studies.study import BIN, environment

JOBS = 6
SNAKEFILE = f"""
import json, threading
from snakemake.logging import logger

TIMERS = []
make_timer = threading.Timer.__init__

def counted(timer, *arguments, **options):
    TIMERS.append(timer)
    make_timer(timer, *arguments, **options)

threading.Timer.__init__ = counted
FACTS = {{}}

rule all:
    input: expand("made/{{number}}", number=range({JOBS}))

rule make:
    output: "made/{{number}}"
    run:
        Path(output[0]).write_text("made")

onstart:
    FACTS["limiter"] = type(workflow.scheduler.job_rate_limiter).__name__
    FACTS["handlers"] = [handler.name for handler in logger.handlers]
    FACTS["threads"] = workflow.execution_settings.use_threads
    FACTS["main"] = workflow.is_main_process
    if config.get("stop_limiter"):
        workflow.scheduler.job_rate_limiter = None

onsuccess:
    FACTS["timers"] = len(TIMERS)
    Path("facts.json").write_text(json.dumps(FACTS))
"""


def facts(folder: Path, *arguments: str) -> dict:
    (folder / "Snakefile").write_text(f"from pathlib import Path\n{SNAKEFILE}")
    command = [BIN / "snakemake", "-j2", "--force-use-threads", "--scheduler", "greedy", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((folder / "made").iterdir())) == JOBS
    return json.loads((folder / "facts.json").read_text())


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return facts(tmp_path_factory.mktemp("untouched"))


def test_the_terminal_handler_has_its_name(untouched: dict):
    assert "DefaultStreamHandler" in untouched["handlers"]


def test_a_workflow_knows_that_it_runs_in_threads_and_in_the_main_process(untouched: dict):
    assert untouched["threads"] is True
    assert untouched["main"] is True


def test_the_rate_limiter_is_there_and_starts_timers(untouched: dict):
    assert untouched["limiter"] == "JobRateLimiter"
    assert untouched["timers"] > 0


def test_without_the_rate_limiter_all_jobs_run_and_no_timer_starts(tmp_path: Path):
    stopped = facts(tmp_path, "--config", "stop_limiter=1")
    assert stopped["timers"] < JOBS


def parameters(function: Callable) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_what_is_replaced_in_snakemake_is_still_there():
    assert inspect.iscoroutinefunction(Job.remove_existing_output)
    assert parameters(Job.remove_existing_output) == ["self"]
    assert inspect.iscoroutinefunction(DAG.handle_log)
    assert parameters(DAG.handle_log) == ["self", "job"]
    assert "if self.is_pipe_or_service_input(f)" in inspect.getsource(Job.prepare)
    assert parameters(Job.is_pipe_or_service_input) == ["self", "path"]
    assert "get_function_params(func)" in inspect.getsource(snakemake.rules)
    assert "get_function_params(func)" in inspect.getsource(snakemake.common.get_input_function_aux_params)


def test_jobs_that_are_ready_are_a_set_that_the_scheduler_goes_through():
    assert "self._ready_jobs = set()" in inspect.getsource(DAG.__init__)
    assert "return self._ready_jobs" in inspect.getsource(DAG.ready_jobs.fget)
    used = set(re.findall(r"_ready_jobs(?:\.(\w+)| (-=))", inspect.getsource(DAG)))
    assert {name or operator for name, operator in used} == {"add", "clear", "remove", "update", "-="}


def test_the_executor_hands_out_futures_and_is_told_of_their_end():
    assert parameters(Executor.run_single_job) == ["self", "job"]
    assert parameters(Executor._callback) == ["self", "job_info", "future"]
    assert parameters(Executor.cancel) == ["self"]
    assert "future = self.run_single_job(job)" in inspect.getsource(Executor.run_job)
    assert "self.workflow.async_run(job.prepare())" in inspect.getsource(Executor.job_args_and_prepare)


def test_records_are_written_where_ours_are():
    assert parameters(FilePersistence._mark_incomplete) == ["self", "key", "external_jobid"]
    assert parameters(FilePersistence._unmark_incomplete) == ["self", "key"]
    assert parameters(FilePersistence._get_recorded_starttime) == ["self", "key"]
    assert parameters(FilePersistence._write_record) == ["self", "key", "record"]
    assert parameters(FilePersistence._record_path) == ["self", "subject", "id"]
    assert parameters(FilePersistence._conda_env) == ["self", "job"]
    assert parameters(FilePersistence._io_write) == ["self", "subject", "json_value", "id", "mode"]

"""Parts of Snakemake that it promises to nobody and that rules/ leans on: these tests fail when a version moves them.

A tiny workflow of its own, so that a failure here means Snakemake and not us.
"""

import json
import subprocess
from pathlib import Path

import pytest

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


def test_what_is_replaced_in_snakemake_is_still_there():
    import inspect

    import snakemake.rules
    from snakemake.jobs import Job

    assert inspect.iscoroutinefunction(Job.remove_existing_output)
    assert list(inspect.signature(Job.remove_existing_output).parameters) == ["self"]
    assert "get_function_params(func)" in inspect.getsource(snakemake.rules)

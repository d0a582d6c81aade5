"""Snakemake's API: in a thread, and twice in one process with two data roots; nothing stays changed behind it."""

from __future__ import annotations

import json
import sys

from studies import Study
from studies.study import PROJECT

PROGRAM = f"""
import json, os, signal, sys, threading
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, ResourceSettings, StorageSettings
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

def state():
    handlers = [str(signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    return [*handlers, dict(os.environ), os.getcwd()]

def run(folder, data):
    with SnakemakeApi(OutputSettings()) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=4),
            config_settings=ConfigSettings(config={{"data_root": data}}),
            storage_settings=StorageSettings(),
            snakefile=Path({str(PROJECT / "Snakefile")!r}),
            workdir=Path(folder),
        )
        dag = workflow.dag(dag_settings=DAGSettings(targets={{"evaluations"}}))
        dag.execute_workflow(executor="daydreaming", executor_settings=executor_settings)

executor_settings = ExecutorPluginRegistry().get_plugin("daydreaming").settings_cls()
folder = sys.argv[1]
before = state()
failures = []

def guarded(data):
    try:
        run(folder, data)
    except BaseException as error:
        failures.append(repr(error))

for data in ("data", "other"):
    thread = threading.Thread(target=guarded, args=(data,))
    thread.start()
    thread.join()
guarded("data")
after = state()
print(json.dumps([failures, [a == b for a, b in zip(before, after)], before, after]))
"""


def test_runs_in_a_thread_and_twice_in_one_process(make_study, tmp_path):
    study: Study = make_study()
    other = Study(study.folder, study.provider, study.folder / "other")
    (study.folder / "other").mkdir()
    import shutil

    shutil.copytree(study.data, study.folder / "other", dirs_exist_ok=True)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    run = study.command("python", str(program), str(study.folder))
    failures, same, before, after = json.loads(run.output.strip().splitlines()[-1])
    assert failures == []
    # The signal handler of Snakemake's own scheduler, which the last run of the main thread leaves, is not ours.
    assert same[1:] == [True, True, True], (before, after)
    for one in (study, other):
        assert len(one.parsed_texts()) == 3
    assert run.outcomes == {"draft thread: made": 1, "essay copied: copied": 1, "evaluation novelty: made": 1}
    assert sys.executable

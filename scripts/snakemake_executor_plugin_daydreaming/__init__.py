"""Snakemake's executor for this project: one long-lived process makes all generations, many calls at a time.

A call to a model is waiting, not computing, and a process for each costs more than a second of CPU. A job whose command
invokes `run_stage.py` is handed, with the same arguments, to one process that serves it; the workflow's other programs
are processes; everything else is run by Snakemake's local executor. The rules know nothing of this: with any other
executor they run as they are written.
"""

from snakemake_interface_executor_plugins.settings import CommonSettings

from snakemake_executor_plugin_daydreaming.executor import Executor
from snakemake_executor_plugin_daydreaming.executor_settings import ExecutorSettings

__all__ = ["Executor", "ExecutorSettings", "common_settings"]

common_settings = CommonSettings(
    # Jobs run here, and -j64 means 64 at a time.
    non_local_exec=False,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
)

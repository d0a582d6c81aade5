# What Snakemake writes down about each generation, as far as it has to: tests/workflow/ guards what is replaced.

import stat
import time

import orjson
from snakemake.dag import DAG
from snakemake.persistence.file import FilePersistence

from daydreaming.base.atomic import write_all


class GenerationPersistence(FilePersistence):
    """Snakemake's records in files, without a marker for each generation that is being made.

    The marker tells a later run that the text may be half a text. The runner replaces texts whole, so that there is none
    to mistrust, and creating and deleting ten thousand files costs more than it seems: the inodes of deleted files are
    in the way of new ones for minutes (ext4).
    """

    def _mark_incomplete(self, key, external_jobid):
        if is_generation(key):
            self._started_at[key] = time.time()
        else:
            super()._mark_incomplete(key, external_jobid)

    def _get_recorded_starttime(self, key):
        return self._started_at.get(key) or super()._get_recorded_starttime(key)

    def _unmark_incomplete(self, key):
        # One from a time when there were markers, or from a run without threads, may be there.
        if self._started_at.pop(key, None) is None or self._had_markers:
            super()._unmark_incomplete(key)

    def _conda_env(self, job):
        return super()._conda_env(job) if job.rule.conda_env else None

    def _write_record(self, key, record):
        self._io_write(self._metadata_path, record.__dict__, key)

    def _io_write(self, subject, json_value, id, mode=0o660):
        path = self._record_path(subject, id)
        content = orjson.dumps(json_value)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            write_all(descriptor, content)
            os.fchmod(descriptor, stat.S_IMODE(os.fstat(descriptor).st_mode) | mode)
        finally:
            os.close(descriptor)


def is_generation(path):
    """Whether an output is the text of a generation."""
    return path.startswith(f"{GENS}/")


def keep_fewer_records():
    """Use the records above where Snakemake's records are files, and make no empty log of what went well."""
    if type(workflow.persistence) is FilePersistence:
        workflow.persistence.__class__ = GenerationPersistence
        workflow.persistence._started_at = {}
        workflow.persistence._had_markers = was_interrupted()

    handle_log = DAG.handle_log

    async def handle_other_log(dag, job):
        if job.name not in STAGES:
            await handle_log(dag, job)

    DAG.handle_log = handle_other_log


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


def skip_search_for_pipes():
    """Do not search the inputs of a job for pipes and outputs of services: no rule here has any.

    Snakemake looks each input up among the outputs of each job before, which is quadratic: minutes for the table of ten
    thousand scores.
    """
    Job.is_pipe_or_service_input = lambda job, path: False

# Targets on a cluster: the generations that are open go out in slices of whole chains. Each slice is one job of the cluster,
# in which an ordinary, local Snakemake keeps many calls in flight. Only profiles/slurm/Snakefile includes this file; the
# functions of the same names in common.smk, freshness.smk and watching.smk are for runs on one machine.

import platform
import subprocess
import time

from daydreaming.cohort.slices import Slice, plan_slices
from daydreaming.watch.slurm import SliceJob, check_no_job_is_alive, job_name, made_by_run, slices_text

SLICES = ".snakemake/slices"
LOGS = "logs/slurm"
TARGETS = {f"{stage}s": stage for stage in STAGES}
# Clients of NFS may take a file for missing that another node has written, until what they remember is a minute old.
VISIBLE_WITHIN_S = 90

# For the commands of the profile, wherever the run was started.
os.environ["DAYDREAMING_SLURM"] = str(PROJECT / "profiles/slurm")
os.environ["DAYDREAMING_SLURM_JOB"] = job_name(Path.cwd())


wildcard_constraints:
    run=r"[A-Za-z0-9_-]+",
    target="|".join(TARGETS),
    number=r"\d+",
    count_of_slices=r"\d+",


def whole_graph_is_wanted():
    """Whether every generation counts as open. What has to see the whole graph can do so in the slices' own runs."""
    return SETTINGS.full_dag


def check_options():
    """Refuse what would not reach the slices: they are runs of their own."""
    dag = workflow.dag_settings
    if dag.forceall or dag.forcetargets or dag.forcerun or dag.until or dag.omit_from or dag.batch:
        raise WorkflowError(
            "-F, -f, -R, --until, --omit-from and --batch do not reach the slices of a cluster. To make generations "
            "again, delete their parsed.txt (stored replies are read again), or run without --profile profiles/slurm."
        )


@cache
def slices(target):
    """The slices that have work for a target, each with its open generations."""
    check_options()
    stages = STAGES[: STAGES.index(TARGETS[target]) + 1]
    open_keys = [key for key in study().membership.generations if key[0] in stages and is_open(key)]
    return plan_slices(study().membership, open_keys, SETTINGS.generations_per_slice)


def slice_file(target, slice_, suffix):
    """A file of one slice of this run. No other run has the same: what an earlier one left hides no work."""
    run = os.environ["DAYDREAMING_RUN"]
    return f"{SLICES}/{run}-{target}-{slice_.number}-of-{slice_.count}{suffix}"


def made_slices(target):
    """The marker that all slices of a target were made; none where nothing is open."""
    return [f"{SLICES}/{os.environ['DAYDREAMING_RUN']}-{target}.done"] if slices(target) else []


def parsed_texts(*stages):
    """Returns what stands for the texts of the stages' generations: the marker of their slices."""
    target = f"{max(stages, key=STAGES.index)}s"
    return lambda wildcards: [str(study().cohort_files.membership), *made_slices(target)]


changed_evaluations = evaluations_to_score


def evaluations_to_score(wildcards):
    """Returns what has to be there before the scores are made."""
    return made_slices("evaluations") or changed_evaluations(wildcards)


def slice_of_job(wildcards):
    """The slice that a job makes."""
    return Slice(int(wildcards.number), int(wildcards.count_of_slices))


def work_of_slice(wildcards):
    """Returns what a slice would make, in words; the job on the cluster has no need to look for it again."""
    if not workflow.is_main_process:
        return ""
    keys = slices(wildcards.target)[slice_of_job(wildcards)]
    counts = [(stage, sum(key[0] == stage for key in keys)) for stage in STAGES]
    return ", ".join(f"{count:,} open {stage}s" for stage, count in counts if count)


def make_slice(wildcards, calls):
    """Run an ordinary Snakemake on a slice, with the configuration of this run; what it says goes to the job's log."""
    given = workflow.config_settings.config_args or []
    files = [str(path) for path in workflow.overwrite_configfiles or []]
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(PROJECT / "Snakefile"), "--directory", "."]
    command += ["--workflow-profile", str(PROJECT / "profiles/default"), "--nolock", f"-j{calls}"]
    command += ["--configfile", *files] if files else []
    command += ["--config", *given, f"slice={slice_of_job(wildcards)}", "--", wildcards.target]
    print(f"Slice {slice_of_job(wildcards)} on {platform.node()}, {calls} calls in flight", flush=True)
    finished = subprocess.run(command, env={**os.environ, "DAYDREAMING_RUN": wildcards.run})
    if finished.returncode != 0:
        raise WorkflowError(f"slice {slice_of_job(wildcards)}: not all generations were made.")


def wait_until_visible(target):
    """Wait until this machine sees every text that the slices have made elsewhere."""
    paths = [study().paths.parsed_text(*key) for keys in slices(target).values() for key in keys]
    deadline = time.monotonic() + VISIBLE_WITHIN_S
    while paths := [path for path in paths if not Path(path).exists()]:
        if time.monotonic() > deadline:
            raise WorkflowError(
                f"The slices have ended well, but {len(paths)} texts are not seen here: {paths[0]}, ..."
            )
        time.sleep(1)


# Short file names: Snakemake names its records by them.
rule slice:
    output:
        done=SLICES + "/{run}-{target}-{number}-of-{count_of_slices}.done",
    params:
        work=work_of_slice,
    message:
        "Slice {wildcards.number} of {wildcards.count_of_slices} for {wildcards.target}: {params.work}"
    run:
        make_slice(wildcards, resources.calls)
        Path(output.done).touch()


rule all_slices:
    input:
        slices=lambda wildcards: [slice_file(wildcards.target, one, ".done") for one in slices(wildcards.target)],
    output:
        done=SLICES + "/{run}-{target}.done",
    message:
        "All slices for {wildcards.target}"
    run:
        wait_until_visible(wildcards.target)
        Path(output.done).touch()


def targets_of_run():
    """The targets that this run makes slices for."""
    return {job.wildcards.target for job in workflow.dag.needrun_jobs() if job.rule.name == "slice"}


def planned_generations():
    """The generations that this run plans to make."""
    return [key for target in targets_of_run() for keys in slices(target).values() for key in keys]


def job_of_slice(target, slice_):
    """The Slurm job that made a slice, as submit.sh has left its id."""
    id_file = Path(slice_file(target, slice_, ".job"))
    job_id = id_file.read_text().strip() if id_file.exists() else ""
    state = [PROJECT / "profiles/slurm/state.sh", job_id]
    said = subprocess.run(state, capture_output=True, text=True).stdout.strip() if job_id else ""
    return SliceJob(job_id, said, Path(LOGS) / f"{job_id}.log")


def tell_slices():
    """Tell of each slice what became of it."""
    made = made_by_run(study().cohort_files.journal, os.environ["DAYDREAMING_RUN"])
    for target in sorted(targets_of_run()):
        jobs = {one: job_of_slice(target, one) for one in slices(target)}
        logger.warning(slices_text(slices(target), jobs, made))


onstart:
    stop_rate_limiter()
    skip_search_for_pipes()
    stop_safely_on_sigterm()
    if targets_of_run():
        checked(check_no_job_is_alive, os.environ["DAYDREAMING_SLURM_JOB"])
    quiet_terminal()
    if run_watch() is not None:
        run_watch().start()


def remove_markers():
    """Remove what only this run needs."""
    for marker in Path(SLICES).glob(f"{os.environ['DAYDREAMING_RUN']}-*"):
        marker.unlink()


onsuccess:
    end_watch()
    remove_markers()


onerror:
    end_watch()
    tell_slices()
    remove_markers()

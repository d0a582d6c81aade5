"""The workflow on a real Slurm: what it makes, and what becomes of it when jobs, nodes or the controller fail."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster_study import ClusterStudy, requests, wait_for_calls
from fault_study import finish, repeated
from slurm_cluster import SlurmCluster

from provider import Provider, faults
from studies import Choice
from studies.study import PROJECT

BRANCHED = Choice(
    essays=("developed", "copied"),
    combos=(("sleep", "tides"), ("sleep", "maps"), ("tides", "maps"), ("sleep", "tides", "maps")),
    config={
        "stages": {
            "critique": {"parent": "essay"},
            "revision": {"parent": "critique", "sees": ["essay"]},
            "second_evaluation": {"parent": "revision", "makes": "score", "templates": "evaluation_templates.csv"},
            "comparison": {"parent": "essay", "makes": "preference"},
        }
    },
    added={"critique": ("weak",), "revision": ("tighten",), "comparison": ("which",)},
)
MakeStudy = Callable[..., ClusterStudy]
TWO_SLICES = ("--config", "generations_per_slice=12")


@pytest.fixture(autouse=True)
def no_request_is_repeated(provider: Provider):
    """Whatever happened in a test: no request was sent again whose reply had arrived."""
    yield
    assert repeated(provider.ledger()) == []


def test_forty_chains_and_a_cancelled_job(cluster: SlurmCluster, make_study: MakeStudy, provider: Provider) -> None:
    local = make_study(40, name="local")
    local_calls = local.run("-j64").calls
    provider.reset_ledger()
    study = make_study(40)
    slices = ("--config", "generations_per_slice=60")

    plan = study.on_cluster("-n", *slices)
    assert "Slice 1 of 2 for evaluations" in plan.output
    assert sum(int(word) for word in counted(plan.output, "open drafts")) == 40
    assert plan.calls == () and cluster.jobs() == []

    process = study.start_on_cluster(*slices)
    first, _ = sorted(cluster.wait_for_jobs(2), key=int)
    wait_for_calls(provider, 30, process)
    cluster.cancel(first)
    code, output = finish(process)
    assert code == 1
    assert f"Slurm job {first}: CANCELLED" in output
    assert ": COMPLETED)" in output
    assert not study.paths.cohort("c1").scores.exists()

    study.on_cluster(*slices)
    assert study.parsed_texts() == local.parsed_texts()
    assert scores(study) == scores(local)
    assert requests(provider.ledger()) == requests(local_calls)
    assert study.on_cluster("-n").did_nothing
    assert study.run("-n").did_nothing


def test_each_target_makes_its_stage(cluster: SlurmCluster, make_study: MakeStudy) -> None:
    study = make_study(2)
    assert study.on_cluster("drafts").outcomes == {"draft thread: made": 2}
    settings = study.folder.parent / "more.yaml"
    settings.write_text("stages: {essay: {temperature: 0.1}}\n")
    made = study.on_cluster("essays", "--configfile", str(settings))
    assert made.outcomes == {"essay developed: made": 2}
    assert {call.body["temperature"] for call in made.calls} == {0.1}
    one = study.rows("evaluation")[0]
    single = study.on_cluster(str(study.files(one).parsed.relative_to(study.folder)), "--configfile", str(settings))
    assert single.outcomes == {"evaluation novelty: made": 1}
    assert study.on_cluster("scores", "--configfile", str(settings)).outcomes == {"evaluation novelty: made": 1}
    assert study.paths.cohort("c1").scores.exists()


def test_stages_that_branch_and_comparisons_are_made_once_by_one_job_a_slice(
    cluster: SlurmCluster, tmp_path: Path, provider: Provider
) -> None:
    """Essays are judged, revised and judged again, and compared: three targets that need the same drafts."""
    study = ClusterStudy.create(tmp_path / "branched", provider, BRANCHED)
    study.build()
    membership = study.paths.cohort("c1").membership.read_text().splitlines()[1:]
    slices = ("--config", "generations_per_slice=30")
    plan = study.on_cluster("-n", *slices)
    assert "for evaluations, second_evaluations, comparisons" in plan.output
    assert len(set(re.findall(r"Slice \d+ of (\d+)", plan.output))) == 1

    run = study.on_cluster(*slices)
    copies = sum(count for outcome, count in run.outcomes.items() if outcome.endswith(": copied"))
    assert sum(run.outcomes.values()) == len(membership)
    assert len(run.calls) == len(membership) - copies
    assert len(re.findall(r"external jobid '\d+'", run.output)) == 2
    assert study.paths.cohort("c1").scores.exists()
    assert study.paths.cohort("c1").preferences.exists()
    assert study.on_cluster("-n").did_nothing
    assert study.run("-n").did_nothing


def test_limits_and_budget_hold_over_jobs(cluster: SlurmCluster, make_study: MakeStudy, provider: Provider) -> None:
    study = make_study(16, budget_calls=40, endpoints={"local": {"max_concurrency": 6}})
    run = study.on_cluster("--config", "generations_per_slice=24", code=1)
    assert run.output.count("Slurm job ") >= 4  # two when they are sent, two in the end
    assert len(run.calls) == 40
    assert provider.stats().peak_in_flight == 6
    assert "Raise budget_usd or budget_calls" in run.output


def test_a_failed_generation_fails_its_slice_alone(
    cluster: SlurmCluster, make_study: MakeStudy, provider: Provider
) -> None:
    study = make_study(8, max_failed_fraction=0.5)
    provider.script([faults.fault_status(400, prompt_contains="essay developed", first=1)])
    run = study.on_cluster(*TWO_SLICES, code=1)
    assert run.outcomes["evaluation novelty: made"] == 7
    assert "Failed generations: 1" in run.output
    assert run.output.count(": COMPLETED)") == run.output.count(": FAILED)") == 1
    assert "Results were made although 1 of 8 evaluations" in run.output
    log = next(path for path in (study.folder / "logs/slurm").glob("*.log") if "failed, [api]" in path.read_text())
    assert str(log.relative_to(study.folder)) in run.output
    assert study.on_cluster().outcomes == {"essay developed: made": 1, "evaluation novelty: made": 1}


def test_a_refused_submission_costs_nothing(cluster: SlurmCluster, make_study: MakeStudy) -> None:
    study = make_study(2)
    run = study.on_cluster("--set-resources", "slice:mem_mb=9999999", code=1)
    assert "not submitted" in run.output
    assert "sbatch: error" in run.output
    assert run.calls == () and cluster.jobs() == []
    assert len(study.on_cluster().calls) == 6


def test_a_job_over_its_time(cluster: SlurmCluster, make_study: MakeStudy, provider: Provider) -> None:
    study = make_study(8)
    study.configure(endpoints={"local": {"timeout_s": 100}})
    provider.script([faults.fault_hang(100, prompt_contains="evaluation")])
    run = study.on_cluster("--set-resources", "slice:runtime=1", code=1)
    assert ": TIMEOUT)" in run.output
    assert "16 of 24 generations made" in run.output
    provider.script([])
    assert study.on_cluster().outcomes == {"evaluation novelty: made": 8}


def test_the_controller_goes_away_and_comes_back(
    cluster: SlurmCluster, make_study: MakeStudy, provider: Provider
) -> None:
    study = make_study(8)
    provider.script([faults.reply_slowly(2.0)])
    process = study.start_on_cluster()
    wait_for_calls(provider, 8, process)
    cluster.stop_controller()
    wait_for_calls(provider, 16, process)
    cluster.start()
    code, output = finish(process)
    assert code == 0, output
    assert provider.calls == 24


def test_a_node_goes_away(cluster: SlurmCluster, make_study: MakeStudy, provider: Provider) -> None:
    study = make_study(8)
    # Otherwise Slurm queues the job again by itself, but after two minutes.
    process = study.start_on_cluster("--set-resources", "slice:slurm_extra='--no-requeue'")
    wait_for_calls(provider, 8, process)
    cluster.take_node_down()
    code, output = finish(process)
    cluster.bring_node_back()
    assert code == 1
    assert ": NODE_FAIL)" in output
    study.on_cluster()
    assert len(study.parsed_texts()) == 24


def test_ctrl_c_cancels_the_jobs(cluster: SlurmCluster, make_study: MakeStudy, provider: Provider) -> None:
    study = make_study(8)
    process = study.start_on_cluster()
    wait_for_calls(provider, 8, process)
    process.send_signal(signal.SIGINT)
    code, output = finish(process)
    assert code == 1, output
    cluster.wait_until_idle()
    study.on_cluster()
    assert len(study.parsed_texts()) == 24


def test_jobs_that_outlive_their_run_keep_another_one_out(
    cluster: SlurmCluster, make_study: MakeStudy, provider: Provider
) -> None:
    study = make_study(8)
    provider.script([faults.reply_slowly(8.0)])
    process = study.start_on_cluster()
    wait_for_calls(provider, 8, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    (job,) = cluster.jobs()
    study.run("--unlock")
    refused = study.on_cluster(code=1)
    assert f"scancel {job}" in refused.output
    cluster.wait_until_idle()
    finished = study.on_cluster()
    assert finished.calls == () and finished.outcomes == {}
    assert study.paths.cohort("c1").scores.exists()
    # What the killed run left does not make later ones look at the whole graph.
    assert study.run("-n").did_nothing


def test_it_runs_from_the_project_as_the_readme_says(cluster: SlurmCluster, make_study: MakeStudy) -> None:
    """In the project folder, Snakemake reads profiles/default after the cluster's profile, and takes its executor."""
    study = make_study(8)
    run = study.command("snakemake", *in_project(study), *TWO_SLICES, cwd=PROJECT)
    assert len(run.calls) == 24
    assert len(re.findall(r"Slurm job \d+, log", run.output)) == 2
    assert set(run.outcomes.values()) == {8}
    assert "8 made" in run.output
    assert study.paths.cohort("c1").scores.exists()
    assert study.command("snakemake", *in_project(study), "-n", cwd=PROJECT).did_nothing


def test_a_job_that_is_cancelled_fails_its_slice_alone_from_the_project(
    cluster: SlurmCluster, make_study: MakeStudy, provider: Provider
) -> None:
    study = make_study(8)
    provider.script([faults.reply_slowly(2.0)])
    process = study.start_on_cluster(*TWO_SLICES, arguments=in_project(study), folder=PROJECT)
    first, _ = sorted(cluster.wait_for_jobs(2), key=int)
    wait_for_calls(provider, 4, process)
    cluster.cancel(first)
    code, output = finish(process)
    assert code == 1
    assert f"Slurm job {first}: CANCELLED" in output
    assert ": COMPLETED)" in output


@pytest.mark.parametrize("to_all", [False, True])
def test_ctrl_c_in_the_project_cancels_the_jobs(
    cluster: SlurmCluster, make_study: MakeStudy, provider: Provider, to_all: bool
) -> None:
    study = make_study(8)
    provider.script([faults.reply_slowly(2.0)])
    process = study.start_on_cluster(*TWO_SLICES, arguments=in_project(study), folder=PROJECT)
    wait_for_calls(provider, 4, process)
    (os.killpg if to_all else os.kill)(process.pid, signal.SIGINT)
    code, output = finish(process)
    assert code == 1, output
    assert "Traceback" not in output
    cluster.wait_until_idle()
    assert len(list(study.paths.replies.rglob("*.json"))) == len(requests(provider.ledger())) < 24


def test_options_that_do_not_reach_the_slices_are_refused(cluster: SlurmCluster, make_study: MakeStudy) -> None:
    run = make_study(2).on_cluster("--forceall", code=1)
    assert "do not reach the slices" in run.output
    assert run.calls == ()


def in_project(study: ClusterStudy) -> tuple[str, ...]:
    """The arguments of a run that is started in the project folder, as the README says it."""
    return "--profile", "profiles/slurm", "--directory", str(study.folder)


def counted(output: str, what: str) -> list[str]:
    """The numbers before a word, as in `20 open drafts`, once for each slice that `-n` shows."""
    lines = [line for line in output.splitlines() if what in line]
    return [line.partition(f" {what}")[0].split()[-1] for line in lines]


def scores(study: ClusterStudy) -> str:
    """The table of scores."""
    table: Path = study.paths.cohort("c1").scores
    return table.read_text(encoding="utf-8")

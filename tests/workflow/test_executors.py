"""The same study by different executors: the same files, the configuration of the run in every process, `-j` calls."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from provider import Provider, faults
from studies import Choice, Study
from studies.study import PROJECT

LOCAL = ("--executor", "local", "--logger", "daydreaming")


def files_of(study: Study) -> dict[str, str]:
    """The texts of all generations: prompts, replies and results."""
    texts = [path for name in ("prompt", "raw", "parsed") for path in study.paths.gens.glob(f"*/*/{name}.txt")]
    return {str(path.relative_to(study.data)): path.read_text(encoding="utf-8") for path in sorted(texts)}


@pytest.fixture
def own_provider():
    """A provider that nobody else calls: what it has seen is of one study alone."""
    with Provider(latency_s=0.3) as started:
        yield started


def test_the_local_executor_makes_the_same_files(finished: Study, tmp_path: Path, provider: Provider):
    choice = {"drafts": ("thread",), "essays": ("copied", "developed"), "evaluations": ("novelty",)}
    here, there = (Study.create(tmp_path / name, provider, Choice(**choice)) for name in ("plugin", "local"))
    for study in (here, there):
        study.build()
    by_plugin, by_local = here.run("-j4"), there.run("-j2", *LOCAL)
    assert by_local.outcomes == by_plugin.outcomes
    assert files_of(there) == files_of(here)
    assert "Each generation is a process of its own" in by_local.output
    assert by_local.output.count("Run of cohort c1") == 1
    for again in (LOCAL, ()):
        assert there.run("-n", *again).did_nothing


def test_options_of_the_command_line_hold_in_every_process(make_study, tmp_path: Path):
    study = make_study()
    extra = tmp_path / "other.yaml"
    extra.write_text("stages: {draft: {max_tokens: 77}}\n", encoding="utf-8")
    options = ["-j2", "--configfile", str(extra)]
    offline = study.run(*options, *LOCAL, "--config", "offline=true", code=1)
    assert offline.calls == ()
    assert "offline is true" in offline.output
    limited = study.run("drafts", *options, *LOCAL, "--config", "budget_calls=1")
    assert [call.body["max_tokens"] for call in limited.calls] == [77]
    refused = study.run(*options, *LOCAL, "--config", "budget_calls=1", code=1)
    assert refused.calls == ()
    assert "budget_calls is 1" in refused.output
    # The same configuration by the plugin finds what the local executor has made.
    assert study.run("-n", "drafts", "--configfile", str(extra)).did_nothing


@pytest.mark.parametrize("executor", [(), LOCAL], ids=["plugin", "local"])
def test_as_many_calls_are_in_flight_as_the_command_says(executor, tmp_path: Path, own_provider: Provider):
    chains = {"replicates": {"draft": 5}, "stages": {"draft": {"seed": 1}}}
    study = Study.create(tmp_path / "study", own_provider, Choice(config=chains))
    study.build()
    if not executor:
        own_provider.script([faults.reply_together(3)])
    study.run("-j3", *executor, "--", "drafts")
    assert own_provider.stats().peak_in_flight <= 3
    if not executor:
        assert own_provider.stats().peak_in_flight == 3


def test_options_of_snakemake_see_the_whole_graph(finished: Study, tmp_path: Path):
    study = finished.copy(tmp_path / "study")
    assert study.run("--summary").output.count("parsed.txt") == len(study.parsed_texts())
    before = study.parsed_texts()
    touched = study.run("-j2", "--touch")
    assert touched.calls == ()
    assert study.parsed_texts() == before
    assert study.run("-n").did_nothing
    cut = study.run("-n", "--batch", "evaluations=1/2", "evaluations")
    assert cut.calls == ()
    assert study.run("-n", "--until", "draft").did_nothing


SUBMIT = """#!/bin/bash
bash "${@: -1}" >"$PWD/job-$$.log" 2>&1 &
echo $!
"""
STATUS = """#!/bin/bash
kill -0 "$1" 2>/dev/null && { echo running; exit; }
echo success
"""


def program(folder: Path, name: str, text: str) -> str:
    """Write a program for the cluster of this test, whose nodes are this machine."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_cluster_runs_the_rules_as_they_are_written(make_study, tmp_path: Path):
    study = make_study()
    submit, status = program(tmp_path, "submit", SUBMIT), program(tmp_path, "status", STATUS)
    cluster = ("--executor", "cluster-generic", "--cluster-generic-submit-cmd", submit)
    cluster += ("--cluster-generic-status-cmd", status, "--seconds-between-status-checks", "1")
    # Snakemake does not quote its interpreter in scripts of jobs, and this environment's path may have a space.
    (tmp_path / "environment").symlink_to(Path(sys.executable).parents[1])
    snakemake = (
        str(tmp_path / "environment/bin/python"),
        "-m",
        "snakemake",
        "-s",
        str(PROJECT / "Snakefile"),
        "-d",
        ".",
    )
    run = study.command(*snakemake, "evaluations", "-j2", *cluster, "--config", "budget_calls=5")
    assert run.outcomes == {"draft thread: made": 1, "essay copied: copied": 1, "evaluation novelty: made": 1}
    assert study.run("-n", "evaluations").did_nothing


def test_a_target_with_priority_and_the_report_of_snakemake(make_study):
    study = make_study(evaluations=("novelty", "soundness"))
    first = f"data/gens/evaluation/{study.rows('evaluation')[1].gen_id}/parsed.txt"
    run = study.run("-j1", "--prioritize", first, "--", "all")
    assert len(run.calls) == 3
    study.run("--report", "snakemake-report.html")
    assert (study.folder / "snakemake-report.html").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("executor", "target"),
    [((), "all"), (LOCAL, "drafts"), pytest.param(LOCAL, "all", marks=pytest.mark.full_set)],
    ids=["plugin", "local-drafts", "local-all"],
)
def test_an_environment_and_a_project_whose_paths_have_spaces(executor, target, tmp_path: Path, provider: Provider):
    study = Study.create(tmp_path / "my study", provider, Choice())
    study.build()
    (tmp_path / "my environment").symlink_to(Path(sys.executable).parents[1])
    python = str(tmp_path / "my environment" / "bin" / "python")
    snakemake = (python, "-m", "snakemake", "-s", str(PROJECT / "Snakefile"), "-d", ".")
    run = study.command(*snakemake, "-j2", *executor, "--", target)
    later = {"essay copied: copied": 1, "evaluation novelty: made": 1}
    assert run.outcomes == {"draft thread: made": 1, **(later if target == "all" else {})}
    assert study.paths.cohort("c1").report.is_file() == (target == "all")

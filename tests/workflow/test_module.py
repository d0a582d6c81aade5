"""Another workflow uses this one as a module: the same requests, the same files; with the plugin, the same speed."""

from __future__ import annotations

from pathlib import Path

import pytest

from provider import Provider
from studies import Choice, Study
from studies.study import PROJECT

SNAKEFILE = f"""
configfile: "config.yaml"

module daydreaming:
    snakefile: "{PROJECT / "Snakefile"}"
    config: config

use rule * from daydreaming as dd_*

rule best:
    input: scores="data/cohorts/c1/reports/parsed_scores.csv"
    output: "best.txt"
    shell: "echo $(($(wc -l < {{input.scores}}) - 1)) scores > {{output}}"
"""
WITHOUT_PLUGIN = ("-j4", "--force-use-threads", "--scheduler", "greedy", "--rerun-triggers", "mtime", "params")


@pytest.fixture
def using(make_study) -> Study:
    """A folder of its own whose Snakefile uses the workflow, with a few settings of its own."""
    study: Study = make_study()
    (study.folder / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")
    return study


def test_a_module_makes_the_requests_of_the_workflow_itself(using: Study, tmp_path: Path, provider: Provider):
    plan = using.command("snakemake", "-n", "best", *WITHOUT_PLUGIN)
    assert "dd_evaluation" in plan.output
    assert plan.calls == ()

    run = using.command("snakemake", "best", *WITHOUT_PLUGIN)
    assert run.outcomes == {"draft thread: made": 1, "essay copied: copied": 1, "evaluation novelty: made": 1}
    assert "Each generation is a process of its own" in run.output
    assert (using.folder / "best.txt").read_text() == "1 scores\n"
    assert using.command("snakemake", "best", *WITHOUT_PLUGIN).did_nothing

    itself = Study.create(tmp_path / "itself", provider, Choice())
    itself.build()
    # Settings that the folder's config.yaml leaves out have the values that the workflow's own has.
    assert [call.body for call in itself.run("-j2").calls] == [call.body for call in run.calls]

    using.edit(using.template("evaluation", "novelty"), "End with", "Close with")
    assert using.command("snakemake", "dd_scores", *WITHOUT_PLUGIN).asked == {"evaluation novelty": 1}
    assert using.command("snakemake", "dd_all", *WITHOUT_PLUGIN).calls == ()


def test_one_line_of_set_up_brings_progress_summary_and_speed(using: Study):
    written = using.command("python", str(PROJECT / "scripts" / "write_profile.py"), ".")
    assert "profiles/default" in written.output
    again = using.command("python", str(PROJECT / "scripts" / "write_profile.py"), ".", code=1)
    assert "is there already" in again.output
    run = using.command("snakemake", "-j4", "best")
    assert run.output.count("Run of cohort c1") == 1
    assert "Each generation is a process of its own" not in run.output
    assert (using.folder / "best.txt").read_text() == "1 scores\n"
    assert using.command("snakemake", "-n", "best").did_nothing

"""Another workflow uses this one as a module: the same requests, the same files; with the plugin, the same speed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from provider import Provider
from studies import Choice, Study
from studies.study import PROJECT, environment

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
    plan = using.snakemake("-n", "best", *WITHOUT_PLUGIN)
    assert "dd_evaluation" in plan.output
    assert plan.calls == ()

    run = using.snakemake("best", *WITHOUT_PLUGIN)
    assert run.outcomes == {"draft thread: made": 1, "essay copied: copied": 1, "evaluation novelty: made": 1}
    assert "Each generation is a process of its own" in run.output
    assert (using.folder / "best.txt").read_text() == "1 scores\n"
    assert using.snakemake("best", *WITHOUT_PLUGIN).did_nothing

    itself = Study.create(tmp_path / "itself", provider, Choice())
    itself.build()
    # Settings that the folder's config.yaml leaves out have the values that the workflow's own has.
    assert [call.body for call in itself.run("-j2").calls] == [call.body for call in run.calls]

    using.edit(using.template("evaluation", "novelty"), "End with", "Close with")
    assert using.snakemake("dd_scores", *WITHOUT_PLUGIN).asked == {"evaluation novelty": 1}
    assert using.snakemake("dd_all", *WITHOUT_PLUGIN).calls == ()


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


def test_the_commands_of_the_document_make_a_study_in_an_empty_folder(tmp_path: Path, provider: Provider):
    def run(*blocks: str, folder: Path) -> str:
        script = ["bash", "-ec", "\n".join(blocks)]
        variables = {**environment(), "DAYDREAMING": str(PROJECT)}
        done = subprocess.run(script, cwd=folder, env=variables, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    text = (PROJECT / "docs" / "own-folder.md").read_text(encoding="utf-8")
    making, *working = [block.replace("\n    ", "\n") for block in re.findall(r"\n((?:    .*\n|\n(?=    ))+)", text)]
    folder = tmp_path / "my-study"
    run(making, folder=tmp_path)
    # The commands are the document's; the scripted provider answers in place of the embedded model, for it is quicker.
    answers = {"endpoints": {"embedded": {"kind": "openai", "base_url": provider.base_url, "max_concurrency": 8}}}
    with (folder / "config.yaml").open("a", encoding="utf-8") as config:
        config.write(yaml.safe_dump(answers))
    output = run(*working, folder=folder)
    assert "All inputs are fine." in output
    assert output.count("Run of cohort mine") == 1
    assert "Each generation is a process of its own" not in output
    assert len((folder / "first_scores.csv").read_text().splitlines()) == 4
    assert (folder / "data/7_cross_experiment/parsed_scores.csv").is_file()

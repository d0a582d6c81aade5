"""Another workflow uses this one as a module, and asks for what it makes."""

from __future__ import annotations

from studies import Study
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
    run:
        lines = Path(input.scores).read_text().splitlines()[1:]
        Path(output[0]).write_text(f"{{len(lines)}} scores")
"""
OPTIONS = ("-j4", "--force-use-threads", "--scheduler", "greedy", "--rerun-triggers", "mtime", "params")


def test_a_workflow_that_uses_this_one_makes_a_cohort(make_study):
    study: Study = make_study()
    (study.folder / "Snakefile").write_text(f"from pathlib import Path\n{SNAKEFILE}", encoding="utf-8")

    plan = study.command("snakemake", "-n", "best", *OPTIONS)
    assert "dd_evaluation" in plan.output
    assert plan.calls == ()

    run = study.command("snakemake", "best", *OPTIONS)
    assert run.outcomes == {"draft thread: made": 1, "essay copied: copied": 1, "evaluation novelty: made": 1}
    assert (study.folder / "best.txt").read_text() == "1 scores"
    assert study.command("snakemake", "best", *OPTIONS).did_nothing

    study.edit(study.template("evaluation", "novelty"), "End with", "Close with")
    assert study.command("snakemake", "dd_scores", *OPTIONS).asked == {"evaluation novelty": 1}
    assert study.command("snakemake", "dd_all", *OPTIONS).calls == ()

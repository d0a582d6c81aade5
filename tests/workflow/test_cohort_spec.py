"""From a spec to scores: the plan before, the membership, a run, and a change of the spec."""

from pathlib import Path

from provider import Provider
from studies import Choice, Study

SPEC = """\
axes:
  essay_template: [copied, developed]
  essay_llm: [stylist]
rules:
  pairs:
    modes:
      left: draft_template
      right: essay_template
      allowed: [[thread, copied], [contrast, developed]]
"""


def test_from_a_spec_to_scores(tmp_path: Path, provider: Provider):
    choice = Choice(drafts=("thread", "contrast"), essays=("copied", "developed"))
    study = Study.create(tmp_path / "study", provider, choice)
    models = study.data / "1_raw/llm_models.csv"
    study.edit(models, "\njudge,", "\nstylist,lab/stylist,lab,Stylist,true,false,local,1,2\njudge,")
    study.write("cohorts/c1/spec.yaml", SPEC)
    models_of_drafts = "  draft_llm: [writer]\n"
    study.edit("cohorts/c1/spec.yaml", "axes:\n", f"axes:\n{models_of_drafts}")

    plan = study.run("plan")
    assert "is not written yet" in plan.output
    assert "draft_template" in plan.output
    assert plan.calls == ()
    assert not study.paths.cohort("c1").membership.exists()

    assert "c1 (spec)" in study.run("membership").output
    run = study.run("-j8")
    assert run.outcomes == {
        "draft thread: made": 1,
        "draft contrast: made": 1,
        "essay copied: copied": 1,
        "essay developed: made": 1,
        "evaluation novelty: made": 2,
    }
    asked = {call.prompt.partition("\n")[0]: call.body["model"] for call in run.calls}
    assert asked["essay developed"] == "lab/stylist"
    assert asked["draft contrast"] == "lab/writer"
    scores = (study.paths.cohort("c1").reports / "parsed_scores.csv").read_text()
    assert scores.count("novelty,judge") == 2
    assert study.run("-n").did_nothing

    study.edit("cohorts/c1/spec.yaml", "axes:\n", "axes:\n  evaluation_replicate: 2\n")
    study.run("membership")
    assert study.run("-j8").outcomes == {"evaluation novelty: made": 2}

    chosen = study.run("select")
    assert "2 of 2 essays with a score are chosen" in chosen.output
    names = (study.data / "2_tasks/selected_essays.txt").read_text()
    assert all(row.gen_id in names for row in study.rows("essay"))


def test_a_fault_of_the_spec_stops_the_workflow_before_anything_is_made(tmp_path: Path, provider: Provider):
    study = Study.create(tmp_path / "study", provider)
    study.write("cohorts/c1/spec.yaml", "axes: {draft_template: [thred]}\n")
    run = study.run("membership", code=1)
    assert "spec.yaml, line 1, key 'axes.draft_template': there is no draft template 'thred'." in run.output
    assert not study.paths.cohort("c1").membership.exists()

"""scripts/run_stage.py alone: one generation, without Snakemake."""

import pytest

from provider import Provider, faults
from studies import Choice, Study


@pytest.fixture
def study(make_study) -> Study:
    return make_study(essays=("copied", "developed"))


def run_stage(study: Study, row, *options: str, code: int = 0):
    return study.script("run_stage.py", "--stage", row.stage, "--gen-id", row.gen_id, *options, code=code)


def test_a_chain_is_made_stage_by_stage_kept_and_overwritten_without_paying_twice(study: Study):
    draft, copy, essay = study.row("draft"), study.row("essay", "copied"), study.row("essay", "developed")
    (evaluation,) = (row for row in study.rows("evaluation") if row.parent_gen_id == essay.gen_id)
    made = [run_stage(study, row) for row in (draft, copy, essay, evaluation)]
    assert [len(run.calls) for run in made] == [1, 0, 1, 1]
    assert "from a new call" in made[0].output
    assert "made copied" in made[1].output

    before = study.snapshot(study.paths.gens)
    kept = run_stage(study, draft)
    assert "kept" in kept.output
    assert kept.calls == ()
    assert study.snapshot(study.paths.gens) == before

    overwritten = run_stage(study, draft, "--overwrite")
    assert overwritten.calls == ()
    assert "from a stored reply" in overwritten.output
    assert study.snapshot(study.paths.gens) != before
    # Snakemake agrees that what was made without it is complete, apart from the evaluation of the copy.
    assert study.run("evaluations").asked == {"evaluation novelty": 1}


def test_render_only_stops_after_the_prompt(study: Study):
    draft = study.row("draft")
    run = run_stage(study, draft, "--render-only")
    assert run.calls == ()
    assert "prompt.txt" in run.output
    assert [file.name for file in study.files(draft).folder.iterdir()] == ["prompt.txt"]
    assert study.files(draft).prompt.read_text().startswith("draft thread\nSleep: What is known of sleep.\nTides:")


def test_a_generation_without_its_parent_fails_as_such(study: Study):
    essay = study.row("essay", "copied")
    run = run_stage(study, essay, code=1)
    assert "[parent]" in run.output
    assert study.metadata(essay)["error"] == "parent"


def test_an_unknown_generation_and_a_failed_one_end_with_a_message_and_no_trace(study: Study, provider: Provider):
    run = study.script("run_stage.py", "--stage", "draft", "--gen-id", "nobody", code=1)
    assert "the cohort has no draft 'nobody'" in run.output
    provider.script([faults.fault_status(400)])
    failed = run_stage(study, study.row("draft"), code=1)
    assert "[api]" in failed.output
    assert "Traceback" not in run.output + failed.output


def test_offline_makes_no_call(study: Study):
    run = run_stage(study, study.row("draft"), "--offline", code=1)
    assert "[offline]" in run.output
    assert run.calls == ()


def test_another_folder_and_another_configuration(tmp_path, provider: Provider):
    study = Study.create(tmp_path / "study", provider, Choice(config={"cohort": "other"}))
    study.build()
    study.configure(cohort="c1")
    draft = study.rows("draft", cohort="other")[0]
    options = ["--directory", str(study.folder), "--config", "cohort=other", "--stage", "draft"]
    run = study.script("run_stage.py", *options, "--gen-id", draft.gen_id, cwd=tmp_path)
    assert len(run.calls) == 1
    assert study.metadata(draft)["cohort_id"] == "other"

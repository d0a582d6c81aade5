"""From a fresh study to scores: what is made, from what, with how many calls; and what a second run does."""

import csv
import json

import pytest
from metadata_contract import metadata_faults

from daydreaming.inputs.stages import DEFAULT_STAGES
from provider import Provider
from studies import Choice, Study


def contents(study: Study, row) -> dict[str, str | None]:
    files = study.files(row)
    return {path.stem: path.read_text() if path.exists() else None for path in (files.prompt, files.raw, files.parsed)}


def test_a_dry_run_of_a_fresh_study_names_every_job_and_its_reason_and_leaves_no_trace(make_study):
    study = make_study(essays=("copied", "developed"))
    before = study.snapshot(study.folder)
    run = study.run("-n")
    assert run.calls == ()
    for row in (row for stage in DEFAULT_STAGES.names for row in study.rows(stage)):
        _, found, rest = run.output.partition(f"output: data/gens/{row.stage}/{row.gen_id}/parsed.txt\n")
        assert found, f"{row.stage} {row.gen_id} is not in the plan:\n{run.output}"
        assert "reason: Missing output files" in rest.partition("\nrule ")[0]
    after = study.snapshot(study.folder)
    assert {path for path in after if not path.startswith(".snakemake")} == set(before)


def test_a_cohort_of_all_combinations_from_the_catalogs_to_the_scores(tmp_path, provider: Provider):
    choice = Choice(combos=None, config={"cohort": None, "k_max": 1})
    study = Study.create(tmp_path / "study", provider, choice)
    built = study.run("membership")
    (cohort,) = study.paths.cohorts.iterdir()
    assert f"{cohort.name} (cartesian)" in built.output
    assert [len(study.rows(stage, cohort=cohort.name)) for stage in DEFAULT_STAGES.names] == [3, 3, 3]
    manifest = json.loads((cohort / "manifest.json").read_text())
    assert manifest["counts"] == {"draft": 3, "essay": 3, "evaluation": 3}
    run = study.run()
    assert run.asked == {"draft thread": 3, "evaluation novelty": 3}
    assert (cohort / "reports/parsed_scores.csv").exists()


def test_a_copied_essay_is_its_draft_and_makes_no_call(finished: Study):
    for essay in finished.rows("essay", "copied"):
        (draft,) = (row for row in finished.rows("draft") if row.gen_id == essay.parent_gen_id)
        made = contents(finished, essay)
        assert made["parsed"] == contents(finished, draft)["parsed"]
        assert made["raw"] is None
        assert made["prompt"].startswith("essay copied\n")
        metadata = finished.metadata(essay)
        assert (metadata["mode"], metadata["skip_llm"], metadata["model"]) == ("copy", True, None)
        assert metadata["pass_through_from"].endswith(f"gens/draft/{draft.gen_id}/parsed.txt")


def test_each_stage_is_made_from_the_text_of_the_one_before(finished: Study):
    for essay in finished.rows("essay", "developed"):
        (draft,) = (row for row in finished.rows("draft") if row.gen_id == essay.parent_gen_id)
        assert contents(finished, draft)["parsed"].strip() in contents(finished, essay)["prompt"]
        made = contents(finished, essay)
        assert made["parsed"] == made["raw"]
        for evaluation in (row for row in finished.rows("evaluation") if row.parent_gen_id == essay.gen_id):
            assert made["parsed"].strip() in contents(finished, evaluation)["prompt"]
    for draft in finished.rows("draft"):
        assert f"<essay>\n{contents(finished, draft)['parsed'].strip()}\n</essay>" == contents(finished, draft)["raw"]


@pytest.mark.parametrize("stage", DEFAULT_STAGES.names)
def test_the_records_are_as_the_schema_says(finished: Study, stage: str):
    assert [fault for row in finished.rows(stage) for fault in metadata_faults(finished.metadata(row))] == []


def test_the_record_of_a_call_says_what_it_took(finished: Study):
    metadata = finished.metadata(finished.rows("evaluation")[0])
    usage = metadata["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    prices_usd_per_mtok = (1, 2)
    cost = usage["prompt_tokens"] * prices_usd_per_mtok[0] + usage["completion_tokens"] * prices_usd_per_mtok[1]
    assert metadata["cost_usd"] == pytest.approx(cost / 1e6)
    assert (metadata["served_model"], metadata["finish_reason"]) == ("lab/judge", "stop")
    assert metadata["request_id"].startswith("request-")
    assert finished.paths.reply(metadata["request_sha256"]).exists()


def test_an_evaluation_is_its_score_alone_and_the_table_has_them_all(finished: Study):
    with (finished.paths.cohort("c1").reports / "parsed_scores.csv").open(newline="") as stream:
        table = {row["gen_id"]: row for row in csv.DictReader(stream)}
    rows = finished.rows("evaluation")
    assert set(table) == {row.gen_id for row in rows}
    for row in rows:
        made = contents(finished, row)
        assert made["parsed"] == f"{made['raw'][-1]}.0"
        assert float(table[row.gen_id]["score"]) == float(made["parsed"])


@pytest.mark.parametrize("arguments", [[], ["-n"], ["evaluations", "-j8"]], ids=" ".join)
def test_a_finished_study_has_nothing_to_do(finished: Study, arguments: list[str]):
    before = finished.snapshot()
    assert finished.run(*arguments).did_nothing
    assert finished.snapshot() == before


def test_replicates_are_samples_of_their_own_and_copies_have_one(make_study):
    stages = {stage: {"seed": 7} for stage in DEFAULT_STAGES.names}
    replicates = dict.fromkeys(DEFAULT_STAGES.names, 2)
    study = make_study(essays=("copied", "developed"), config={"replicates": replicates, "stages": stages})
    run = study.run()
    # 2 drafts; of each 1 copy and 2 developed essays; of each essay 2 evaluations.
    assert run.asked == {"draft thread": 2, "essay developed": 4, "evaluation novelty": 12}
    assert len({call.body_sha256 for call in run.calls}) == 18
    assert len(list(study.paths.replies.glob("*/*.json"))) == 18
    assert sorted(row.replicate for row in study.rows("essay", "copied")) == [1, 1]
    assert {call.seed for call in run.calls} == {7, 8}


def test_replicates_are_paid_for_also_where_no_seed_tells_their_calls_apart(make_study):
    study = make_study(config={"replicates": {"draft": 3}})
    run = study.run("drafts")
    assert run.asked == {"draft thread": 3}
    assert len({call.body_sha256 for call in run.calls}) == 1


def test_a_curated_cohort_keeps_the_chosen_chains_and_judges_them_again(copied: Study):
    chosen = copied.rows("essay", "developed")[0]
    copied.write("2_tasks/selected_essays.txt", f"# the best one\n{chosen.gen_id}\n")
    copied.edit("1_raw/evaluation_templates.csv", "soundness,", "clarity,")
    copied.template("evaluation", "soundness").rename(copied.template("evaluation", "clarity"))
    copied.edit(copied.template("evaluation", "clarity"), "evaluation soundness", "evaluation clarity")
    copied.configure(cohort="chosen")
    assert "chosen (curated)" in copied.run("membership").output
    assert [row.gen_id for row in copied.rows("essay")] == [chosen.gen_id]
    assert [row.gen_id for row in copied.rows("draft")] == [chosen.parent_gen_id]
    run = copied.run()
    # The chain and one of its two evaluations are there already.
    assert run.outcomes == {"evaluation clarity: made": 1}
    assert run.asked == {"evaluation clarity": 1}


def test_a_membership_is_not_replaced_by_one_with_fewer_rows(copied: Study):
    copied.edit("1_raw/evaluation_templates.csv", "soundness,Soundness,llm,in_last_line,true", "")
    before = copied.snapshot()
    refused = copied.run("membership", code=1)
    assert "soundness" in refused.output
    assert "build_membership.py" in refused.output
    run = copied.script("build_membership.py", code=1)
    assert "8 rows go" in run.output
    assert "build_membership.py --force" in run.output
    assert copied.snapshot() == before

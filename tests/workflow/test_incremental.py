"""What is made again after a change: what the change concerns, what follows from it, and nothing else.

The finished study has 2 combos (sleep with tides, sleep with maps), so 4 drafts, 8 essays (4 of them copies) and 16
evaluations. Each test changes a copy of it, runs the workflow once more, and counts the provider's calls.
"""

import os
import shutil

import pytest

from studies import Study

EVALUATIONS_REUSED = {"evaluation novelty: reused": 8, "evaluation soundness: reused": 8}


def test_nothing_is_done_after_every_input_was_touched(copied: Study):
    for file in (copied.data / "1_raw").rglob("*.*"):
        os.utime(file)
    os.utime(copied.paths.cohort("c1").membership)
    os.utime(copied.folder / "config.yaml")
    assert copied.run().did_nothing


def test_nothing_is_done_after_words_and_prices_of_the_catalogs_were_edited(copied: Study):
    copied.edit("1_raw/llm_models.csv", ",Judge,", ",Judge Dredd,")
    copied.edit("1_raw/llm_models.csv", ",lab,", ",laboratory,")
    copied.edit("1_raw/llm_models.csv", "local,1,2", "local,3,4.5")
    copied.edit("1_raw/draft_templates.csv", ",Thread,", ",Red thread,")
    copied.edit("1_raw/evaluation_templates.csv", ",Novelty,", ",How new it is,")
    assert copied.run().did_nothing


def test_nothing_is_done_after_limits_were_changed(copied: Study):
    limits = {"timeout_s": 99, "max_concurrency": 3, "requests_per_minute": 600, "max_retries": 2}
    copied.configure(endpoints={"local": limits}, budget_usd=50, budget_calls=1000, retry_replies={"parse": 2})
    assert copied.run().did_nothing


def test_nothing_is_done_after_the_endpoint_was_renamed(copied: Study):
    endpoints = copied.config()["endpoints"]
    copied.configure(endpoints={"renamed": endpoints["local"]}, default_endpoint="renamed")
    copied.edit("1_raw/llm_models.csv", ",local,", ",renamed,")
    assert copied.run().did_nothing


def test_an_edited_draft_template_concerns_its_drafts_and_what_follows_and_reverted_costs_nothing(copied: Study):
    before, template = copied.parsed_texts(), copied.template("draft", "thread")
    original = template.read_text()
    copied.edit(template, "Answer with an idea", "Answer with a bold idea")
    edited = copied.run()
    assert edited.asked == {
        "draft thread": 2,
        "essay developed": 2,
        "evaluation novelty": 4,
        "evaluation soundness": 4,
    }
    after = copied.parsed_texts()
    contrast = {str(copied.files(row).parsed.relative_to(copied.data)) for row in copied.rows("draft", "contrast")}
    assert {path for path in before if path.startswith("gens/draft") and before[path] == after[path]} == contrast

    template.write_text(original)
    reverted = copied.run()
    assert reverted.asked == {}
    assert reverted.outcomes["draft thread: reused"] == 2
    assert copied.parsed_texts() == before


def test_an_edited_rubric_concerns_its_evaluations_alone(copied: Study):
    copied.edit(copied.template("evaluation", "novelty"), "End with", "Be strict. End with")
    run = copied.run()
    assert run.asked == {"evaluation novelty": 8}
    assert run.outcomes == {"evaluation novelty: made": 8}


def test_an_edited_template_of_a_copy_changes_no_text_and_costs_nothing(copied: Study):
    before = copied.parsed_texts()
    copied.edit(copied.template("essay", "copied"), "{{ draft_block }}", "As drafted: {{ draft_block }}")
    run = copied.run()
    assert run.asked == {}
    assert run.outcomes["essay copied: copied"] == 4
    assert copied.parsed_texts() == before


def test_a_changed_parser_reads_the_stored_replies_again_without_the_network(copied: Study):
    copied.edit("1_raw/evaluation_templates.csv", "novelty,Novelty,llm,in_last_line", "novelty,Novelty,llm,complex")
    run = copied.run("--config", "offline=true")
    assert run.outcomes == {"evaluation novelty: reused": 8}
    assert copied.metadata(copied.rows("evaluation", "novelty")[0])["parser_name"] == "complex"


def test_a_changed_generator_concerns_its_essays_and_what_follows(copied: Study):
    copied.edit("1_raw/essay_templates.csv", "copied,Copied,copy", "copied,Copied,llm")
    run = copied.run()
    assert run.asked == {"essay copied": 4, "evaluation novelty": 4, "evaluation soundness": 4}
    assert sum(run.outcomes.values()) == 12


def test_a_changed_model_string_concerns_what_that_model_makes(copied: Study):
    copied.edit("1_raw/llm_models.csv", "lab/judge", "lab/judge-2")
    run = copied.run()
    assert run.asked == {"evaluation novelty": 8, "evaluation soundness": 8}
    assert {call.model for call in run.calls} == {"lab/judge-2"}
    assert run.outcomes == {"evaluation novelty: made": 8, "evaluation soundness: made": 8}


def test_a_changed_temperature_concerns_its_stage(copied: Study):
    copied.configure(stages={"evaluation": {"temperature": 0.5}})
    run = copied.run()
    assert run.outcomes == {"evaluation novelty: made": 8, "evaluation soundness: made": 8}
    assert {call.body["temperature"] for call in run.calls} == {0.5}


def test_a_new_row_is_made_alone(copied: Study):
    row = copied.rows("evaluation", "novelty")[0]
    table = copied.paths.cohort("c1").membership
    with table.open("a") as stream:
        stream.write(f"evaluation,one-more,c1,{row.parent_gen_id},,novelty,judge,2\n")
    run = copied.run()
    assert run.outcomes == {"evaluation novelty: made": 1}
    assert len(run.calls) == 1
    assert (copied.paths.gens / "evaluation/one-more/parsed.txt").exists()


@pytest.mark.parametrize("text", ["descriptions-paragraph/tides.txt", None], ids=["text", "name"])
def test_an_edited_concept_concerns_the_combos_that_have_it(copied: Study, text: str | None):
    if text:
        copied.edit(f"1_raw/concepts/{text}", "What is known", "What is not known")
    else:
        copied.edit("1_raw/concepts_metadata.csv", ",Tides,", ",Tidal waters,")
    run = copied.run()
    assert run.asked == {
        "draft thread": 1,
        "draft contrast": 1,
        "essay developed": 2,
        "evaluation novelty": 4,
        "evaluation soundness": 4,
    }
    assert all("maps" not in call.prompt.lower() for call in run.calls if call.prompt.startswith("draft"))


def test_a_deleted_result_comes_back_without_a_call_and_nobody_else_makes_one(copied: Study):
    before, draft = copied.parsed_texts(), copied.rows("draft", "thread")[0]
    copied.files(draft).parsed.unlink()
    run = copied.run()
    assert run.asked == {}
    assert run.outcomes["draft thread: reused"] == 1
    assert copied.parsed_texts() == before
    assert copied.run().did_nothing


def test_a_deleted_result_comes_back_from_raw_txt_where_the_store_of_replies_is_gone_too(copied: Study):
    before, evaluation = copied.parsed_texts(), copied.rows("evaluation", "novelty")[0]
    copied.files(evaluation).parsed.unlink()
    shutil.rmtree(copied.paths.replies)
    run = copied.run()
    assert run.asked == {}
    assert run.outcomes == {"evaluation novelty: reused": 1}
    assert copied.parsed_texts() == before


def test_a_deleted_gens_folder_comes_back_without_a_call(copied: Study):
    before = copied.parsed_texts()
    shutil.rmtree(copied.paths.gens)
    run = copied.run()
    assert run.asked == {}
    assert run.outcomes == {
        "draft thread: reused": 2,
        "draft contrast: reused": 2,
        "essay copied: copied": 4,
        "essay developed: reused": 4,
        **EVALUATIONS_REUSED,
    }
    assert copied.parsed_texts() == before


def test_a_renamed_template_costs_nothing(copied: Study):
    copied.template("evaluation", "novelty").rename(copied.template("evaluation", "originality"))
    copied.edit("1_raw/evaluation_templates.csv", "novelty,", "originality,")
    copied.build(force=True)
    run = copied.run()
    assert run.asked == {}
    assert run.outcomes == {"evaluation originality: reused": 8}


def test_a_second_cohort_shares_what_is_there_and_pays_for_the_rest(copied: Study):
    rows = copied.rows("evaluation", "soundness")
    copied.edit("1_raw/evaluation_templates.csv", "soundness,", "clarity,")
    copied.template("evaluation", "soundness").rename(copied.template("evaluation", "clarity"))
    copied.edit(copied.template("evaluation", "clarity"), "evaluation soundness", "evaluation clarity")
    copied.configure(cohort="second")
    copied.build()
    run = copied.run()
    assert run.outcomes == {"evaluation clarity: made": 8}
    assert len(run.calls) == 8
    assert all(copied.files(row).parsed.exists() for row in rows)
    scores = copied.paths.cohort("second").reports / "parsed_scores.csv"
    assert len(scores.read_text().splitlines()) == 1 + 16

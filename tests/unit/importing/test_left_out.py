"""What does not come: nobody can say what it was made from, or something that it needs is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from importing_fixtures import SETTINGS, SOURCE, bring_in, ids, plan
from inputs_fixtures import settings_with, write

from daydreaming.generation.currency import State
from daydreaming.generation.inspection import inspect_cohort
from daydreaming.generation.study import load_study
from daydreaming.importing.import_text import import_text
from daydreaming.results.scores import collect_scores
from studies.original import EARLIER, Original, write_original


def half_a_record(original: Original) -> None:
    path = original.file("draft", "d_one", "metadata.json")
    path.write_bytes(path.read_bytes()[:30])


def no_record(original: Original) -> None:
    original.file("draft", "d_one", "metadata.json").unlink()


def another_record(original: Original) -> None:
    original.change_record("draft", "d_one", gen_id="d_other")


def no_template(original: Original) -> None:
    original.change_record("draft", "d_one", template_id="gone")


def no_model(original: Original) -> None:
    original.change_record("draft", "d_one", llm_model_id="gone")


def another_model(original: Original) -> None:
    original.change_record("draft", "d_one", model="lab/other")


def no_combo(original: Original) -> None:
    original.change_record("draft", "d_one", combo_id="combo_v1_gone")


def no_description(original: Original) -> None:
    (original.data / "1_raw/concepts/descriptions-paragraph/clay.txt").unlink()


def odd_replicate(original: Original) -> None:
    original.change_record("draft", "d_one", replicate="first")


def a_run_of_ours(original: Original) -> None:
    original.change_record("draft", "d_one", fingerprint="template weave@0")


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (half_a_record, "its metadata.json is damaged"),
        (no_record, "nothing says of which template"),
        (another_record, "its metadata.json is that of draft d_other"),
        (no_template, "there is no draft template gone, neither in the folder nor here"),
        (no_model, "there is no model gone"),
        (another_model, "says that lab/other wrote it, and the model poet is lab/poet:free"),
        (no_combo, "there is no combo combo_v1_gone"),
        (no_description, "its concept clay has no paragraph that describes it: write data/1_raw/concepts"),
        (odd_replicate, "has a replicate of a type that is not understood"),
        (a_run_of_ours, "a run of this workflow made it"),
    ],
)
def test_a_draft_that_cannot_be_told_is_left_out_with_all_made_from_it(trouble, reason: str, latest: Original):
    trouble(latest)
    planned = bring_in()
    assert ids(planned.left_out) == ["d_one", "e_copy_one", "e_one", "v_copy_one", "v_one"]
    assert reason in planned.left_out["draft", "d_one"]
    assert planned.left_out["evaluation", "v_one"] == "its essay e_one is left out"
    assert reason in import_text(planned)
    assert "4 generations made from those" in import_text(planned)
    assert inspect_cohort(load_study(settings_with(**SETTINGS))).counts() == {State.ADOPTED: 5}


def wrong_parent(original: Original) -> None:
    original.change_record("evaluation", "v_one", parent_gen_id="d_one")


def lost_parent(original: Original) -> None:
    original.change_record("evaluation", "v_one", parent_gen_id="e_gone")


def nameless_parent(original: Original) -> None:
    original.change_record("evaluation", "v_one", parent_gen_id=None)


def no_judge(original: Original) -> None:
    original.change_record("evaluation", "v_one", llm_model_id=None)


def other_combo(original: Original) -> None:
    original.change_record("evaluation", "v_one", combo_id="combo_v1_two")


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (wrong_parent, "its parent d_one is no essay but a draft"),
        (lost_parent, "its essay e_gone is not in the folder"),
        (nameless_parent, "nothing says which essay it was made from"),
        (no_judge, "nothing says which model wrote it"),
        (other_combo, "its combo is combo_v1_two, that of its essay combo_v1_one"),
    ],
)
def test_an_evaluation_that_cannot_be_told_is_left_out_alone(trouble, reason: str, latest: Original):
    trouble(latest)
    assert plan().left_out == {("evaluation", "v_one"): reason}


def test_table_and_record_that_contradict_each_other_are_both_named(project: None):
    original = write_original(SOURCE, EARLIER)
    original.change_record("draft", "d_one", model_id="critic")
    reason = plan().left_out["draft", "d_one"]
    assert reason == "its llm_model_id is not certain: its metadata.json says critic, the table of winter says poet"


def test_a_copy_that_is_not_its_drafts_text_is_left_out(original: Original):
    write(original.file("essay", "e_copy_one", "parsed.txt"), "Another text.\n")
    assert ids(plan().left_out) == ["e_copy_one", "v_copy_one"]
    assert "not of the text of its draft d_one" in plan().left_out["essay", "e_copy_one"]


def test_essays_of_one_template_that_are_copies_and_are_not_need_a_generator(project: None):
    original = write_original(SOURCE, EARLIER)
    original.change_record("essay", "e_copy_one", skip_llm=False, model_id="poet")
    assert "some of its essays are copies and some are not" in plan().left_out["essay", "e_copy_two"]


def test_a_reply_that_was_cut_off_is_no_text(latest: Original):
    latest.change_record("draft", "d_one", finish_reason="length")
    latest.file("draft", "d_one", "parsed.txt").unlink()
    for essay in ("e_copy_one", "e_one"):
        shutil.rmtree(latest.file("essay", essay, "raw.txt").parent)
    planned = bring_in()
    assert not Path("data/gens/draft/d_one").exists()
    (cohort,) = planned.cohorts
    assert cohort.without_text == 1
    assert "Replies that were cut off or failed there, and do not come: 1." in import_text(planned)


def test_an_evaluation_without_a_number_is_told_and_gets_no_score(latest: Original):
    write(latest.file("evaluation", "v_one", "parsed.txt"), "7 or 8")
    planned = bring_in()
    assert "Evaluations that hold no number from 0 to 10 and get no score: 1" in import_text(planned)
    scores = {row.gen_id: row for row in collect_scores(load_study(settings_with(**SETTINGS)))}
    assert (scores["v_one"].score, scores["v_one"].error) == (None, "invalid")


def test_an_empty_text_is_none(latest: Original):
    write(latest.file("draft", "d_one", "parsed.txt"), "")
    write(latest.file("draft", "d_one", "raw.txt"), "\n")
    (cohort,) = bring_in().cohorts
    assert cohort.without_text == 1
    assert not Path("data/gens/draft/d_one").exists()

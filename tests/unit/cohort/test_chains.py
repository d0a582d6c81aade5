"""Curated cohorts: chosen essays, rebuilt from their metadata, with all evaluations."""

from __future__ import annotations

from pathlib import Path

import pytest
from cohort_fixtures import EVALUATIONS, counts, faults_of_plan, make_cohort_project, metadata_file, plan, record
from inputs_fixtures import RAW, write

from daydreaming.cohort.build import CohortPlan
from daydreaming.inputs.concepts import append_combos
from daydreaming.inputs.records import Generation

SELECTION = Path("data/2_tasks/selected_essays.txt")


@pytest.fixture(autouse=True)
def earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CohortPlan:
    """An earlier cohort of which everything was generated."""
    make_cohort_project(tmp_path, monkeypatch)
    cohort = plan(cohort="earlier")
    append_combos(Path("data/combo_mappings.csv"), cohort.combos)
    for row in cohort.generations:
        record(row)
    return cohort


def test_chosen_chains_keep_their_ids_and_get_all_evaluations(earlier: CohortPlan):
    essay = next(row for row in earlier.generations if row.template_id == "write")
    write(SELECTION, f"# the good one\n\n{essay.gen_id}  # by the poet\n")
    cohort = plan(cohort="best", replicates={"draft": 5, "essay": 5, "evaluation": 2})
    assert cohort.mode == "curated"
    assert counts(cohort) == {"draft": 1, "essay": 1, "evaluation": 2 * 1 * 2}
    draft, kept, *evaluations = cohort.generations
    assert (kept.gen_id, kept.parent_gen_id, kept.cohort_id) == (essay.gen_id, draft.gen_id, "best")
    assert draft.gen_id == essay.parent_gen_id
    assert [combo.combo_id for combo in cohort.combos] == [draft.combo_id]
    already_paid = {row.gen_id for row in earlier.generations if row.parent_gen_id == essay.gen_id}
    assert already_paid < {row.gen_id for row in evaluations}


def test_essays_of_one_draft_share_it(earlier: CohortPlan):
    draft = earlier.generations[0]
    siblings = [row.gen_id for row in earlier.generations if row.stage == "essay" and row.parent_gen_id == draft.gen_id]
    write(SELECTION, "\n".join(siblings))
    assert counts(plan()) == {"draft": 1, "essay": 2, "evaluation": 4}


def test_ids_of_any_form_are_kept(earlier: CohortPlan):
    combo = earlier.combos[0].combo_id
    record(Generation("draft", "by.hand_1", "old", "", combo, "plain", "poet", 3))
    record(Generation("essay", "by.hand_1", "old", "by.hand_1", "", "pass", "", 1))
    write(SELECTION, "by.hand_1\n")
    draft, essay, *_ = plan(cohort="best").generations
    assert draft == Generation("draft", "by.hand_1", "best", "", combo, "plain", "poet", 3)
    assert essay == Generation("essay", "by.hand_1", "best", "by.hand_1", combo, "pass", "", 1)


def test_the_manifest_names_the_essays_and_the_derived_id_follows_them(earlier: CohortPlan):
    first, second = [row.gen_id for row in earlier.generations if row.stage == "essay"][:2]
    write(SELECTION, f"{second}\n{first}\n")
    both = plan()
    assert both.manifest["axes"]["essays"] == sorted([first, second])
    assert "2_tasks/selected_essays.txt" in both.manifest["digests"]
    write(SELECTION, f"{first}\n{second}\n")
    assert plan().cohort_id == both.cohort_id
    write(SELECTION, f"{first}\n")
    assert plan().cohort_id != both.cohort_id


def test_every_bad_line_is_reported_with_its_number(earlier: CohortPlan):
    essays = [row for row in earlier.generations if row.stage == "essay"]
    drafts_gone, broken, odd = essays[0], essays[5], essays[9]
    metadata_file(earlier.generations[0]).unlink()
    metadata_file(broken).write_text("{")
    record(odd, replicate="1")
    lines = ["unknown", drafts_gone.gen_id, broken.gen_id, odd.gen_id, "a/b", essays[3].gen_id, essays[3].gen_id]
    write(SELECTION, "\n".join(lines))
    faults = faults_of_plan()
    assert {fault.file for fault in faults} == {str(SELECTION)}
    problems = {fault.row: fault.problem for fault in faults}
    assert set(problems) == {1, 2, 3, 4, 5, 7}
    assert "data/gens/essay/unknown/metadata.json does not exist" in problems[1]
    assert f"data/gens/draft/{drafts_gone.parent_gen_id}/metadata.json does not exist" in problems[2]
    assert "is not JSON" in problems[3]
    assert "'replicate'" in problems[4]
    assert "slash" in problems[5]
    assert "already in line 6" in problems[7]


@pytest.mark.parametrize("key", ["parent_gen_id", "template_id"])
def test_metadata_that_lack_a_link_are_reported(earlier: CohortPlan, key: str):
    essay = next(row for row in earlier.generations if row.stage == "essay")
    record(essay, **{key: None})
    write(SELECTION, essay.gen_id)
    (fault,) = faults_of_plan()
    assert fault.row == 1
    assert f"has no '{key}'" in fault.problem


def test_metadata_of_another_generation_are_reported(earlier: CohortPlan):
    essay = next(row for row in earlier.generations if row.stage == "essay")
    record(essay, gen_id="other")
    write(SELECTION, essay.gen_id)
    (fault,) = faults_of_plan()
    assert "describes something else" in fault.problem


def test_a_chain_whose_template_or_combo_is_gone_is_reported_at_its_line(earlier: CohortPlan):
    essay = next(row for row in earlier.generations if row.stage == "essay")
    draft = earlier.generations[0]
    assert essay.parent_gen_id == draft.gen_id
    record(draft, combo_id="gone")
    record(essay, template_id="gone")
    write(SELECTION, f"\n{essay.gen_id}\n")
    faults = faults_of_plan()
    assert [(fault.row, fault.column) for fault in faults] == [(2, "template_id"), (2, "combo_id")]


@pytest.mark.parametrize("text", ["", "# nothing yet\n\n"])
def test_an_empty_selection_says_what_to_do(text: str):
    write(SELECTION, text)
    (fault,) = faults_of_plan()
    assert "no essay is chosen" in fault.problem
    assert "delete the file" in fault.cure


def test_a_selection_that_is_not_utf_8_is_reported():
    write(SELECTION, b"\xff\xfe")
    (fault,) = faults_of_plan()
    assert "UTF-8" in fault.problem


def test_faults_of_the_selection_and_of_the_catalogs_come_together():
    write(SELECTION, "unknown\n")
    write(RAW / "evaluation_templates.csv", EVALUATIONS.replace("true", "false"))
    assert [Path(fault.file).name for fault in faults_of_plan()] == [
        "selected_essays.txt",
        "evaluation_templates.csv",
    ]

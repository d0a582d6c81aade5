"""A cohort with a spec keeps the ids that its table has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cohort_fixtures import make_cohort_project
from spec_fixtures import COHORT, SPEC, compiled, write_models

from daydreaming.cohort.membership import read_generations, write_membership
from daydreaming.inputs.records import Generation

TABLE = SPEC.with_name("membership.csv")
AXES = {
    "combo": {"k_of": {"concepts": ["tide"], "k": 1}},
    "draft_template": ["plain"],
    "draft_llm": ["writer"],
    "essay_template": ["pass", "write"],
    "evaluation_template": ["rubric"],
    "evaluation_llm": ["judge"],
}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_cohort_project(tmp_path, monkeypatch)
    write_models()


def rename(rows: tuple[Generation, ...]) -> list[Generation]:
    """The rows under ids of somebody else."""
    names = {(row.stage, row.gen_id): f"{row.stage}_{number}" for number, row in enumerate(rows)}
    parent = {"draft": "", "essay": "draft", "evaluation": "essay"}
    return [
        replace(
            row,
            gen_id=names[row.stage, row.gen_id],
            parent_gen_id=names.get((parent[row.stage], row.parent_gen_id), ""),
        )
        for row in rows
    ]


def test_rows_of_the_table_keep_their_ids_and_what_is_made_from_them_follows():
    theirs = rename(compiled({"axes": AXES}))
    write_membership(TABLE, theirs)
    assert list(compiled({"axes": AXES})) == theirs
    more = compiled({"axes": {**AXES, "evaluation_replicate": 2}})
    assert [row for row in more if row in theirs] == theirs
    added = [row for row in more if row not in theirs]
    assert [(row.stage, row.replicate) for row in added] == [("evaluation", 2)] * 2
    assert {row.parent_gen_id for row in added} == {row.gen_id for row in theirs if row.stage == "essay"}
    # What was added once is there under the same id.
    write_membership(TABLE, more)
    assert compiled({"axes": {**AXES, "evaluation_replicate": 2}}) == more


def test_a_copy_is_a_copy_whatever_its_row_says_of_model_and_replicate():
    theirs = [
        replace(row, llm_model_id="poet", replicate=3) if row.template_id == "pass" else row
        for row in rename(compiled({"axes": AXES}))
    ]
    write_membership(TABLE, theirs)
    assert list(compiled({"axes": AXES})) == theirs


@pytest.mark.parametrize("change", [{"llm_model_id": "poet"}, {"replicate": 2}, {"template_id": "bold"}])
def test_what_is_another_generation_lends_no_id(change: dict[str, str]):
    ours = compiled({"axes": AXES})
    write_membership(TABLE, [replace(rename(ours)[0], **change)])
    assert compiled({"axes": AXES}) == ours


def test_of_two_rows_that_are_the_same_the_one_with_our_id_counts():
    ours = compiled({"axes": AXES})
    write_membership(TABLE, [*rename(ours), *ours])
    assert compiled({"axes": AXES}) == ours


def test_a_table_that_cannot_be_read_lends_none():
    ours = compiled({"axes": AXES})
    TABLE.write_text("stage,gen_id\ndraft,d\n")
    assert compiled({"axes": AXES}) == ours


def test_rows_have_the_name_of_the_cohort():
    write_membership(TABLE, [replace(row, cohort_id="other") for row in rename(compiled({"axes": AXES}))])
    assert {row.cohort_id for row in compiled({"axes": AXES})} == {COHORT}
    assert {row.cohort_id for row in read_generations(TABLE)} == {"other"}

from __future__ import annotations

from pathlib import Path

import pytest
from inputs_fixtures import COMBO_HEADER, RAW, make_project, settings_with, write

from daydreaming.base.errors import Fault, InputError
from daydreaming.cohort.membership import (
    COLUMNS,
    Membership,
    load_membership,
    membership_difference,
    read_generations,
    write_membership,
)
from daydreaming.inputs.catalogs import load_catalogs
from daydreaming.inputs.concepts import load_combos
from daydreaming.inputs.records import Generation

TABLE = Path("data/cohorts/first/membership.csv")
HEADER = "stage,gen_id,cohort_id,parent_gen_id,combo_id,template_id,llm_model_id,replicate"
DRAFT = "draft,d1,first,,pair,plain,writer,1"
ESSAY = "essay,e1,first,d1,,write,writer,1"
COPY = "essay,e2,first,d1,pair,pass,,1"
EVALUATION = "evaluation,v1,first,e1,,rubric,judge,2"
CHAIN = (DRAFT, ESSAY, COPY, EVALUATION)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_project(tmp_path, monkeypatch)
    pair = "pair,v1,tide,paragraph,2,\npair,v1,loom,paragraph,2,\n"
    other = "other,v1,moss,paragraph,2,\nother,v1,loom,paragraph,2,\n"
    write("data/2_tasks/selected_combo_mappings.csv", COMBO_HEADER + pair + other)


def load(*rows: str, header: str = HEADER, cohort_id: str = "first") -> Membership:
    write(TABLE, "\n".join([header, *rows]) + "\n")
    return load_written(cohort_id)


def load_written(cohort_id: str = "first") -> Membership:
    settings = settings_with(k_max=2)
    catalogs = load_catalogs(settings)
    return load_membership(settings, catalogs, load_combos(settings, catalogs), cohort_id)


def faults_of(*rows: str, header: str = HEADER) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        load(*rows, header=header)
    assert {fault.file for fault in caught.value.faults} == {str(TABLE)}
    assert all(fault.cure for fault in caught.value.faults)
    return caught.value.faults


def only_fault(*rows: str) -> Fault:
    faults = faults_of(*rows)
    assert len(faults) == 1, faults
    return faults[0]


def test_rows_come_in_the_order_of_the_file_and_know_their_chains():
    membership = load(EVALUATION, COPY, ESSAY, DRAFT)
    assert list(membership.generations) == [("evaluation", "v1"), ("essay", "e2"), ("essay", "e1"), ("draft", "d1")]
    assert [essay.gen_id for essay in membership.stage("essay")] == ["e2", "e1"]
    evaluation = membership.get("evaluation", "v1")
    assert evaluation == Generation("evaluation", "v1", "first", "e1", "", "rubric", "judge", 2)
    assert [row.gen_id for row in membership.chain(evaluation)] == ["d1", "e1", "v1"]
    assert membership.parent(evaluation) == membership.get("essay", "e1")
    assert membership.parent(membership.get("draft", "d1")) is None


def test_the_same_id_may_name_a_draft_and_its_essay():
    membership = load(DRAFT, "essay,d1,first,d1,,write,writer,1")
    assert [row.stage for row in membership.chain(membership.get("essay", "d1"))] == ["draft", "essay"]


def test_asking_for_an_unknown_generation_is_a_clear_error():
    with pytest.raises(InputError, match=r"first.*no essay 'nope'"):
        load(*CHAIN).get("essay", "nope")


@pytest.mark.parametrize("cell", ["", ",", ",1"])
def test_the_replicate_is_1_where_it_is_absent(cell: str):
    row = "draft,d1,first,,pair,plain,writer" + cell
    header = HEADER if cell else HEADER.removesuffix(",replicate")
    assert load(row, header=header).get("draft", "d1").replicate == 1


def test_byte_order_mark_and_windows_line_ends_are_fine():
    write(TABLE, "\ufeff" + "\r\n".join([HEADER, *CHAIN]) + "\r\n")
    assert len(load_written().generations) == 4


def test_an_inactive_template_may_be_used_if_it_has_a_text():
    row = DRAFT.replace("plain", "old")
    fault = only_fault(row)
    assert (fault.row, fault.column) == (2, "template_id")
    assert "old.txt" in fault.cure
    write(RAW / "generation_templates/draft/old.txt", "An older prompt.")
    assert load(row).get("draft", "d1").template_id == "old"


def test_a_missing_table_names_the_command_that_builds_it():
    with pytest.raises(InputError) as caught:
        load_written()
    assert str(caught.value).startswith(str(TABLE))
    assert "`snakemake membership`" in str(caught.value)


def test_a_cohort_cannot_lead_out_of_its_folder():
    with pytest.raises(InputError, match=r"config\.yaml.*cohort.*slash"):
        load_written("../first")


def test_missing_columns_are_all_named():
    header = HEADER.replace("combo_id,", "").replace("parent_gen_id,", "")
    faults = faults_of("draft,d1,first,plain,writer,1", header=header)
    assert [(fault.row, fault.column) for fault in faults] == [(1, "parent_gen_id"), (1, "combo_id")]


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        ("draft,a/b,first,,pair,plain,writer,1", "gen_id", "slash"),
        ("draft,..,first,,pair,plain,writer,1", "gen_id", "'..'"),
        ("draft,,first,,pair,plain,writer,1", "gen_id", "missing"),
        (f"draft,{'x' * 300},first,,pair,plain,writer,1", "gen_id", "has 300 characters"),
        ("sketch,d2,first,,pair,plain,writer,1", "stage", "'sketch' is not a stage"),
        (DRAFT, "gen_id", "already in row 2"),
        ("draft,d2,second,,pair,plain,writer,1", "cohort_id", "'second'"),
        ("draft,d2,first,,pair,nope,writer,1", "template_id", "no draft template 'nope'"),
        ("draft,d2,first,,pair,write,writer,1", "template_id", "no draft template 'write'"),
        ("draft,d2,first,,pair,plain,nope,1", "llm_model_id", "no model 'nope'"),
        ("draft,d2,first,,pair,plain,judge,1", "llm_model_id", "'judge' may not be used"),
        ("essay,e9,first,d1,,write,judge,1", "llm_model_id", "'judge' may not be used"),
        ("evaluation,v9,first,e1,,rubric,writer,1", "llm_model_id", "'writer' may not be used"),
        ("draft,d2,first,,pair,plain,,1", "llm_model_id", "needs a model"),
        ("essay,e9,first,d1,,write,,1", "llm_model_id", "needs a model"),
        ("essay,e9,first,d1,,pass,nope,1", "llm_model_id", "no model 'nope'"),
        ("draft,d2,first,,,plain,writer,1", "combo_id", "needs a combo"),
        ("draft,d2,first,,nope,plain,writer,1", "combo_id", "no combo 'nope'"),
        ("essay,e9,first,,,write,writer,1", "parent_gen_id", "names no parent"),
        ("evaluation,v9,first,,,rubric,judge,1", "parent_gen_id", "names no parent"),
        ("essay,e9,first,nope,,write,writer,1", "parent_gen_id", "'nope' is not in this table"),
        ("essay,e9,first,e1,,write,writer,1", "parent_gen_id", "stage 'essay'"),
        ("essay,e9,first,v1,,write,writer,1", "parent_gen_id", "stage 'evaluation'"),
        ("evaluation,v9,first,d1,,rubric,judge,1", "parent_gen_id", "stage 'draft'"),
        ("essay,e9,first,e9,,write,writer,1", "parent_gen_id", "loop"),
        ("draft,d2,first,d1,pair,plain,writer,1", "parent_gen_id", "a draft has no parent"),
        ("essay,e9,first,d1,other,write,writer,1", "combo_id", "'d1' has 'pair'"),
        ("evaluation,v9,first,e1,other,rubric,judge,1", "combo_id", "'d1' has 'pair'"),
        ("draft,d2,first,,pair,plain,writer,0", "replicate", "'0'"),
        ("draft,d2,first,,pair,plain,writer,-1", "replicate", "'-1'"),
        ("draft,d2,first,,pair,plain,writer,1.0", "replicate", "'1.0'"),
        ("draft,d2,first,,pair,plain,writer," + "9" * 5000, "replicate", "999"),
    ],
)
def test_a_bad_row_is_reported_with_row_column_and_cure(row: str, column: str, problem: str):
    fault = only_fault(*CHAIN, row)
    assert (fault.row, fault.column) == (6, column)
    assert problem in fault.problem


def test_a_loop_of_several_rows_is_reported_in_each_of_them():
    faults = faults_of(DRAFT, "essay,e1,first,v1,,write,writer,1", "evaluation,v1,first,e1,,rubric,judge,1")
    assert [fault.row for fault in faults] == [3, 4]
    assert all("loop" in fault.problem for fault in faults)


def test_a_row_that_hangs_on_a_loop_is_not_in_it():
    faults = faults_of(DRAFT, "essay,e1,first,e1,,write,writer,1", EVALUATION)
    assert [fault.row for fault in faults] == [3]


def test_a_missing_concept_text_is_reported_once_at_the_first_draft_that_needs_it():
    write("data/2_tasks/selected_combo_mappings.csv", COMBO_HEADER + "pair,v1,salt,paragraph,1,\n")
    fault = only_fault(DRAFT, DRAFT.replace("d1", "d2"))
    assert (fault.row, fault.column) == (2, "combo_id")
    assert "descriptions-paragraph/salt.txt" in fault.cure


def test_a_value_that_many_rows_share_is_reported_once_with_their_number():
    fault = only_fault(*(f"draft,d{number},first,,pair,nope,writer,1" for number in range(50)))
    assert fault.row == 2
    assert "49 more rows" in fault.problem


def test_all_faults_are_reported_in_the_order_of_the_rows():
    faults = faults_of(
        "draft,d1,first,,pair,plain,writer,x",
        "essay,e1,second,d1,,write,nope,1",
        "essay,e/2,first,d9,,write,writer,1",
    )
    assert [(fault.row, fault.column) for fault in faults] == [
        (2, "replicate"),
        (3, "cohort_id"),
        (3, "llm_model_id"),
        (4, "gen_id"),
        (4, "parent_gen_id"),
    ]


def test_what_is_written_is_read_back():
    rows = [
        Generation("draft", "d1", "first", "", "pair", "plain", "writer", 1),
        Generation("essay", "e1", "first", "d1", "pair", "pass", "", 1),
    ]
    write_membership(TABLE, rows)
    assert read_generations(TABLE) == rows
    assert TABLE.read_text().splitlines()[0] == HEADER
    assert [path.name for path in TABLE.parent.iterdir()] == ["membership.csv"]


def test_a_second_parent_is_written_where_a_row_has_one_and_read_back():
    rows = [
        Generation("essay", "e1", "first", "d1", "pair", "pass", "", 1),
        Generation("duel", "c1", "first", "e1", "", "bolder", "judge", 1, "e2"),
    ]
    write_membership(TABLE, rows)
    assert read_generations(TABLE) == rows
    assert TABLE.read_text().splitlines()[0] == ",".join(COLUMNS) == f"{HEADER},second_parent_gen_id"


def test_a_stage_that_is_made_from_one_text_has_no_second_parent():
    rows = [f"{row},{'e1' if row.startswith('evaluation') else ''}" for row in CHAIN]
    [fault] = faults_of(*rows, header=f"{HEADER},second_parent_gen_id")
    assert (fault.row, fault.column) == (5, "second_parent_gen_id")
    assert "this evaluation is made from one text, but names a second, 'e1'." in fault.problem


def test_the_difference_of_two_tables():
    old = [Generation("draft", name, "c", "", "pair", "plain", "writer") for name in ("a", "b", "c")]
    changed = Generation("draft", "b", "c", "", "pair", "plain", "writer", replicate=2)
    new = [old[2], changed, old[0]]
    assert membership_difference(old, new) == ([changed], [old[1]])
    assert membership_difference(old, reversed(old)) == ([], [])

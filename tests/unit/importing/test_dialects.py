"""The dialects of the original project's records and tables."""

from __future__ import annotations

from pathlib import Path

from importing_fixtures import SETTINGS, SOURCE, bring_in, plan, table_rows
from inputs_fixtures import RAW, settings_with, write

from daydreaming.cohort.membership import read_generations
from daydreaming.generation.study import load_study
from daydreaming.importing.import_text import import_text
from daydreaming.ledger.metadata import read_metadata
from daydreaming.plan.planning import State, make_plan
from studies.original import EARLIER, Original, write_original


def test_generators_and_parsers_are_taken_from_the_records_where_tables_have_none(project: None):
    original = write_original(SOURCE, EARLIER)
    table = original.data / "1_raw/evaluation_templates.csv"
    write(table, "template_id\nrigor\n")
    for gen_id in ("v_one", "v_two"):
        original.change_record("evaluation", gen_id, parser_name="in_last_line")
    bring_in()
    (row,) = [row for row in table_rows(RAW / "evaluation_templates.csv") if row["template_id"] == "rigor"]
    assert (row["generator"], row["parser"]) == ("llm", "in_last_line")


def test_a_lenient_parser_becomes_its_strict_form_and_texts_stay(latest: Original):
    planned = bring_in()
    (row,) = [row for row in table_rows(RAW / "draft_templates.csv") if row["template_id"] == "weave"]
    assert row["parser"] == "essay_block"
    assert any("essay_block_lenient" in note for note in planned.notes)


def test_a_model_that_a_record_names_as_its_provider_does_is_found(latest: Original):
    latest.change_record("draft", "d_one", llm_model_id="lab/poet:free")
    bring_in()
    record = read_metadata("data/gens/draft/d_one/metadata.json").metadata
    assert (record.llm_model_id, record.model) == ("poet", "lab/poet:free")


def test_the_parent_of_a_copy_is_read_from_where_it_was_passed_through(project: None):
    original = write_original(SOURCE, EARLIER)
    place = "/home/somebody/data/gens/draft/d_one/parsed.txt"
    original.change_record("essay", "e_copy_one", parent_gen_id=None, pass_through_from=place)
    assert plan().left_out == {}


def test_a_cohort_that_evaluates_essays_of_another_gets_their_rows(latest: Original):
    write(latest.data / "cohorts/judged/membership.csv", "stage,gen_id\nevaluation,v_one\n")
    planned = bring_in()
    rows = read_generations(Path("data/cohorts/judged/membership.csv"))
    assert [row.gen_id for row in rows] == ["d_one", "e_one", "v_one"]
    assert "2 parents come with it" in import_text(planned)


def test_a_reply_without_a_parsed_text_is_read_by_the_first_run(latest: Original):
    write(latest.file("evaluation", "v_one", "raw.txt"), "Good.\nSCORE: 4\n")
    latest.file("evaluation", "v_one", "parsed.txt").unlink()
    bring_in()
    planned = make_plan(load_study(settings_with(**SETTINGS)))
    assert {one.state for one in planned.generations} == {State.ADOPTED}


def test_an_essay_template_that_nothing_says_who_writes_by_does_not_come(project: None):
    original = write_original(SOURCE, EARLIER)
    with (original.data / "1_raw/essay_templates.csv").open("a", encoding="utf-8") as table:
        table.write("unused,Unused,,,true\n")
    write(original.template("essay", "unused"), "{{ draft_block }}")
    assert "essay template unused: nothing says whether a model writes by it" in import_text(bring_in())
    assert plan().changes_nothing

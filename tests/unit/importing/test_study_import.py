"""What comes with a folder of the original project, and as what."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from importing_fixtures import SETTINGS, SOURCE, bring_in, plan, snapshot, table_rows
from inputs_fixtures import RAW, settings_with, write

from daydreaming.cohort.membership import read_generations
from daydreaming.generation.currency import State
from daydreaming.generation.inspection import inspect_cohort
from daydreaming.generation.study import load_study
from daydreaming.importing.catalog_entries import with_newlines
from daydreaming.importing.import_text import import_text
from daydreaming.importing.study_import import plan_import
from daydreaming.inputs.prompts import compile_prompt, render_prompt
from daydreaming.inputs.stages import DEFAULT_STAGES
from daydreaming.inputs.template_checks import sample_values
from daydreaming.inputs.template_sources import load_template_source
from daydreaming.inputs.templates import compile_template, render
from daydreaming.ledger.metadata import read_metadata
from daydreaming.results.scores import collect_scores
from studies.original import COHORT, Original


def test_all_of_a_folder_comes_and_is_adopted_and_scored(original: Original):
    before = snapshot(SOURCE)
    planned = bring_in()
    assert planned.left_out == {}
    study = load_study(settings_with(**SETTINGS))
    inspection = inspect_cohort(study)
    assert inspection.counts() == {State.ADOPTED: 10}
    assert [row.score for row in collect_scores(study)] == [7.0] * 4
    assert all(row.adopted and not row.error for row in collect_scores(study))
    assert snapshot(SOURCE) == before


def test_texts_come_byte_for_byte_and_records_say_where_from(original: Original):
    text = "An idea.\r\nWith “quotes” and no end\ufeff"
    write(original.file("draft", "d_one", "parsed.txt"), text)
    write(original.file("essay", "e_copy_one", "parsed.txt"), text)
    bring_in()
    for name in ("prompt.txt", "raw.txt", "parsed.txt"):
        source = original.file("draft", "d_one", name)
        assert Path("data/gens/draft/d_one", name).read_bytes() == source.read_bytes()
    record = read_metadata("data/gens/draft/d_one/metadata.json").metadata
    assert record.adopted
    assert record.imported_from == "old/gens/draft/d_one"
    assert (record.llm_model_id, record.replicate, record.finish_reason) == ("poet", 1, "stop")


def test_the_record_of_the_source_is_kept_among_the_replies(latest: Original):
    bring_in()
    (kept,) = Path("data/replies/adopted/draft/d_one").glob("*.json")
    values = json.loads(json.loads(kept.read_text())["files"]["metadata.json"]["text"])
    assert values["prompt_chars"] == 4
    assert values["usage"] == {"prompt_tokens": 5, "completion_tokens": 6}


def test_rows_are_rebuilt_with_combo_model_and_parent(original: Original):
    bring_in()
    rows = {row.gen_id: row for row in read_generations(Path(f"data/cohorts/{COHORT}/membership.csv"))}
    assert len(rows) == 10
    evaluation = rows["v_copy_two"]
    assert (evaluation.parent_gen_id, evaluation.combo_id) == ("e_copy_two", "combo_v1_two")
    assert (evaluation.template_id, evaluation.llm_model_id, evaluation.replicate) == ("rigor", "critic", 1)
    # A copy is by its draft's model, as in cohorts that are made here.
    assert rows["e_copy_two"].llm_model_id == "poet"
    assert [row.stage for row in rows.values()] == ["draft"] * 2 + ["essay"] * 4 + ["evaluation"] * 4


def test_catalogs_grow_at_their_end_and_nothing_in_them_changes(original: Original):
    tables = sorted(RAW.glob("*.csv"))
    before = {table: table.read_text() for table in tables}
    bring_in()
    for table in tables:
        assert table.read_text().startswith(before[table])
    added = table_rows(RAW / "essay_templates.csv")[-2:]
    assert [(row["template_id"], row["generator"], row["active"]) for row in added] == [
        ("tell", "llm", "false"),
        ("as-is", "copy", "false"),
    ]
    assert (RAW / "generation_templates/essay/tell.txt").read_text() == original.template("essay", "tell").read_text()


def test_a_model_may_do_what_it_did_and_nothing_else(original: Original):
    bring_in()
    models = {row["id"]: row for row in table_rows(RAW / "llm_models.csv")}
    permissions = {
        name: (models[name]["for_generation"], models[name]["for_evaluation"]) for name in ("poet", "critic")
    }
    assert permissions == {"poet": ("true", "false"), "critic": ("false", "true")}


def test_a_second_import_changes_nothing(original: Original):
    bring_in()
    before = snapshot(Path("data"))
    again = bring_in()
    assert again.changes_nothing
    assert snapshot(Path("data")) == before


@pytest.mark.parametrize("begins", ["---\n", "--- \r\n", "---\nseed: 1\n---\n", "---\n---\n"])
def test_a_text_that_begins_as_front_matter_does_is_rendered_as_there(begins: str, original: Original):
    files = {"draft": "weave", "essay": "tell", "evaluation": "rigor"}
    texts = {stage: begins + original.template(stage, name).read_text() for stage, name in files.items()}
    for stage, name in files.items():
        write(original.template(stage, name), texts[stage])
    bring_in()
    study = load_study(settings_with(**SETTINGS))
    for stage, name in files.items():
        template = study.catalogs.templates[stage][name]
        assert template.own_settings.keys() <= {"parser"}, "what its row says"
        prompt = render_prompt(compile_prompt(load_template_source(template)), sample_values(DEFAULT_STAGES[stage], 2))
        there = with_newlines(texts[stage])
        assert prompt == render(compile_template(there, name), sample_values(DEFAULT_STAGES[stage], 2))
    assert inspect_cohort(study).counts() == {State.ADOPTED: 10}
    assert bring_in().changes_nothing


def test_a_dry_run_writes_nothing(original: Original):
    before = snapshot(Path())
    import_text(plan())
    assert snapshot(Path()) == before


def test_what_was_made_again_since_is_here(latest: Original):
    bring_in()
    write("data/gens/draft/d_one/parsed.txt", "Another text, made again.\n")
    assert plan().changes_nothing


@pytest.mark.parametrize("steps", [1, 7, 20, 45])
def test_an_import_that_was_killed_goes_on(steps: int, latest: Original, monkeypatch: pytest.MonkeyPatch):
    from daydreaming.base import atomic

    left, replace = [steps], atomic.os.replace

    def killed(*arguments: object) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        replace(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(atomic.os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            bring_in()
    # No generation is there in part.
    for folder in Path("data/gens").glob("[a-z]*/*"):
        assert {"metadata.json", "parsed.txt"} <= {path.name for path in folder.iterdir()}
    bring_in()
    assert inspect_cohort(load_study(settings_with(**SETTINGS))).counts() == {State.ADOPTED: 10}
    assert not Path("data/gens/.importing").exists()


def test_an_empty_project_gets_tables(latest: Original):
    shutil.rmtree("data")
    bring_in()
    assert (
        (RAW / "draft_templates.csv").read_text().startswith("template_id,template_name,description,generator,parser")
    )
    assert inspect_cohort(load_study(settings_with(**SETTINGS))).counts() == {State.ADOPTED: 10}


def test_a_project_that_has_the_data_folder_is_as_good(latest: Original):
    shutil.move("old", "elsewhere/data")
    assert plan_import(Path("elsewhere"), settings_with(**SETTINGS)).source.root == Path("elsewhere/data")

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cohort_fixtures import DRAFTS, EVALUATIONS, MODELS, counts, faults_of_plan, make_cohort_project, plan
from inputs_fixtures import COMBO_HEADER, RAW, settings_with, write

from daydreaming.base.identifiers import generation_id
from daydreaming.cohort.build import cohort_id_for, plan_cohort
from daydreaming.cohort.membership import load_membership, write_membership
from daydreaming.inputs.catalogs import load_catalogs
from daydreaming.inputs.concepts import append_combos, load_combos


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_cohort_project(tmp_path, monkeypatch)


def replace_in(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


class TestCartesian:
    def test_all_axes_are_multiplied(self):
        cohort = plan()
        assert cohort.mode == "cartesian"
        assert counts(cohort) == {"draft": 3 * 2 * 2, "essay": 12 * 2, "evaluation": 24 * 2 * 1}
        assert len(cohort.combos) == 3
        assert {row.llm_model_id for row in cohort.generations if row.stage == "draft"} == {"writer", "poet"}
        assert {row.llm_model_id for row in cohort.generations if row.stage == "evaluation"} == {"judge"}

    def test_replicates_multiply_their_stage_but_a_copy_is_made_once(self):
        cohort = plan(replicates={"draft": 2, "essay": 3, "evaluation": 2})
        assert counts(cohort) == {"draft": 24, "essay": 24 * (1 + 3), "evaluation": 24 * 4 * 2 * 2}
        copies = [row for row in cohort.generations if row.template_id == "pass"]
        assert {row.replicate for row in copies} == {1}

    def test_children_follow_their_parents(self):
        cohort = plan()
        rows = {(row.stage, row.gen_id): row for row in cohort.generations}
        for essay in (row for row in cohort.generations if row.stage == "essay"):
            draft = rows["draft", essay.parent_gen_id]
            assert (essay.llm_model_id, essay.combo_id) == (draft.llm_model_id, draft.combo_id)

    def test_ids_are_made_of_what_a_generation_is_and_not_of_the_cohort(self):
        first, second = plan(cohort="first"), plan(cohort="second")
        assert [row.gen_id for row in first.generations] == [row.gen_id for row in second.generations]
        assert {row.cohort_id for row in second.generations} == {"second"}
        draft = first.generations[0]
        assert draft.gen_id == generation_id("draft", "plain", "writer", first.combos[0].combo_id, 1)

    def test_selected_combos_are_used_where_there_are_some(self):
        row = "mine,v1,moss,paragraph,2,\nmine,v1,tide,paragraph,2,\n"
        write("data/2_tasks/selected_combo_mappings.csv", COMBO_HEADER + row)
        cohort = plan()
        assert [combo.combo_id for combo in cohort.combos] == ["mine"]
        assert counts(cohort)["draft"] == 4
        assert "2_tasks/selected_combo_mappings.csv" in cohort.manifest["digests"]

    def test_a_selected_combo_without_text_is_a_fault_of_the_selection(self):
        write("data/2_tasks/selected_combo_mappings.csv", COMBO_HEADER + "mine,v1,salt,paragraph,1,\n")
        (fault,) = faults_of_plan()
        assert fault.file == "data/2_tasks/selected_combo_mappings.csv"
        assert "salt.txt" in fault.cure

    def test_every_empty_axis_is_reported(self):
        write(RAW / "draft_templates.csv", DRAFTS.replace("true", "false"))
        write(RAW / "evaluation_templates.csv", EVALUATIONS.replace("true", "false"))
        write(RAW / "llm_models.csv", MODELS.replace("true", "false"))
        faults = faults_of_plan(k_max=9)
        assert "k_max" in str(faults[0])
        assert [(Path(fault.file).name, fault.column) for fault in faults[1:]] == [
            ("draft_templates.csv", "active"),
            ("evaluation_templates.csv", "active"),
            ("llm_models.csv", "for_generation"),
            ("llm_models.csv", "for_evaluation"),
        ]

    def test_a_cohort_loads_as_it_was_planned(self):
        settings = settings_with(cohort="first")
        catalogs = load_catalogs(settings)
        cohort = plan_cohort(settings, catalogs)
        append_combos(settings.paths.combos, cohort.combos)
        write_membership(settings.paths.cohort("first").membership, cohort.generations)
        loaded = load_membership(settings, catalogs, load_combos(settings, catalogs), "first")
        assert tuple(loaded.generations.values()) == cohort.generations


class TestManifest:
    def test_it_says_what_the_cohort_is_made_of(self):
        manifest = plan(cohort="first", replicates={"evaluation": 2}).manifest
        assert manifest["cohort_id"] == "first"
        assert manifest["mode"] == "cartesian"
        assert manifest["counts"] == {"draft": 12, "essay": 24, "evaluation": 96}
        assert (manifest["description_level"], manifest["k_max"]) == ("paragraph", 2)
        assert manifest["axes"]["templates"]["draft"] == ["bold", "plain"]
        assert manifest["axes"]["models"] == {"generation": ["poet", "writer"], "evaluation": ["judge"]}
        assert manifest["axes"]["replicates"] == {"draft": 1, "essay": 1, "evaluation": 2}
        assert [combo["concept_ids"] for combo in manifest["axes"]["combos"].values()] == [
            ["tide", "loom"],
            ["tide", "moss"],
            ["loom", "moss"],
        ]
        assert set(manifest["digests"]) == {
            "1_raw/concepts_metadata.csv",
            "1_raw/draft_templates.csv",
            "1_raw/essay_templates.csv",
            "1_raw/evaluation_templates.csv",
            "1_raw/llm_models.csv",
        }
        json.dumps(manifest)

    def test_digests_follow_the_catalogs(self):
        before = plan().manifest["digests"]
        replace_in(RAW / "llm_models.csv", "Poet", "Bard")
        after = plan().manifest["digests"]
        assert {file for file in before if before[file] != after[file]} == {"1_raw/llm_models.csv"}


class TestCohortId:
    def test_the_configured_one_wins(self):
        settings = settings_with(cohort="mine")
        assert cohort_id_for(settings, load_catalogs(settings)) == "mine" == plan(cohort="mine").cohort_id

    def test_the_derived_one_is_that_of_the_plan(self):
        settings = settings_with()
        derived = cohort_id_for(settings, load_catalogs(settings))
        assert derived == plan().cohort_id == plan().manifest["cohort_id"]
        assert derived.startswith("cohort_")
        assert len(derived) == len("cohort_") + 12

    @pytest.mark.parametrize(
        ("file", "old", "new"),
        [("draft_templates", "bold,llm,true", "bold,llm,false"), ("llm_models", "Judge,false", "Judge,true")],
    )
    def test_another_axis_is_another_cohort(self, file: str, old: str, new: str):
        before = plan().cohort_id
        replace_in(RAW / f"{file}.csv", old, new)
        assert plan().cohort_id != before

    def test_replicates_and_concepts_are_axes(self):
        names = {plan().cohort_id, plan(k_max=1).cohort_id, plan(replicates={"draft": 2}).cohort_id}
        assert len(names) == 3

    def test_the_order_of_a_catalog_and_what_it_says_besides_are_no_axes(self):
        before = plan().cohort_id
        header, *rows = MODELS.replace("Poet", "Bard").splitlines()
        write(RAW / "llm_models.csv", "\n".join([header, *reversed(rows)]) + "\n")
        assert plan().cohort_id == before

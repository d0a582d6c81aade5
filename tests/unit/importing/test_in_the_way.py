"""What keeps an import from being written: other encodings, and other things of the same name."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from importing_fixtures import SETTINGS, SOURCE, bring_in, only_fault, plan
from inputs_fixtures import RAW, settings_with, write

from daydreaming.base.errors import InputError
from daydreaming.importing.import_text import import_text
from daydreaming.importing.study_import import plan_import
from daydreaming.importing.writing import write_import
from studies.original import COHORT, Original


@pytest.mark.parametrize("name", ["parsed.txt", "metadata.json", "prompt.txt"])
def test_a_file_in_another_encoding_is_a_fault_that_names_it(name: str, latest: Original):
    path = latest.file("draft", "d_one", name)
    path.write_bytes(path.read_bytes().rstrip(b"}\n") + " \u00e9}".encode("latin-1"))
    fault = only_fault()
    assert fault.file == str(path)
    assert plan().left_out["essay", "e_one"] == "its draft d_one is left out"
    assert "is not UTF-8 text (byte 0xe9 in line" in str(fault)
    assert "--encoding latin-1" in str(fault)
    with pytest.raises(InputError):
        write_import(plan())
    assert not Path("data/gens").exists()


def test_a_named_encoding_is_read_and_written_as_utf8(latest: Original):
    for path in (latest.file("draft", "d_one", "parsed.txt"), latest.file("essay", "e_copy_one", "parsed.txt")):
        path.write_bytes("Été\nune idée\n".encode("latin-1"))
    path = latest.data / "1_raw/concepts_metadata.csv"
    path.write_bytes("concept_id,name\nsea,Océan\nclay,Clay\nwool,Wool\n".encode("latin-1"))
    bring_in(encoding="latin-1")
    assert Path("data/gens/draft/d_one/parsed.txt").read_text(encoding="utf-8") == "Été\nune idée\n"
    assert "sea,Océan" in (RAW / "concepts_metadata.csv").read_text(encoding="utf-8")
    assert plan(encoding="latin-1").changes_nothing


def test_utf16_and_unknown_encodings_are_faults(latest: Original):
    latest.file("draft", "d_one", "parsed.txt").write_bytes("An idea".encode("utf-16-le"))
    assert "byte 0x00 in line 1" in str(only_fault())
    assert "neither UTF-8 nor klingon" in str(only_fault("klingon"))


def test_another_template_of_the_same_name_is_a_fault_that_names_both(original: Original):
    write(RAW / "draft_templates.csv", "template_id,generator,parser,active\nweave,llm,,false\nplain,llm,,true\n")
    write(RAW / "generation_templates/draft/weave.txt", "Another text.")
    message = str(only_fault())
    assert message.startswith("data/1_raw/generation_templates/draft/weave.txt: the draft template 'weave' has another")
    assert str(original.template("draft", "weave")) in message


def test_another_template_that_nothing_needs_is_in_nobodys_way(latest: Original):
    write(latest.data / "1_raw/templates/draft/plain.txt", "Another text.")
    with (latest.data / "1_raw/draft_templates.csv").open("a") as table:
        table.write("plain,Plain,,,llm\n")
    planned = bring_in()
    assert "draft template plain: here it has another text." in import_text(planned)
    assert "concept.name" not in (RAW / "generation_templates/draft/plain.txt").read_text()


def test_another_model_concept_or_combo_of_the_same_name_is_a_fault(latest: Original):
    with (RAW / "llm_models.csv").open("a") as table:
        table.write("poet,lab/other,lab,Poet,true,false,,,\n")
    assert "the model 'poet' has another model string, 'lab/other', than in old/1_raw/llm_models.csv" in str(
        only_fault()
    )
    make_again()
    with (RAW / "concepts_metadata.csv").open("a") as table:
        table.write("sea,Ocean,false\n")
    assert "the concept 'sea' has another name, 'Ocean', than in" in str(only_fault())
    make_again()
    header = "combo_id,version,concept_id,description_level,k_max,created_at\n"
    write("data/combo_mappings.csv", f"{header}combo_v1_one,v1,tide,paragraph,1,\n")
    assert "the combo 'combo_v1_one' has other concepts" in str(only_fault())


def make_again() -> None:
    from inputs_fixtures import CONCEPTS, MODELS

    write(RAW / "llm_models.csv", MODELS)
    write(RAW / "concepts_metadata.csv", CONCEPTS)


def test_another_generation_of_the_same_name_is_a_fault_that_names_both(latest: Original):
    write("data/gens/draft/d_one/parsed.txt", "Mine.\n")
    fault = only_fault()
    assert fault.file == "data/gens/draft/d_one"
    assert "than in old/gens/draft/d_one" in fault.problem
    with pytest.raises(InputError):
        write_import(plan())
    assert Path("data/gens/draft/d_one/parsed.txt").read_text() == "Mine.\n"


def test_another_cohort_of_the_same_name_is_a_fault_that_names_both(latest: Original):
    bring_in()
    table = Path(f"data/cohorts/{COHORT}/membership.csv")
    table.write_text(table.read_text().replace("tell,poet", "pass,poet"))
    faults = plan().faults
    assert {fault.file for fault in faults} == {str(table)}
    assert all("is another one than in old/cohorts/winter/membership.csv" in fault.problem for fault in faults)


def test_rows_that_were_added_here_stay(latest: Original):
    bring_in()
    table = Path(f"data/cohorts/{COHORT}/membership.csv")
    table.write_text(table.read_text() + f"evaluation,v_more,{COHORT},e_one,combo_v1_one,rigor,critic,2\n")
    text = table.read_text()
    shutil.rmtree("data/gens/evaluation/v_one")
    bring_in()
    assert table.read_text() == text
    assert Path("data/gens/evaluation/v_one/parsed.txt").exists()


def test_a_cohort_without_a_name_must_get_one_before_models_come(latest: Original):
    settings = settings_with(k_max=2)
    from daydreaming.cohort.writer import build_cohort

    build_cohort(settings)
    (fault,) = plan_import(SOURCE, settings).faults
    assert "is made of all models that may be used, and poet, critic would come" in str(fault)


def test_a_model_that_may_not_judge_here_is_not_allowed_to_by_an_import(latest: Original):
    with (RAW / "llm_models.csv").open("a") as table:
        table.write("critic,lab/critic,lab,Critic,true,false,,,\n")
    planned = plan()
    assert Counter(stage for stage, _ in planned.left_out) == {"evaluation": 4}
    assert "set for_evaluation to true in its row of data/1_raw/llm_models.csv" in import_text(planned)


def test_folders_that_are_none_or_the_same_are_refused(latest: Original):
    with pytest.raises(InputError, match="there is no gens and no 1_raw and no cohorts"):
        plan_import(RAW, settings_with(**SETTINGS))
    with pytest.raises(InputError, match="are one, or one lies in the other"):
        plan_import(Path("data"), settings_with(**SETTINGS))


def test_a_link_out_of_the_folder_is_not_followed(latest: Original, tmp_path: Path):
    secret = write(tmp_path / "secret", "a secret")
    path = latest.file("draft", "d_one", "parsed.txt")
    path.unlink()
    path.symlink_to(secret)
    assert str(only_fault()) == f"{path}: leads out of the folder. Replace the link by the file."


def test_faults_of_the_tables_are_all_told_with_file_and_row(latest: Original):
    write(latest.data / "1_raw/llm_models.csv", "id,model\npoet,a\npoet,b\n")
    write(latest.data / "1_raw/draft_templates.csv", "name\nweave\n")
    with pytest.raises(InputError) as caught:
        plan()
    places = {(fault.file, fault.row) for fault in caught.value.faults}
    assert places == {("old/1_raw/llm_models.csv", 3), ("old/1_raw/draft_templates.csv", 1)}


def test_a_study_of_other_stages_is_no_place_for_it(latest: Original):
    with pytest.raises(InputError, match="the stage 'draft', which is not here"):
        plan(stages={"draft": None, "essay": {"parent": "combos"}})
    assert plan(stages={"critique": {"parent": "essay"}}).left_out == plan().left_out

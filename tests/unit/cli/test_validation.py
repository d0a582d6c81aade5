"""Validation of all inputs at once, and the script that prints it."""

import json
import os

import pytest
from inputs_fixtures import COMBO_HEADER, DRAFTS, EVALUATIONS, MODELS, RAW, make_project, settings_with, write

import validate_inputs as script
from daydreaming.cli.validation import validate_inputs
from daydreaming.inputs.stages import DRAFT
from daydreaming.inputs.template_checks import sample_values

MEMBERSHIP = "data/cohorts/first/membership.csv"
MEMBERSHIP_HEADER = "stage,gen_id,cohort_id,parent_gen_id,combo_id,template_id,llm_model_id\n"
PAIR = "pair,v1,tide,paragraph,2,\npair,v1,moss,paragraph,2,\n"
CHAIN = "draft,d1,first,,pair,plain,writer\nessay,e1,first,d1,,pass,\nevaluation,v1,first,e1,,rubric,judge\n"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    make_project(tmp_path, monkeypatch)
    monkeypatch.setenv("OPENROUTER_API_KEY", "test-key")


@pytest.fixture
def cohort():
    write("data/combo_mappings.csv", COMBO_HEADER + PAIR)
    write(MEMBERSHIP, MEMBERSHIP_HEADER + CHAIN)


def faults(**config):
    return [str(fault) for fault in validate_inputs(settings_with(**config)).faults]


def tree(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_inputs_that_are_fine(cohort):
    validation = validate_inputs(settings_with(cohort="first"))
    assert (validation.faults, validation.remarks) == ((), ())
    assert validation.counts == {
        "active concepts": 3,
        "combos": 3,
        "models": 2,
        "templates rendered": 4,
        "membership rows": 3,
    }


def test_cohort_without_membership_is_a_remark():
    validation = validate_inputs(settings_with(cohort="first"))
    assert validation.faults == ()
    assert validation.remarks == ("The cohort first has no membership yet: `snakemake membership` builds it.",)


def test_id_of_the_cohort_is_derived_where_none_is_configured():
    validation = validate_inputs(settings_with())
    assert validation.faults == ()
    assert validation.remarks[0].startswith("The cohort cohort_")


def test_faults_of_one_file_do_not_hide_those_of_others(cohort):
    write(RAW / "concepts_metadata.csv", (RAW / "concepts_metadata.csv").read_text() + "a/b,Bad,false\n")
    write(RAW / "draft_templates.csv", DRAFTS.replace("essay_block", "guess"))
    write(RAW / "generation_templates/essay/write.txt", "{{ links }}")
    write(RAW / "evaluation_templates/rubric.txt", "{% if %}")
    write(RAW / "concepts/descriptions-paragraph/moss.txt", b"\xff\xfe")
    write("data/2_tasks/selected_combo_mappings.csv", COMBO_HEADER + "two,v1,tide,paragraph,2,\n")
    write(MEMBERSHIP, MEMBERSHIP_HEADER + CHAIN.replace("judge", "nobody"))
    (RAW / "llm_models.csv").write_text(MODELS.replace("0.5", "cheap"))
    found = faults(cohort="first")
    places = [fault.split(": ")[0] for fault in found]
    assert sorted(places) == [
        "data/1_raw/concepts/descriptions-paragraph/moss.txt",
        "data/1_raw/concepts_metadata.csv, row 6, column 'concept_id'",
        "data/1_raw/draft_templates.csv, row 2, column 'parser'",
        "data/1_raw/essay_templates.csv, row 3, column 'template_id'",
        "data/1_raw/evaluation_templates.csv, row 2, column 'template_id'",
        "data/1_raw/llm_models.csv, row 2, column 'usd_per_mtok_in'",
        "data/2_tasks/selected_combo_mappings.csv, row 2, column 'k_max'",
        "data/cohorts/first/membership.csv, row 4, column 'llm_model_id'",
    ]


def test_undefined_variable_names_row_template_line_and_name():
    write(RAW / "evaluation_templates/rubric.txt", "Judge:\n{{ rsponse }}")
    assert faults(cohort="first") == [
        "data/1_raw/evaluation_templates.csv, row 2, column 'template_id': template 'rubric' does not render. "
        "data/1_raw/evaluation_templates/rubric.txt, line 2: 'rsponse' is undefined. "
        "This template can use response: correct the name."
    ]


def test_syntax_error_of_an_inline_template_names_its_row():
    write(RAW / "essay_templates.csv", 'template_id,content,generator,active\nx,"one\n{{ draft_block",llm,true\n')
    assert faults(cohort="first")[0].startswith(
        "data/1_raw/essay_templates.csv, row 2, column 'template_id': template 'x' does not render. "
        "x (inline content of the essay template), line 2: "
    )


def test_missing_template_file_is_told_once():
    (RAW / "evaluation_templates/rubric.txt").unlink()
    (found,) = faults(cohort="first")
    assert "evaluation_templates.csv, row 2" in found
    assert "Write it to data/1_raw/evaluation_templates/rubric.txt." in found


def test_inactive_template_is_rendered_where_the_membership_uses_it(cohort):
    write(RAW / "generation_templates/draft/old.txt", "{{ nothing }}")
    assert faults(cohort="first") == []
    write(MEMBERSHIP, MEMBERSHIP_HEADER + CHAIN.replace("plain", "old"))
    (found,) = faults(cohort="first")
    assert "draft_templates.csv, row 3" in found
    assert "'nothing' is undefined" in found


def test_drafts_get_as_many_samples_as_a_combo_has_concepts():
    write(RAW / "generation_templates/draft/plain.txt", "{{ concepts[2].content }}")
    assert faults(cohort="first", k_max=3) == []
    assert "has no element 2" in faults(cohort="first", k_max=2)[0]
    assert set(sample_values(DRAFT, 1)["concepts"][0]) == {"concept_id", "name", "content"}


def test_descriptions_of_selected_combos_are_read_at_their_own_level():
    write("data/2_tasks/selected_combo_mappings.csv", COMBO_HEADER + "solo,v1,salt,article,1,\n")
    (found,) = faults(cohort="first")
    assert found.startswith(
        "data/1_raw/concepts/descriptions-article/salt.txt: the description of concept 'salt' cannot"
    )


def test_k_max_above_the_number_of_active_concepts_matters_to_cartesian_cohorts_only():
    assert "config.yaml, key 'k_max': a combo needs 9 concepts and 3 are active." in faults(cohort="first", k_max=9)[0]
    write("data/2_tasks/selected_essays.txt", "e1\n")
    assert faults(cohort="first", k_max=9) == []


def test_unreadable_catalog_of_concepts_is_the_only_fault_it_causes():
    write("data/2_tasks/selected_combo_mappings.csv", COMBO_HEADER + PAIR)
    write(RAW / "concepts_metadata.csv", "")
    (found,) = faults(cohort="first")
    assert found.startswith("data/1_raw/concepts_metadata.csv, row 1: is empty.")


def test_membership_of_a_derived_cohort_waits_for_the_inputs():
    write(RAW / "evaluation_templates.csv", EVALUATIONS.replace("in_last_line", "guess"))
    validation = validate_inputs(settings_with())
    assert len(validation.faults) == 1
    assert "membership was not checked" in validation.remarks[0]


def test_script_says_that_all_is_fine(tmp_path, capsys, cohort):
    write("config.yaml", "cohort: first\n")
    before = tree(tmp_path)
    assert script.main(["--directory", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("All inputs are fine.\n")
    assert "4  templates rendered\n" in out
    assert tree(tmp_path) == before


def test_script_prints_one_line_for_each_fault_and_changes_nothing(tmp_path, capsys, monkeypatch):
    write("config.yaml", "cohort: first\n")
    write(RAW / "draft_templates.csv", DRAFTS.replace("essay_block", "guess").replace("old,Old,llm", "plain,Old,no"))
    write(RAW / "llm_models.csv", b"id\xff")
    before = tree(tmp_path)
    monkeypatch.chdir(os.sep)
    assert script.main(["--directory", str(tmp_path)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "data/1_raw/draft_templates.csv, row 2, column 'parser'",
        "data/1_raw/draft_templates.csv, row 3, column 'template_id'",
        "data/1_raw/draft_templates.csv, row 3, column 'generator'",
        "",
        "data/1_raw/llm_models.csv, row 1",
        "",
        "4 faults in 2 files.",
        "The cohort first has no membership yet",
    ]
    assert tree(tmp_path) == before


def test_script_reports_unknown_configuration_keys(tmp_path, capsys):
    write("config.yaml", "cohort: first\nk_mx: 2\n")
    assert script.main(["--directory", str(tmp_path)]) == 1
    out = capsys.readouterr().err
    assert "'k_mx': unknown key. Did you mean 'k_max'?" in out
    assert "Nothing else was checked" in out


def test_script_takes_settings_from_the_command_line(tmp_path, capsys):
    write("config.yaml", "cohort: first\n")
    assert script.main(["--directory", str(tmp_path), "--config", "k_max=9"]) == 1
    assert "a combo needs 9 concepts" in capsys.readouterr().err


def warnings(**config):
    validation = validate_inputs(settings_with(**config))
    assert validation.faults == ()
    return [text for text in validation.remarks if text.startswith("Warning: ")]


def test_what_a_run_would_refuse_is_found(cohort):
    priceless = faults(cohort="first", budget_usd=1)
    assert [("no prices" in fault, "llm_models.csv" in fault) for fault in priceless] == [(True, True)]
    write(MEMBERSHIP, MEMBERSHIP_HEADER + CHAIN.replace("e1", "e" * 300))
    assert "has 300 characters" in faults(cohort="first")[0]


def test_a_budget_without_prices_is_found_before_a_cohort_is_built():
    (fault,) = faults(cohort="new", budget_usd=1)
    assert "the model 'judge' has no prices" in fault
    assert "llm_models.csv" in fault
    assert faults(budget_usd=1) == [fault], "also where the cohort's id is derived"
    assert faults(cohort="new", budget_calls=1) == []
    write(RAW / "llm_models.csv", MODELS.replace("embedded,,", "embedded,1,1"))
    assert faults(cohort="new", budget_usd=1) == []
    (fault,) = faults(cohort="new", budget_usd=1, stages={"draft": {"max_tokens": None}})
    assert "a draft by 'writer' may be of any length" in fault


def test_a_budget_knows_the_limit_that_each_template_has():
    write(RAW / "llm_models.csv", MODELS.replace("embedded,,", "embedded,1,1"))
    unlimited = {"cohort": "new", "budget_usd": 1, "stages": {"draft": {"max_tokens": None}}}
    text = RAW / "generation_templates/draft/plain.txt"
    assert ["may be of any length" in fault for fault in faults(**unlimited)] == [True]
    write(text, f"---\nmax_tokens: 500\n---\n{text.read_text()}")
    assert faults(**unlimited) == []
    write(text, text.read_text().replace("500", "null"))
    (fault,) = faults(cohort="new", budget_usd=1)
    assert f"{text}, line 2" in fault


def test_a_budget_needs_prices_only_of_the_models_that_would_be_called():
    write(RAW / "llm_models.csv", MODELS.replace("0.5,1.5", ",").replace("embedded,,", "embedded,1,1"))
    assert ["'writer' has no prices" in fault for fault in faults(cohort="new", budget_usd=1)] == [True]
    draft = {"stage": "draft", "gen_id": "d1", "template_id": "plain", "combo_id": "pair", "llm_model_id": "other"}
    essay = {"stage": "essay", "gen_id": "e1", "template_id": "pass", "parent_gen_id": "d1"}
    write("data/combo_mappings.csv", COMBO_HEADER + PAIR)
    write("data/2_tasks/selected_essays.txt", "e1\n")
    write("data/gens/essay/e1/metadata.json", json.dumps(essay))
    write("data/gens/draft/d1/metadata.json", json.dumps(draft))
    assert faults(cohort="new", budget_usd=1) == [], "a draft by a model that is not in the table, and its copy"
    write("data/gens/draft/d1/metadata.json", json.dumps({**draft, "llm_model_id": "writer"}))
    assert ["'writer' has no prices" in fault for fault in faults(cohort="new", budget_usd=1)] == [True]


@pytest.mark.parametrize("built", [True, False])
def test_keys_that_are_not_set_are_warnings(built, monkeypatch, request):
    if built:
        request.getfixturevalue("cohort")
    monkeypatch.delenv("OPENROUTER_API_KEY")
    monkeypatch.delenv("PORTAL_KEY", raising=False)
    endpoints = {"openrouter": {"headers": {"X-Key": "$PORTAL_KEY"}}, "embedded": {"headers": {"X-Key": "$NOT_ASKED"}}}
    texts = warnings(cohort="first", endpoints=endpoints)
    assert ["OPENROUTER_API_KEY" in texts[0], "PORTAL_KEY" in texts[1], len(texts)] == [True, True, 2]
    assert warnings(cohort="first", endpoints=endpoints, offline=True) == []


def test_replicates_that_are_the_same_request_are_counted(cohort):
    rows = "draft,d{0},first,,pair,plain,writer,{0}\nessay,e{0},first,d{0},,pass,,{0}\n"
    header = MEMBERSHIP_HEADER.replace("llm_model_id", "llm_model_id,replicate")
    write(MEMBERSHIP, header + "".join(rows.format(number) for number in (1, 2, 3)))
    assert warnings(cohort="first") == []
    (text,) = warnings(cohort="first", stages={"draft": {"temperature": 0}})
    assert "The replicates of the stage draft by 'writer' are the same request, with temperature 0 and no seed" in text
    assert "2 calls that may only repeat" in text
    assert warnings(cohort="first", stages={"draft": {"temperature": 0, "seed": 4}}) == []
    (text,) = warnings(cohort="first", stages={"draft": {"extra_body": {"seed": 4}}})
    assert "a seed in extra_body" in text


def test_replicates_are_a_warning_before_a_cohort_is_built():
    (text,) = warnings(cohort="first", replicates={"draft": 2}, stages={"draft": {"temperature": 0}})
    assert text.endswith("are the same request, with temperature 0 and no seed.")


def test_concepts_that_no_combo_uses_are_a_warning():
    assert warnings(cohort="first") == []
    write("data/2_tasks/selected_combo_mappings.csv", COMBO_HEADER + PAIR)
    (text,) = warnings(cohort="first")
    assert "1 active concept in no combo of data/2_tasks/selected_combo_mappings.csv: loom." in text


def test_templates_that_ignore_their_values_are_a_warning():
    write(RAW / "generation_templates/essay/write.txt", "Write about {draft_block}.")
    (text,) = warnings(cohort="first")
    assert "'write' uses neither draft_block nor links_block" in text


def test_the_spec_of_a_cohort_is_checked_and_its_templates_are_rendered():
    spec = "data/cohorts/designed/spec.yaml"
    write(spec, "axes: {draft_template: [nobody]}\n")
    (found,) = faults(cohort="designed")
    assert f"{spec}, line 1, key 'axes.draft_template'" in found
    write(spec, "axes: {draft_template: [old]}\n")
    write(RAW / "generation_templates/draft/old.txt", "{{ nothing }}")
    (found,) = faults(cohort="designed")
    assert "'nothing' is undefined" in found


@pytest.mark.parametrize(("judged", "faulty"), [("[judge]", True), ("[free]", False)])
def test_a_budget_needs_prices_of_the_models_that_a_spec_calls(judged, faulty):
    write(RAW / "llm_models.csv", MODELS + "free,embedded,,,false,true,embedded,0,0\n")
    write("data/cohorts/designed/spec.yaml", f"axes: {{evaluation_llm: {judged}}}\n")
    assert ["the model 'judge' has no prices" in fault for fault in faults(cohort="designed", budget_usd=1)] == [
        True
    ] * faulty


def test_a_server_that_cannot_be_started_here_is_a_remark(cohort):
    lab = {"start": "no-such-server --port {port}"}
    config = {"cohort": "first", "endpoints": {"lab": lab}, "default_endpoint": "lab"}
    (remark,) = validate_inputs(settings_with(**config)).remarks
    assert "no program 'no-such-server'" in remark
    assert "(endpoints.lab.start)" in remark
    assert validate_inputs(settings_with(**config, offline=True)).remarks == ()

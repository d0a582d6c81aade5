"""Catalogs: what is read, and the file, row and cure of each fault."""

from dataclasses import replace

import pytest
from inputs_fixtures import DRAFTS, ESSAYS, EVALUATIONS, MODELS, RAW, make_project, settings_with, write

from daydreaming.base.errors import InputError
from daydreaming.inputs.catalogs import concept_text_fault, load_catalogs, read_catalogs, template_text_fault
from daydreaming.inputs.records import Concept, Model, Template


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    make_project(tmp_path, monkeypatch)


def message():
    with pytest.raises(InputError) as caught:
        load_catalogs(settings_with())
    return str(caught.value)


def test_catalogs_are_read_in_the_order_of_the_files():
    catalogs = load_catalogs(settings_with())
    assert list(catalogs.concepts) == ["tide", "loom", "moss", "salt"]
    assert catalogs.concepts["salt"] == Concept("salt", "Salt", active=False)
    assert {stage: list(templates) for stage, templates in catalogs.templates.items()} == {
        "draft": ["plain", "old"],
        "essay": ["pass", "write"],
        "evaluation": ["rubric"],
    }
    path = "data/1_raw/generation_templates/draft/plain.txt"
    plain = Template("draft", "plain", "llm", "essay_block", True, path, None, shared_folder=RAW / "shared_templates")
    assert replace(catalogs.templates["draft"]["plain"], own_settings={}) == plain
    assert list(catalogs.models.values()) == [
        Model("writer", "acme/writer", "acme", "Writer", True, False, None, 0.5, 1.5),
        Model("judge", "acme/judge", "acme", "Judge", False, True, "embedded", None, None),
    ]


def test_data_root_can_be_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "data").rename(tmp_path / "other data")
    catalogs = load_catalogs(settings_with(data_root="other data"))
    assert catalogs.templates["evaluation"]["rubric"].path == "other data/1_raw/evaluation_templates/rubric.txt"


def test_text_comes_from_content_then_template_path_then_the_usual_place():
    write("own/text.txt", "{{ draft_block }}")
    write(
        RAW / "essay_templates.csv",
        "template_id,template_path,content,generator,active\n"
        'a,own/text.txt," {{ draft_block }}\nend\n",llm,true\n'
        "b,own/text.txt,  ,llm,true\n"
        "write,,,llm,true\n",
    )
    templates = load_catalogs(settings_with()).templates["essay"]
    assert (templates["a"].path, templates["a"].content) == (None, " {{ draft_block }}\nend\n")
    assert (templates["b"].path, templates["b"].content) == ("own/text.txt", None)
    assert templates["write"].path == "data/1_raw/generation_templates/essay/write.txt"


def test_faults_of_all_catalogs_come_together():
    write(RAW / "concepts_metadata.csv", "")
    write(RAW / "draft_templates.csv", DRAFTS.replace("old,Old,llm", "old,Old,copy"))
    (RAW / "essay_templates.csv").unlink()
    write(RAW / "llm_models.csv", MODELS.replace("0.5", "cheap"))
    files = [line.split(":")[0] for line in message().splitlines()]
    assert files == [
        "data/1_raw/concepts_metadata.csv, row 1",
        "data/1_raw/draft_templates.csv, row 3, column 'generator'",
        "data/1_raw/essay_templates.csv",
        "data/1_raw/llm_models.csv, row 2, column 'usd_per_mtok_in'",
    ]


def test_what_is_fine_can_be_read_in_spite_of_faults():
    write(RAW / "draft_templates.csv", DRAFTS.replace("llm,,false", "robot,,false"))
    reading = read_catalogs(settings_with())
    assert len(reading.faults) == 1
    assert list(reading.catalogs.templates["draft"]) == ["plain", "old"]
    assert reading.template_rows["draft", "old"] == 3


@pytest.mark.parametrize("stage", ["draft", "essay", "evaluation"])
def test_missing_column(stage):
    path = RAW / f"{stage}_templates.csv"
    write(path, path.read_text().replace("generator", "maker"))
    assert f"{path}, row 1, column 'generator': this column is missing. Add it" in message()


def test_active_not_last():
    write(RAW / "essay_templates.csv", "template_id,active,generator\npass,true,copy\n")
    assert "essay_templates.csv, row 1, column 'active': this column is not the last one. Move it" in message()


def test_unknown_generator_names_those_of_the_stage():
    write(RAW / "draft_templates.csv", DRAFTS.replace("Plain,llm", "Plain,copy"))
    write(RAW / "essay_templates.csv", ESSAYS.replace("write,llm", "write,human"))
    assert "draft_templates.csv, row 2, column 'generator': 'copy' is not known. Use llm." in message()
    assert "essay_templates.csv, row 3, column 'generator': 'human' is not known. Use llm or copy." in message()


def test_unknown_parser_names_those_of_the_stage():
    write(RAW / "evaluation_templates.csv", EVALUATIONS.replace("in_last_line", "guess"))
    write(RAW / "draft_templates.csv", DRAFTS.replace("essay_block", "in_last_line"))
    text = message()
    assert "row 2, column 'parser': 'guess' is not known. Use in_last_line or complex or json_score." in text
    assert "draft_templates.csv, row 2, column 'parser': 'in_last_line' is not known. Use " in text


def test_a_template_of_scores_with_the_parser_of_preferences():
    write(RAW / "evaluation_templates.csv", EVALUATIONS.replace("in_last_line", "preference"))
    assert (
        "row 2, column 'parser': the parser 'preference' says which of two texts is better, and the stage 'evaluation' "
        "makes no preferences. Use in_last_line or complex or json_score."
    ) in message()


def test_evaluation_template_without_parser():
    write(RAW / "evaluation_templates.csv", EVALUATIONS.replace("in_last_line", ""))
    assert "row 2, column 'parser': the cell is empty. Use in_last_line or complex or json_score." in message()
    write(RAW / "evaluation_templates.csv", "template_id,generator,active\nrubric,llm,true\n")
    assert "evaluation_templates.csv, row 1, column 'parser': this column is missing." in message()


def test_what_an_essay_template_says_of_a_parser_is_ignored():
    write(RAW / "essay_templates.csv", "template_id,generator,parser,active\npass,copy,,true\nwrite,llm,x,true\n")
    essays = load_catalogs(settings_with()).templates["essay"]
    assert [template.parser for template in essays.values()] == [None, None]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("concepts_metadata", "tide,Again,true"),
        ("draft_templates", "plain,Again,llm,,true"),
        ("evaluation_templates", "rubric,llm,complex,true"),
        ("llm_models", "writer,a/b,a,A,true,true,,,"),
    ],
)
def test_duplicate_id(name, line):
    path = RAW / f"{name}.csv"
    write(path, path.read_text() + line + "\n")
    row = len(path.read_text().splitlines())
    assert message().startswith(f"{path}, row {row}, column ")
    assert message().endswith("is already in row 2. Delete one of the rows, or rename it.")


@pytest.mark.parametrize(
    ("bad", "problem"), [("a/b", "has a slash"), ("../x", "has a slash"), ("..", "name of a folder")]
)
def test_ids_that_are_no_file_names(bad, problem):
    write(RAW / "concepts_metadata.csv", f"concept_id,name,active\ntide,Tides,true\n{bad},Bad,false\n")
    write(RAW / "essay_templates.csv", f"template_id,generator,active\n{bad},copy,false\n")
    for place in (
        "concepts_metadata.csv, row 3, column 'concept_id'",
        "essay_templates.csv, row 2, column 'template_id'",
    ):
        assert any(
            place in line and problem in line and "Use letters, digits" in line for line in message().splitlines()
        )


def test_template_file_missing_names_row_and_place():
    (RAW / "evaluation_templates/rubric.txt").unlink()
    assert message() == (
        "data/1_raw/evaluation_templates.csv, row 2, column 'template_id': the text of template 'rubric' is missing. "
        "Write it to data/1_raw/evaluation_templates/rubric.txt."
    )


def test_template_file_empty():
    write(RAW / "evaluation_templates/rubric.txt", "")
    assert "row 2, column 'template_id': the text of template 'rubric' is empty. Write it to" in message()


def test_concept_text_missing_names_row_level_and_place():
    (RAW / "concepts/descriptions-paragraph/loom.txt").unlink()
    assert message() == (
        "data/1_raw/concepts_metadata.csv, row 3, column 'concept_id': the paragraph that describes concept 'loom' is "
        "missing. Write it to data/1_raw/concepts/descriptions-paragraph/loom.txt."
    )


def test_concept_texts_are_those_of_the_configured_level():
    with pytest.raises(InputError, match="the article that describes concept 'tide' is missing"):
        load_catalogs(settings_with(description_level="article"))


def test_inactive_rows_may_lack_texts_and_are_checked_where_they_are_used():
    settings = settings_with()
    old = load_catalogs(settings).templates["draft"]["old"]
    table = settings.paths.cohort("c").membership
    assert str(template_text_fault(old, table, 7)) == (
        "data/cohorts/c/membership.csv, row 7, column 'template_id': the text of template 'old' is missing. "
        "Write it to data/1_raw/generation_templates/draft/old.txt."
    )
    fault = concept_text_fault(settings.paths, "sentence", "salt", table, 8, column="combo_id")
    assert str(fault).startswith("data/cohorts/c/membership.csv, row 8, column 'combo_id': the sentence that describes")


def test_inline_template_needs_no_file():
    template = Template("essay", "x", "llm", None, True, None, "text")
    assert template_text_fault(template, RAW / "essay_templates.csv", 2) is None


def test_models_with_bad_cells():
    write(
        RAW / "llm_models.csv",
        MODELS.replace("true,false,,0.5,1.5", "maybe,false,nowhere,-1,nan").replace("acme/judge", ""),
    )
    lines = message().splitlines()
    assert [line.split(": ")[0].rsplit(", ", 2)[1:] for line in lines] == [
        ["row 2", "column 'for_generation'"],
        ["row 2", "column 'endpoint'"],
        ["row 2", "column 'usd_per_mtok_in'"],
        ["row 2", "column 'usd_per_mtok_out'"],
        ["row 3", "column 'model'"],
    ]
    assert "'nowhere' is not an endpoint of config.yaml. Use one of " in lines[1]


def test_optional_columns_of_models_may_be_absent():
    write(
        RAW / "llm_models.csv",
        "id,model,provider,display_name,for_generation,for_evaluation\nm,a/m,a,M,1,0\n",
    )
    assert load_catalogs(settings_with()).models["m"] == Model("m", "a/m", "a", "M", True, False)


def test_a_rubric_has_a_scale_and_a_key_of_its_own():
    write(
        RAW / "evaluation_templates.csv",
        "template_id,generator,parser,score_min,score_max,score_key,active\n"
        "rubric,llm,in_last_line,-1,5.5,novelty,true\nplain,llm,complex,,,,false\n",
    )
    rubrics = load_catalogs(settings_with()).templates["evaluation"]
    assert (rubrics["rubric"].score_min, rubrics["rubric"].score_max, rubrics["rubric"].score_key) == (
        -1.0,
        5.5,
        "novelty",
    )
    assert (rubrics["plain"].score_min, rubrics["plain"].score_max, rubrics["plain"].score_key) == (0.0, 10.0, "score")


@pytest.mark.parametrize(
    ("scale", "column", "words"),
    [
        ("10,1", "score_max", "the lowest score is 10 and the highest 1"),
        ("5,5", "score_max", "the lowest score is 5 and the highest 5"),
        ("12,", "score_max", "the lowest score is 12 and the highest 10"),
        ("low,5", "score_min", "'low' is not a number"),
        ("0,inf", "score_max", "'inf' is not a number"),
    ],
)
def test_scales_that_are_none(scale, column, words):
    write(
        RAW / "evaluation_templates.csv",
        f"template_id,generator,parser,score_min,score_max,active\nrubric,llm,in_last_line,{scale},true\n",
    )
    assert f"row 2, column '{column}'" in message()
    assert words in message()


def test_a_copy_needs_no_text_of_its_own():
    (RAW / "generation_templates/essay/pass.txt").unlink()
    copy = load_catalogs(settings_with()).templates["essay"]["pass"]
    assert (copy.path, copy.content) == (None, "{{ draft_block }}")
    write(RAW / "essay_templates.csv", "template_id,template_path,generator,active\npass,gone.txt,copy,true\n")
    assert "the text of template 'pass' is missing" in message()


def test_ids_that_no_disk_takes():
    name = "x" * 300
    write(RAW / "essay_templates.csv", f"template_id,generator,active\n{name},llm,true\n")
    write(RAW / "concepts_metadata.csv", f"concept_id,name,active\n{name},Name,true\n")
    lines = message().splitlines()
    assert len(lines) == 2
    assert all("has 300 characters, more than the name of a file has room for" in line for line in lines)

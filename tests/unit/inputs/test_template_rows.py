"""A template's row and the front matter of its text: what they say together, and where they disagree."""

from __future__ import annotations

import pytest
from inputs_fixtures import RAW, make_project, settings_with, write

from daydreaming.base.errors import Fault
from daydreaming.inputs.catalogs import read_catalogs
from daydreaming.inputs.records import Template

COLUMNS = (
    "template_id,generator,parser,description,temperature,max_tokens,top_p,seed,min_lines,score_min,score_max,active"
)
FRONT = RAW / "evaluation_templates/rubric.txt"
TABLE = RAW / "evaluation_templates.csv"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    make_project(tmp_path, monkeypatch)


def read(front: str = "", row: str = "rubric,llm,in_last_line,,,,,,,,,true") -> tuple[Template, list[Fault]]:
    write(TABLE, f"{COLUMNS}\n{row}\n")
    write(FRONT, (f"---\n{front}\n---\n" if front else "") + "Judge {{ response }}\n")
    reading = read_catalogs(settings_with())
    return reading.catalogs.templates["evaluation"]["rubric"], list(reading.faults)


def fault(front: str = "", row: str = "rubric,llm,in_last_line,,,,,,,,,true") -> Fault:
    _, (found,) = read(front, row)
    return found


def test_a_row_can_say_what_front_matter_can():
    template, faults = read(row="rubric,llm,in_last_line,A rubric,0.25,70,1,5,2,1,5,true")
    assert faults == []
    assert {name: one.value for name, one in template.own_settings.items()} == {
        "temperature": 0.25, "max_tokens": 70, "top_p": 1, "seed": 5, "min_lines": 2, "score_min": 1, "score_max": 5,
        "parser": "in_last_line",
    }  # fmt: skip
    assert {one.place for one in template.own_settings.values()} == {f"{TABLE}, row 2"}
    assert (template.score_min, template.score_max) == (1.0, 5.0)


def test_front_matter_says_parser_and_scale():
    template, faults = read("parser: complex\nscore_min: 1\nscore_max: 5", "rubric,llm,,,,,,,,,,true")
    assert faults == []
    assert (template.parser, template.score_min, template.score_max) == ("complex", 1.0, 5.0)
    assert template.own_settings["parser"].place == f"{FRONT}, line 2"


def test_inline_content_has_front_matter_as_well():
    write(
        TABLE,
        'template_id,generator,parser,content,active\nrubric,llm,,"---\nparser: complex\n---\n{{ response }}",true\n',
    )
    reading = read_catalogs(settings_with())
    assert reading.faults == ()
    assert reading.catalogs.templates["evaluation"]["rubric"].parser == "complex"


@pytest.mark.parametrize(
    ("front", "row", "column"),
    [
        ("temperature: 0.5", "rubric,llm,in_last_line,,0.25,,,,,,,true", "temperature"),
        ("temperature:", "rubric,llm,in_last_line,,0.25,,,,,,,true", "temperature"),
        ("max_tokens: 5", "rubric,llm,in_last_line,,,6,,,,,,true", "max_tokens"),
        ("parser: complex", "rubric,llm,in_last_line,,,,,,,,,true", "parser"),
        ("score_max: 5", "rubric,llm,in_last_line,,,,,,,,7,true", "score_max"),
        ("description: One", "rubric,llm,in_last_line,Other,,,,,,,,true", "description"),
    ],
)
def test_what_both_say_must_be_the_same(front: str, row: str, column: str):
    found = fault(front, row)
    assert (found.file, found.row, found.column) == (str(TABLE), 2, column)
    assert str(FRONT) in found.problem


def test_the_same_in_both_is_fine():
    _, faults = read("temperature: 0.5\nscore_max: 5\nparser: complex", "rubric,llm,complex,,0.50,,,,,,5.0,true")
    assert faults == []


@pytest.mark.parametrize(
    ("cells", "column"), [("hot,,,,", "temperature"), (",0,,,", "max_tokens"), (",1.5,,,", "max_tokens"),
                          (",,2,,", "top_p"), (",,,true,", "seed"), (",,,,-1", "min_lines")],
)  # fmt: skip
def test_cells_are_checked(cells: str, column: str):
    found = fault(row=f"rubric,llm,in_last_line,,{cells},,,true")
    assert (found.row, found.column) == (2, column)
    assert "null" not in found.cure


@pytest.mark.parametrize("front", ["temprature: 1", "seed: x", "- a", "seed: [", "parser: nobody"])
def test_a_fault_of_front_matter_is_told_once_with_its_line(front: str):
    found = fault(front, "rubric,llm,,,,,,,,,,true")
    assert found.line == 2 or f"{FRONT}, line 2" in found.file


def test_a_rubric_needs_a_parser_in_one_of_the_two():
    assert fault("seed: 1", "rubric,llm,,,,,,,,,,true").column == "parser"


def test_a_scale_upside_down_is_a_fault_wherever_it_stands():
    assert fault("score_min: 11").column == "score_max"


@pytest.mark.parametrize(
    ("stage", "name", "text", "why"),
    [
        ("essay", "pass", "---\nmax_tokens: 5\n---\n{{ draft_block }}", "a copy makes no call"),
        ("essay", "write", "---\nparser: essay_block\n---\n{{ draft_block }}", "an essay is not parsed"),
        ("draft", "plain", "---\nscore_max: 5\n---\n{{ concepts }}", "only a rubric has scores"),
    ],
)
def test_what_means_nothing_for_a_template_is_a_fault(stage: str, name: str, text: str, why: str):
    path = write(RAW / f"generation_templates/{stage}/{name}.txt", text)
    (found,) = read_catalogs(settings_with()).faults
    assert (found.file, found.line) == (str(path), 2)
    assert why in found.problem


def test_what_nobody_uses_may_have_faults():
    write(RAW / "generation_templates/draft/old.txt", "---\nA rule above.\n---\n")
    assert read_catalogs(settings_with()).faults == ()

"""Templates that cannot work, told before the first call."""

import pytest
from inputs_fixtures import RAW, make_project, settings_with, write

from daydreaming.inputs.catalogs import read_catalogs
from daydreaming.inputs.stages import DEFAULT_STAGES
from daydreaming.inputs.template_checks import template_faults, template_warnings


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    make_project(tmp_path, monkeypatch)


def check(stage, template_id, text, *, strict=False):
    """The faults and the warnings of a template with this text."""
    settings = settings_with()
    write(settings.paths.template_text(stage, template_id), text)
    reading = read_catalogs(settings)
    templates = [reading.catalogs.templates[stage][template_id]]
    faults = [str(fault) for fault in template_faults(settings, reading, templates, strict=strict)]
    return faults, list(template_warnings(templates, DEFAULT_STAGES))


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Judge.\n{response}\n", "Line 2 has {response}: write {{ response }} there."),
        ("Judge <response> now", "Line 1 has <response>: write"),
        ("Judge ${response}", "Line 1 has ${response}: write"),
        ("Judge [response]", "write {{ response }} there."),
        ("Judge {# {{ response }} #} this", "Write {{ response }} where the essay belongs."),
        ("Judge this essay.", "Write {{ response }} where the essay belongs."),
        ("{% set response = 'x' %}{{ response }}", "Write {{ response }} where the essay belongs."),
    ],
)
def test_a_rubric_that_shows_no_essay_is_a_fault_with_the_line(text: str, words: str, strict: bool):
    (fault,), warnings = check("evaluation", "rubric", text, strict=strict)
    assert fault.startswith(
        f"{RAW}/evaluation_templates.csv, row 2, column 'template_id': template 'rubric' never uses"
    )
    assert words in fault
    assert warnings == []


@pytest.mark.parametrize("text", ["One\n{{response}\n", "One\n{response}}\n{{ x", "One\n{{ response }\n{{ response }}"])
def test_braces_that_are_not_closed_are_shown(text: str):
    (fault,), _ = check("evaluation", "rubric", text)
    assert "does not render" in fault
    assert "Line 2 has {" in fault
    assert "write {{ response }} there." in fault


@pytest.mark.parametrize(
    "text", ["{{ response }}", "{{response|trim}}", "{% if response %}a{% endif %}", "{{- response -}}"]
)
def test_rubrics_that_are_fine(text: str):
    assert check("evaluation", "rubric", text, strict=True) == ([], [])


def test_drafts_and_essays_that_ignore_what_they_are_given_are_warnings():
    faults, (warning,) = check("draft", "plain", "Write about {concepts}.")
    assert faults == []
    assert "The draft template 'plain' uses not concepts" not in warning
    assert "'plain' does not use concepts: every prompt is the same. Line 1 has {concepts}" in warning
    faults, (warning,) = check("essay", "write", "Write.")
    assert faults == []
    assert "'write' uses neither draft_block nor links_block: every prompt is the same. See " in warning
    assert check("essay", "write", "{{ links_block }}") == ([], [])
    assert check("essay", "pass", "Nothing of it.") == ([], [])


@pytest.mark.parametrize(
    "text",
    [
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{% if response %}" * 3000 + "x" + "{% endif %}" * 3000,
        "{{ response" + " | upper" * 5000 + " }}",
        "{% for x in response %}" * 50 + "{% endfor %}" * 50,
    ],
    ids=["parentheses", "conditions", "filters", "loops"],
)
def test_what_is_nested_too_deep_is_a_fault(text: str):
    (fault,), _ = check("evaluation", "rubric", text)
    assert "too long or nested too deep to be read" in fault
    assert "rubric.txt" in fault

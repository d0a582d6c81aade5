"""The table of stages: the three that are there, changed, taken out and added to; what does not fit together."""

from __future__ import annotations

import re
from typing import Any

import pytest
from inputs_fixtures import fault_of, model_at, sampling

from daydreaming.base.errors import InputError
from daydreaming.base.paths import DataPaths
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.inputs.resolved_settings import resolved_settings
from daydreaming.inputs.stages import DEFAULT_STAGES, Stage, StageTable
from studies.study import PROJECT

REVISION = {
    "critique": {"parent": "essay"},
    "revision": {"parent": "critique", "sees": ["essay"]},
    "second_evaluation": {"parent": "revision", "makes": "score", "templates": "evaluation_templates.csv"},
}


def table(**stages: Any) -> StageTable:
    return settings_from_config({"stages": stages}).stage_table


def test_without_a_word_in_the_configuration_the_stages_are_the_usual_ones():
    for config in ({}, {"stages": None}, {"stages": {"essay": {"temperature": 1}}}):
        settings = settings_from_config(config)
        assert settings.stage_table == DEFAULT_STAGES
        assert settings.paths == DataPaths(settings.data_root)
    assert DEFAULT_STAGES.names == ("draft", "essay", "evaluation")
    assert (DEFAULT_STAGES.main, DEFAULT_STAGES.judged) == ("essay", ("essay",))
    assert DEFAULT_STAGES.first_scoring == "evaluation"


def test_stages_are_added_each_after_what_it_is_made_from():
    # The order of the file makes no difference to who comes first of parent and child.
    for given in (REVISION, dict(reversed(REVISION.items()))):
        stages = table(**given)
        assert stages.names == (*DEFAULT_STAGES.names, "critique", "revision", "second_evaluation")
        assert stages.chain("second_evaluation") == ("draft", "essay", "critique", "revision", "second_evaluation")
        assert [one.name for one in stages.last] == ["evaluation", "second_evaluation"]
        assert (stages.judged, stages.main) == (("essay", "revision"), "essay")


def test_templates_find_texts_under_the_names_of_their_stages():
    stages = table(**REVISION)
    names = {stage.name: (*stage.parent_names, *stage.names_of_seen) for stage in stages}
    assert names == {
        "draft": ("concepts",),
        "essay": ("draft_block", "links_block"),
        "evaluation": ("response",),
        "critique": ("essay_block",),
        "revision": ("critique_block", "essay_block"),
        "second_evaluation": ("response",),
    }


def test_a_stage_can_be_taken_out():
    stages = table(draft=None, essay={"parent": "combos", "parsers": ["essay_block"]})
    assert stages.names == ("essay", "evaluation")
    assert stages["essay"].parent_names == ("concepts",)
    assert stages["essay"].generators == ("llm",)


def test_templates_are_where_the_table_says():
    paths = settings_from_config(
        {"stages": {**REVISION, "critique": {"parent": "essay", "template_folder": "c"}}}
    ).paths
    assert paths.templates("critique").name == "critique_templates.csv"
    assert paths.template_text("critique", "x").parts[-2:] == ("c", "x.txt")
    assert paths.templates("second_evaluation") == paths.templates("evaluation")
    assert paths.template_text("revision", "x").parts[-3:] == ("generation_templates", "revision", "x.txt")


def test_an_added_stage_is_sampled_as_others_that_make_the_same():
    settings = settings_from_config({"stages": {**REVISION, "critique": {"parent": "essay", "max_tokens": 5}}})
    for endpoint in ("openrouter", "embedded"):
        assert sampling(settings, "second_evaluation", endpoint) == sampling(settings, "evaluation", endpoint)
    assert sampling(settings, "critique", "openrouter").max_tokens == 5
    assert sampling(settings, "critique", "openrouter").temperature == 0.7
    assert "grammar" in sampling(settings, "critique", "embedded").extra_body


@pytest.mark.parametrize(
    ("stages", "key", "words"),
    [
        ({"esay": {}}, "stages.esay", "Did you mean 'essay'?"),
        ({"x": {}}, "stages.x", "give it a `parent`"),
        ({"x": {"parent": "esay"}}, "stages.x.parent", "Did you mean 'essay'?"),
        ({"x": {"parent": "x"}}, "stages.x.parent", "loop"),
        ({"x": {"parent": "evaluation"}}, "stages.x.parent", "makes no text"),
        ({"x": {"parent": "combos", "makes": "score"}}, "stages.x.parent", "needs texts to judge"),
        ({"score": {"parent": "essay"}}, "stages.score", "the name of something else"),
        ({"reference": {"parent": "combos"}}, "stages.reference", "the name of something else"),
        ({"x": {"parent": "essay", "sees": ["essay"]}}, "stages.x.sees", "no earlier stage of its chain"),
        ({"x": {"parent": "essay", "parsers": ["complex"]}}, "stages.x.parsers", "no parser 'complex' reads a text"),
        ({"x": {"parent": "essay", "makes": "score", "parsers": []}}, "stages.x.parsers", "always read"),
        ({"x": {"parent": "essay", "templates": "evaluation_templates.csv"}}, "stages.x.templates", "in other ways"),
        ({"x": {"parent": "essay", "templates": "../a.csv"}}, "stages.x.templates", "critique_templates.csv"),
        ({"x": {"parent": "essay", "makes": "verse"}}, "stages.x.makes", "text, score or preference"),
        ({"draft": None}, "stages.essay.parent", "there is no stage 'draft'"),
        (dict.fromkeys(DEFAULT_STAGES.names), "stages", "no stage is left"),
    ],
)
def test_stages_that_do_not_fit_are_faults_with_their_key(stages: dict[str, Any], key: str, words: str):
    fault = fault_of({"stages": stages})
    assert fault.key == key
    assert words in f"{fault.problem} {fault.cure}"


@pytest.mark.parametrize("config", [{"replicates": {"esay": 2}}, {"endpoints": {"embedded": {"stages": {"esay": {}}}}}])
def test_what_is_said_of_a_stage_that_there_is_not_is_a_fault(config: dict[str, Any]):
    assert "Did you mean 'essay'?" in fault_of(config).cure


def test_the_place_of_a_setting_of_an_added_stage_is_named():
    settings = settings_from_config({"stages": REVISION})
    assert (
        resolved_settings(settings, "critique", model_at("openrouter")).place("temperature")
        == "stages.critique.temperature"
    )


def test_a_target_leads_to_its_stage():
    stages = table(**REVISION)
    assert stages.of_target("critiques") == "critique"
    with pytest.raises(InputError, match="Did you mean 'critiques'"):
        stages.of_target("critics")


def test_a_table_without_judges_is_about_its_last_text():
    assert StageTable((Stage("draft"), Stage("essay", parent="draft"))).main == "essay"


def test_no_stage_has_the_name_of_a_rule():
    files = [PROJECT / "Snakefile", *(PROJECT / "rules").glob("*.smk")]
    rules = {name for file in files for name in re.findall(r"^rule (\w+):", file.read_text(), re.MULTILINE)}
    assert {"score_table", "slice", "all"} <= rules
    for rule in rules:
        with pytest.raises(InputError, match="the name of something else"):
            table(**{rule: {"parent": "essay"}})


def test_a_name_that_no_folder_or_rule_could_have_is_a_fault():
    with pytest.raises(InputError, match="small letters"):
        table(X={"parent": "essay"})

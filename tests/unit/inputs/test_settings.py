from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from daydreaming.base.errors import InputError
from daydreaming.cli.command_line import PROJECT
from daydreaming.inputs.settings import CONFIG_SCHEMA, DEFAULTS, merge, settings_from_config

URL = "http://127.0.0.1:1/v1"


def fault_of(config: dict[str, Any]):
    with pytest.raises(InputError) as caught:
        settings_from_config(config, source="study.yaml")
    (fault,) = caught.value.faults
    return fault


def test_the_defaults_are_complete_and_the_schema_knows_no_other_keys():
    assert set(json.loads(CONFIG_SCHEMA.read_text())["properties"]) == set(DEFAULTS)
    settings = settings_from_config({})
    assert settings.data_root == Path("data")
    assert settings.limits_dir == Path("data/limits")
    assert settings.replicates == {"draft": 1, "essay": 1, "evaluation": 1}
    assert settings.endpoints["openrouter"].api_key_env == "OPENROUTER_API_KEY"
    assert settings.endpoints["embedded"].kind == "embedded"


def test_the_config_file_of_the_project_is_right_and_names_every_key():
    config = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))
    assert settings_from_config(config).cohort == "demo"
    assert set(config) | {"max_failed_fraction"} == set(DEFAULTS)


@pytest.mark.parametrize(
    ("config", "key", "words"),
    [
        ({"chort": "a"}, "chort", "Did you mean 'cohort'?"),
        ({"xyz": 1}, "xyz", "the keys here are: budget_calls, budget_usd"),
        ({"cohort": "a/b"}, "cohort", "Use letters, digits"),
        ({"cohort": ".."}, "cohort", "Use letters, digits"),
        ({"cohort": 12}, "cohort", "Use letters, digits"),
        ({"data_root": ""}, "data_root", "Give the path of a folder."),
        ({"description_level": "book"}, "description_level", "sentence, paragraph or article"),
        ({"k_max": 0}, "k_max", "Give the number of concepts"),
        ({"k_max": "two"}, "k_max", "Give the number of concepts"),
        ({"k_max": 1.5}, "k_max", "Give the number of concepts"),
        ({"k_max": True}, "k_max", "Give the number of concepts"),
        ({"default_endpoint": "nowhere"}, "default_endpoint", "Name one of: embedded, openrouter."),
        ({"endpoints": {"mine": {}}}, "endpoints.mine", "needs a base_url"),
        ({"endpoints": {"mine": {"base_url": "ftp://a"}}}, "endpoints.mine.base_url", "http:// or https://"),
        ({"endpoints": {"mine": {"base_url": URL, "kind": "x"}}}, "endpoints.mine.kind", "openai or embedded"),
        ({"endpoints": {"openrouter": {"api_key_env": "sk-1"}}}, "endpoints.openrouter.api_key_env", "never the key"),
        ({"endpoints": {"openrouter": {"timeout_s": 0}}}, "endpoints.openrouter.timeout_s", "seconds above 0"),
        ({"endpoints": {"openrouter": {"tiemout_s": 9}}}, "endpoints.openrouter.tiemout_s", "'timeout_s'"),
        ({"endpoints": {"openrouter": {"max_concurrency": 0}}}, "endpoints.openrouter.max_concurrency", "from 1"),
        ({"endpoints": {"openrouter": None}}, "endpoints.openrouter", "object"),
        (
            {"endpoints": {"openrouter": {"stages": {"draft": {"seed": -1}}}}},
            "endpoints.openrouter.stages.draft.seed",
            "whole number from 0",
        ),
        ({"stages": {"drafts": {}}}, "stages.drafts", "'draft'"),
        ({"stages": {"draft": {"temperature": "hot"}}}, "stages.draft.temperature", "Give a number from 0"),
        ({"stages": {"draft": {"max_tokens": 0}}}, "stages.draft.max_tokens", "from 1"),
        ({"stages": {"draft": {"extra_body": [1]}}}, "stages.draft.extra_body", "a mapping"),
        ({"replicates": {"draft": 0}}, "replicates.draft", "from 1"),
        ({"budget_usd": -1}, "budget_usd", "US dollars"),
        ({"retry_replies": {"api": 1}}, "retry_replies.api", "the keys here are: empty"),
        ({"max_failed_fraction": 2}, "max_failed_fraction", "from 0 to 1"),
        ({"offline": "yes"}, "offline", "true or false"),
        ({"slice": "2"}, "slice", "i/n"),
    ],
)
def test_every_fault_names_file_key_and_cure(config: dict[str, Any], key: str, words: str):
    fault = fault_of(config)
    assert (fault.file, fault.key) == ("study.yaml", key)
    assert words in str(fault)


def test_all_faults_are_reported_together():
    with pytest.raises(InputError) as caught:
        settings_from_config({"k_max": 0, "chort": "a", "replicates": {"draft": 0}, "stages": {"x": {}, "y": {}}})
    assert {fault.key for fault in caught.value.faults} == {
        "k_max",
        "chort",
        "replicates.draft",
        "stages.x",
        "stages.y",
    }


def test_what_is_given_is_laid_on_the_defaults_key_by_key():
    settings = settings_from_config({"replicates": {"essay": 3}, "endpoints": {"openrouter": {"max_concurrency": 5}}})
    assert settings.replicates == {"draft": 1, "essay": 3, "evaluation": 1}
    assert settings.endpoints["openrouter"].max_concurrency == 5
    assert settings.endpoints["openrouter"].base_url.startswith("https://")
    assert settings.stage("draft", "openrouter").min_lines == 3


def test_merging_leaves_its_arguments_alone():
    base, over = {"a": {"b": 1}, "c": 1}, {"a": {"d": 2}, "c": {"e": 3}}
    assert merge(base, over) == {"a": {"b": 1, "d": 2}, "c": {"e": 3}}
    assert (base, over) == ({"a": {"b": 1}, "c": 1}, {"a": {"d": 2}, "c": {"e": 3}})


def test_an_endpoint_says_more_about_a_stage_than_the_stage():
    settings = settings_from_config(
        {
            "stages": {"draft": {"temperature": 0.9, "max_tokens": 100, "seed": 5}},
            "endpoints": {"openrouter": {"stages": {"draft": {"temperature": 0, "max_tokens": None}}}},
        }
    )
    special, general = settings.stage("draft", "openrouter"), settings.stage("draft", "embedded")
    assert (special.temperature, special.max_tokens, special.seed) == (0, None, 5)
    assert (general.temperature, general.max_tokens) == (0.9, 100)
    assert settings.stage("essay", "openrouter").temperature is None


def test_bodies_are_merged_from_the_general_to_the_special():
    settings = settings_from_config(
        {
            "stages": {"draft": {"extra_body": {"b": "stage", "c": "stage"}}},
            "endpoints": {
                "openrouter": {
                    "extra_body": {"a": "endpoint", "b": "endpoint", "c": "endpoint"},
                    "stages": {"draft": {"extra_body": {"c": "both"}}},
                }
            },
        }
    )
    assert settings.stage("draft", "openrouter").extra_body == {"a": "endpoint", "b": "stage", "c": "both"}
    assert settings.stage("essay", "openrouter").extra_body == {"a": "endpoint", "b": "endpoint", "c": "endpoint"}
    assert settings.stage("draft", "embedded").extra_body == {"b": "stage", "c": "stage"}


def test_texts_of_the_command_line_become_what_the_schema_wants():
    given = {
        "k_max": "3",
        "offline": "True",
        "budget_usd": "null",
        "cohort": "2024",
        "slice": "null",
        "stages": {"draft": {"temperature": "0.5", "max_tokens": "NULL"}},
        "endpoints": {"mine": {"base_url": URL, "timeout_s": "2.5"}},
    }
    settings = settings_from_config(given)
    assert (settings.k_max, settings.offline, settings.budget_usd, settings.cohort) == (3, True, None, "2024")
    assert settings.slice is None
    assert settings.stages["draft"] == {"min_lines": 3, "temperature": 0.5, "max_tokens": None}
    assert settings.endpoints["mine"].timeout_s == 2.5


@pytest.mark.parametrize("value", [2000, 2000.0, "2e3"])
def test_whole_numbers_are_whole_however_they_are_written(value: Any):
    """A request for 2000.0 tokens would have another name than one for 2000, and be paid again."""
    tokens = settings_from_config({"stages": {"draft": {"max_tokens": value}}}).stage("draft", "openrouter").max_tokens
    assert repr(tokens) == "2000"


@pytest.mark.parametrize(
    "config", [{"stages": None}, {"endpoints": {"openrouter": {"stages": None, "extra_body": None}}}]
)
def test_nothing_is_as_good_as_an_empty_mapping(config: dict[str, Any]):
    sampling = settings_from_config(config).stage("draft", "openrouter")
    assert (sampling.temperature, sampling.extra_body) == (None, {})

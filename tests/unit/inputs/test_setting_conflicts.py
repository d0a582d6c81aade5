"""What a request would say twice is a fault, but only where a model is asked so."""

from typing import Any

import pytest
from inputs_fixtures import MODELS, RAW, make_project, settings_with, write

from daydreaming.inputs.catalogs import read_catalogs

UNSET = dict.fromkeys(("temperature", "max_tokens", "seed"))


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    make_project(tmp_path, monkeypatch)


def faults(**config: Any) -> dict[str | None, str]:
    return {fault.key: str(fault) for fault in read_catalogs(settings_with(**config)).faults}


@pytest.mark.parametrize(
    ("stage", "name"),
    [
        ({"temperature": 0, "extra_body": {"temperature": 1}}, "temperature"),
        ({"max_tokens": 5, "extra_body": {"max_completion_tokens": 9}}, "max_completion_tokens"),
        ({"max_tokens": 5, "extra_body": {"max_tokens": 5}}, "max_tokens"),
        ({"seed": 0, "extra_body": {"seed": 1}}, "seed"),
    ],
)
def test_what_is_said_twice_is_a_fault(stage: dict[str, Any], name: str):
    of_endpoint = {"endpoints": {"openrouter": {"stages": {"essay": stage}}}}
    for config, place in (({"stages": {"essay": stage}}, ""), (of_endpoint, "endpoints.openrouter.")):
        found = faults(**config)
        assert list(found) == [f"{place}stages.essay.extra_body.{name}"]
        assert "Take one of them out" in next(iter(found.values()))
    assert faults(endpoints={"openrouter": {"stages": {"essay": {**stage, **UNSET}}}}) == {}


@pytest.mark.parametrize("name", ["model", "messages", "stream", "n"])
def test_what_a_request_says_by_itself_has_no_place_in_a_body(name: str):
    found = faults(endpoints={"openrouter": {"extra_body": {name: 2}}})
    assert list(found) == [f"endpoints.openrouter.extra_body.{name}"]


def test_what_changes_nothing_may_stand_there():
    assert faults(endpoints={"openrouter": {"extra_body": {"stream": False, "n": 1}}}) == {}


def test_an_endpoint_that_is_not_there_is_the_fault_of_the_catalog_alone():
    write(RAW / "llm_models.csv", MODELS.replace("YES,embedded", "YES,elsewhere"))
    (fault,) = faults().values()
    assert "'elsewhere' is not an endpoint of config.yaml" in fault


def test_endpoints_and_stages_that_no_model_is_asked_at_may_say_what_they_like():
    assert faults(stages={"evaluation": {"extra_body": {"n": 2}}}) != {}
    write(RAW / "llm_models.csv", MODELS.replace("YES,embedded", "no,embedded"))
    assert faults(stages={"evaluation": {"extra_body": {"n": 2}}}) == {}
    assert faults(endpoints={"mine": {"base_url": "http://a/v1", "extra_body": {"n": 2}}}) == {}


@pytest.mark.parametrize("given", ["writr", "zzz"])
def test_settings_of_a_model_that_is_not_in_the_table_are_a_fault_that_names_the_nearest(given: str):
    (key,) = found = faults(models={given: {"output_limit_parameter": "max_tokens"}})
    assert key == f"models.{given}"
    assert "Did you mean 'writer'?" in found[key] if given == "writr" else "Did you mean '" in found[key]
    assert "llm_models.csv" in found[key]
    assert faults(models={"writer": {"output_limit_parameter": "max_tokens"}}) == {}


def test_a_table_of_models_that_cannot_be_read_makes_no_model_unknown():
    (RAW / "llm_models.csv").unlink()
    assert not any(key and key.startswith("models.") for key in faults(models={"writer": {}}))

"""The one order of precedence: stage, endpoint, model, template table, front matter."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inputs_fixtures import model_at, settings_with

from daydreaming.inputs.records import SettingValue, Template
from daydreaming.inputs.resolved_settings import ResolvedSettings, recorded_settings, resolved_settings

URL = "http://127.0.0.1:1/v1"
UNSAID = object()
# The places, the weakest first. A stage and an endpoint say what is a key of the body in their extra_body.
PLACES = ("stages.essay", "endpoints.mine.stages.essay", "models.writer", "the table, row 2", "front.txt, line 2")
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.none() | st.integers(0, 2) | st.floats(0, 2),
    "max_tokens": st.none() | st.integers(1, 10_000),
    "seed": st.none() | st.integers(0, 10_000),
    "top_p": st.none() | st.floats(0, 1),
}
OF_A_BODY = "top_p"


def resolved(said: list[Any], name: str) -> ResolvedSettings:
    """The settings when each of PLACES says `said` of a setting, UNSAID nothing."""

    def given_at(place: int) -> dict[str, Any]:
        if said[place] is UNSAID:
            return {}
        return {"extra_body": {name: said[place]}} if name == OF_A_BODY and place < 2 else {name: said[place]}

    settings = settings_with(
        stages={"essay": {"temperature": None, "max_tokens": None, **given_at(0)}},
        endpoints={"mine": {"base_url": URL, "stages": {"essay": given_at(1)}}},
        models={"writer": given_at(2)},
    )
    spoken = [place for place in (3, 4) if said[place] is not UNSAID]
    own = {name: SettingValue(said[spoken[-1]], PLACES[spoken[-1]])} if spoken else {}
    template = Template("essay", "write", "llm", None, True, None, "x", own_settings=own)
    return resolved_settings(settings, "essay", model_at("mine"), template)


@given(st.data())
@hypothesis.settings(max_examples=200)
def test_the_last_place_that_says_a_setting_wins(data: st.DataObject):
    name = data.draw(st.sampled_from(sorted(VALUES)))
    said = [data.draw(st.just(UNSAID) | VALUES[name]) for _ in PLACES]
    if name == OF_A_BODY:  # a body's own null is sent as null: the test below
        said[:2] = [UNSAID if value is None else value for value in said[:2]]
    found = resolved(said, name)
    spoke = [place for place, value in enumerate(said) if value is not UNSAID]
    expected = said[spoke[-1]] if spoke else None
    if name == OF_A_BODY:
        assert found.sampling.extra_body.get(name) == expected
        assert (name in found.sampling.extra_body) == (expected is not None)
    else:
        assert getattr(found.sampling, name) == expected
    if spoke:
        assert found.place(name).startswith(PLACES[spoke[-1]])
        assert found.found[name].value == expected


def of(config: dict[str, Any], stage: str = "essay", **own: Any) -> ResolvedSettings:
    settings = settings_with(**{"endpoints": {"mine": {"base_url": URL}}, **config})
    said = {name: SettingValue(value, "front.txt") for name, value in own.items()}
    template = Template(stage, "t", "llm", None, True, None, "x", own_settings=said)
    return resolved_settings(settings, stage, model_at("mine"), template)


def test_bodies_are_merged_key_by_key_and_know_where_each_key_stands():
    config = {
        "stages": {"essay": {"extra_body": {"a": "stage", "b": "stage"}}},
        "endpoints": {
            "mine": {
                "base_url": URL,
                "extra_body": {"a": "endpoint", "c": "endpoint"},
                "stages": {"essay": {"extra_body": {"d": "both"}}},
            }
        },
        "models": {"writer": {"extra_body": {"b": "model", "d": "model"}}},
    }
    found = of(config)
    assert found.sampling.extra_body == {"a": "stage", "b": "model", "c": "endpoint", "d": "model"}
    assert {name: found.place(f"extra_body.{name}") for name in "abcd"} == {
        "a": "stages.essay.extra_body.a",
        "b": "models.writer.extra_body.b",
        "c": "endpoints.mine.extra_body.c",
        "d": "models.writer.extra_body.d",
    }


def test_keys_of_the_body_are_the_same_request_by_whichever_name():
    """Who moves `top_p` from an extra_body to the model pays for nothing."""
    body = {"top_p": 0.5, "reasoning_effort": "low"}
    as_body, as_settings = of({"models": {"writer": {"extra_body": body}}}), of({"models": {"writer": body}})
    assert as_body.sampling == as_settings.sampling
    assert as_settings.sampling.extra_body == body


def test_a_null_of_a_body_is_sent_and_a_null_of_a_setting_is_not():
    stage = {"stages": {"essay": {"extra_body": {"top_p": None}}}}
    assert of(stage).sampling.extra_body == {"top_p": None}
    assert of({**stage, "models": {"writer": {"top_p": 0.5}}}).sampling.extra_body == {"top_p": 0.5}
    weaker = {"endpoints": {"mine": {"base_url": URL, "extra_body": {"top_p": 0.5}}}}
    assert of({**weaker, **stage}).sampling.extra_body == {"top_p": None}
    assert of({**weaker, "models": {"writer": {"top_p": None}}}).sampling.extra_body == {}


def test_front_matter_adds_to_the_body():
    found = of({}, stop=["END"], response_format={"type": "json_object"}, top_p=0.5)
    assert found.sampling.extra_body == {"stop": ["END"], "response_format": {"type": "json_object"}, "top_p": 0.5}


def test_other_models_and_stages_are_as_they_were():
    config = {"models": {"other": {"max_tokens": 7}}, "endpoints": {"mine": {"base_url": URL}}}
    assert of(config).sampling == of({}).sampling
    assert of(config).context_length is None


@pytest.mark.parametrize(
    ("endpoint", "model", "expected"),
    [(None, None, "max_tokens"), ("max_completion_tokens", None, "max_completion_tokens"),
     ("max_completion_tokens", "max_tokens", "max_tokens"), (None, "max_completion_tokens", "max_completion_tokens")],
)  # fmt: skip
def test_the_name_of_the_limit(endpoint: str | None, model: str | None, expected: str):
    name = "output_limit_parameter"
    config = {
        "endpoints": {"mine": {"base_url": URL, **({name: endpoint} if endpoint else {})}},
        "models": {"writer": {name: model}},
    }
    assert of(config).output_limit_parameter == expected


def test_a_record_keeps_long_values_by_their_digest():
    found = {"a": SettingValue("x" * 500, "here"), "b": SettingValue({"c": 1}, "there")}
    recorded = recorded_settings(found)
    assert recorded["b"] == {"value": {"c": 1}, "from": "there"}
    assert recorded["a"]["value"].startswith("sha256:")
    assert recorded["a"]["value"].endswith(", 502 bytes of JSON")

"""Settings: their defaults, how they are laid on each other, what a stage and a model say."""

from __future__ import annotations

import copy
import datetime
import hashlib
import json
import pickle
from typing import Any

import hypothesis
import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from inputs_fixtures import fault_of, model_at, sampling
from pydantic import ValidationError

from daydreaming.base.errors import InputError
from daydreaming.cli.command_line import PROJECT
from daydreaming.inputs.configuration import config_schema, merge, settings_from_config
from daydreaming.inputs.endpoint_settings import Endpoint
from daydreaming.inputs.resolved_settings import resolved_settings
from daydreaming.inputs.setting_models import StageSettings
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.stages import DEFAULT_STAGES
from daydreaming.ledger.model_request import ModelRequest

URL = "http://127.0.0.1:1/v1"


def of_requests(settings: Settings, stage: str) -> StageSettings:
    """What `stages` says of a stage's requests, without what it says of the stage itself."""
    row = settings.stages[stage]
    return StageSettings(**{name: getattr(row, name) for name in StageSettings.model_fields})


def test_the_defaults_are_those_of_the_config_file():
    config = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))
    of_the_file, of_the_model = settings_from_config(config), settings_from_config({})
    assert of_the_file.cohort == "demo"
    assert of_the_file.model_copy(update={"cohort": None}) == of_the_model
    assert set(config) == set(Settings.model_fields)
    assert set(config["endpoints"]["openrouter"]) == set(Endpoint.model_fields) - {"name", "stages"}
    assert all(set(stage) == set(StageSettings.model_fields) for stage in config["stages"].values())


# The names of the requests that the shipped config.yaml made before its defaults became those of the model, and the
# digests of their bodies: a paid reply is found by its name.
NAMES = {
    ("openrouter", "draft"): ("9157b00752468b31", "26370358e353a33b"),
    ("openrouter", "essay"): ("7be456e92e907288", "a651adc7a3dd0ec6"),
    ("openrouter", "evaluation"): ("0490e295df6fc3fa", "798621c59ae1ff68"),
    ("embedded", "draft"): ("22876a3cb5f74c78", "d39e6c6d72b885b3"),
    ("embedded", "essay"): ("97f72e59c452bb1d", "eeba01705ed2583927"),
    ("embedded", "evaluation"): ("47b8ebe93ede1f82", "9e098f5bc4e037840a"),
}


@pytest.mark.parametrize(("endpoint", "stage"), list(NAMES))
@pytest.mark.parametrize("config", [{}, {"cohort": "other"}])
def test_the_defaults_make_the_requests_that_they_always_made(config: dict[str, Any], endpoint: str, stage: str):
    asked = sampling(settings_from_config(config), stage, endpoint)
    request = ModelRequest(
        answerer="embedded:x" if endpoint == "embedded" else "https://openrouter.ai/api/v1",
        model="acme/writer",
        messages=({"role": "user", "content": "Write about tides."},),
        temperature=asked.temperature,
        max_tokens=asked.max_tokens,
        seed=asked.seed,
        extra_body=asked.extra_body,
    )
    name, body = NAMES[endpoint, stage]
    assert request.sha256.startswith(name)
    known = ("model", "messages", "temperature", "max_tokens", "seed", *asked.extra_body)
    sent = {key: value for key, value in request.body().items() if key in known}
    assert hashlib.sha256(orjson.dumps(sent)).hexdigest().startswith(body)


def test_the_published_schema_is_that_of_the_model():
    assert json.loads((PROJECT / "schemas/config.schema.json").read_text(encoding="utf-8")) == config_schema()


def test_settings_cannot_be_changed_and_go_to_other_processes():
    settings = settings_from_config({"stages": {"draft": {"extra_body": {"a": {"b": [1]}}}}})
    body = settings.stages["draft"].extra_body
    for change in (
        lambda: setattr(settings, "k_max", 3),
        lambda: settings.endpoints.update({}),
        lambda: settings.replicates.__setitem__("draft", 2),
        lambda: body["a"].pop("b"),
    ):
        with pytest.raises((TypeError, ValidationError)):
            change()
    again = pickle.loads(pickle.dumps(settings))
    assert again == settings == copy.deepcopy(settings)
    with pytest.raises(TypeError):
        again.stages["draft"].extra_body["a"]["b"] = 2


def test_an_endpoint_with_all_of_its_settings():
    endpoint = {
        "base_url": "https://[::1]:8443/openai/v1",
        "output_limit_parameter": "max_completion_tokens",
        "finish_reasons": {"eos_found": "finished"},
        "default_query": {"api-version": datetime.date(2024, 10, 21), "key": "$AZURE_KEY"},
        "headers": {"X-Title": "study", "api-key": "$AZURE_KEY"},
        "loading_wait_s": 0,
        "longest_wait_s": 60,
        "max_reply_bytes": 1e6,
    }
    read = settings_from_config({"endpoints": {"mine": endpoint}}).endpoints["mine"]
    assert read.default_query == {"api-version": "2024-10-21", "key": "$AZURE_KEY"}
    assert (read.name, read.max_reply_bytes, read.loading_wait_s) == ("mine", 1_000_000, 0)


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
    assert sampling(settings, "draft", "openrouter").min_lines == 3


def test_merging_leaves_its_arguments_alone():
    base, over = {"a": {"b": 1}, "c": 1}, {"a": {"d": 2}, "c": {"e": 3}}
    assert merge(base, over) == {"a": {"b": 1, "d": 2}, "c": {"e": 3}}
    assert (base, over) == ({"a": {"b": 1}, "c": 1}, {"a": {"d": 2}, "c": {"e": 3}})


def test_an_endpoint_says_more_about_a_stage_than_the_stage():
    settings = settings_from_config(
        {
            "stages": {"draft": {"temperature": 0.9, "max_tokens": 100, "seed": 5}},
            "endpoints": {
                "openrouter": {"stages": {"draft": {"temperature": 0, "max_tokens": None}}},
                "mine": {"base_url": URL},
            },
        }
    )
    special, general = sampling(settings, "draft", "openrouter"), sampling(settings, "draft", "mine")
    assert (special.temperature, special.max_tokens, special.seed) == (0, None, 5)
    assert (general.temperature, general.max_tokens, general.seed) == (0.9, 100, 5)
    assert sampling(settings, "essay", "openrouter") == of_requests(settings, "essay")


def test_a_model_says_more_about_the_name_of_its_limit_than_its_endpoint():
    limit = "output_limit_parameter"
    settings = settings_from_config(
        {
            "endpoints": {"mine": {"base_url": URL, limit: "max_completion_tokens"}},
            "models": {
                "reasoner": {limit: "max_completion_tokens"},
                "old": {limit: "max_tokens"},
                "unsaid": {limit: None},
                "empty": {},
            },
        }
    )
    names = {
        (model_id, endpoint): resolved_settings(settings, "draft", model_at(endpoint, model_id)).output_limit_parameter
        for model_id in ("reasoner", "old", "unsaid", "empty", "unnamed")
        for endpoint in ("openrouter", "mine")
    }
    new = {key for key, name in names.items() if name == "max_completion_tokens"}
    assert new == {
        ("reasoner", "openrouter"),
        *((model_id, "mine") for model_id in ("reasoner", "unsaid", "empty", "unnamed")),
    }


@pytest.mark.parametrize(
    ("models", "key"),
    [
        ({"writer": {"output_limit_parameter": "limit"}}, "models.writer.output_limit_parameter"),
        ({"writer": {"output_limit": 5}}, "models.writer.output_limit"),
        ({"writer": 5}, "models.writer"),
        ([], "models"),
    ],
)
def test_faulty_settings_of_a_model_are_named(models: Any, key: str):
    assert fault_of({"models": models}).key == key


def test_no_models_may_be_written_as_nothing():
    assert settings_from_config({"models": None}).models == {}


def test_bodies_are_merged_from_the_general_to_the_special():
    settings = settings_from_config(
        {
            "stages": {"draft": {"extra_body": {"b": "stage", "c": "stage"}}},
            "endpoints": {
                "openrouter": {
                    "extra_body": {"a": "endpoint", "b": "endpoint", "c": "endpoint"},
                    "stages": {"draft": {"extra_body": {"c": "both"}}},
                },
                "mine": {"base_url": URL},
            },
        }
    )
    assert sampling(settings, "draft", "openrouter").extra_body == {"a": "endpoint", "b": "stage", "c": "both"}
    assert sampling(settings, "essay", "openrouter").extra_body == {"a": "endpoint", "b": "endpoint", "c": "endpoint"}
    assert sampling(settings, "draft", "mine").extra_body == {"b": "stage", "c": "stage"}


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
    assert of_requests(settings, "draft") == StageSettings(min_lines=3, temperature=0.5, max_tokens=None)
    assert settings.endpoints["mine"].timeout_s == 2.5


@pytest.mark.parametrize("value", [2000, 2000.0, "2e3"])
def test_whole_numbers_are_whole_however_they_are_written(value: Any):
    """A request for 2000.0 tokens would have another name than one for 2000, and be paid again."""
    tokens = sampling(
        settings_from_config({"stages": {"draft": {"max_tokens": value}}}), "draft", "openrouter"
    ).max_tokens
    assert repr(tokens) == "2000"


def test_null_takes_away_all_that_a_mapping_held():
    assert sampling(settings_from_config({"stages": None}), "draft", "openrouter") == StageSettings()
    settings = settings_from_config({"endpoints": {"embedded": {"stages": None, "extra_body": None}}})
    assert sampling(settings, "draft", "embedded") == of_requests(settings, "draft")
    kept = settings_from_config({"endpoints": {"embedded": {"stages": {}}}, "stages": {"draft": {}}})
    assert kept == settings_from_config({})


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.text(max_size=8)
    | st.sampled_from(["null", "1e999", "9" * 30, "[[[", "http://[", "$A", "\ud800", "http://a:b@c"])
)
KEYS = st.sampled_from(["draft", "openrouter", "mine", "stages", "extra_body", "base_url", "headers", "kind", "seed"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3) | st.integers(), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Settings.model_fields, "other"]), VALUES, max_size=4))
@hypothesis.settings(max_examples=100)
def test_whatever_a_configuration_says_it_is_read_or_faulted(config: dict[str, Any]):
    try:
        read = settings_from_config(config)
    except InputError as error:
        assert all(fault.problem and fault.cure for fault in error.faults)
    else:
        bodies = [
            sampling(read, stage, endpoint).extra_body for stage in DEFAULT_STAGES.names for endpoint in read.endpoints
        ]
        assert all(map(orjson.dumps, bodies))


@pytest.mark.parametrize(
    "command",
    [
        "llama-server -m 'my model.gguf' --port {port}",
        "vllm serve Qwen/Qwen3-8B --port={port} --max-num-batched-tokens 8192 --tokenizer=Qwen/Qwen3-8B",
        "env OLLAMA_HOST=127.0.0.1:{port} ollama serve",
    ],
)
def test_a_server_that_is_started_needs_no_address(command: str):
    endpoint = settings_from_config({"endpoints": {"lab": {"start": command}}}).endpoints["lab"]
    assert endpoint.base_url is None
    assert sum("{port}" in word for word in endpoint.command) == 1

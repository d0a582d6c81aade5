"""Settings that cannot be: each fault names file, key and cure, and repeats no secret."""

from __future__ import annotations

from typing import Any

import pytest
from inputs_fixtures import fault_of

URL = "http://127.0.0.1:1/v1"


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
        ({"endpoints": {"mine": {"start": "serve", "kind": "embedded"}}}, "endpoints.mine.start", "has no {port}"),
        ({"endpoints": {"mine": {"start": "{port}"}}}, "endpoints.mine.start", "has no {port}"),
        ({"endpoints": {"mine": {"start": ""}}}, "endpoints.mine.start", "there is no command"),
        ({"endpoints": {"mine": {"start": "serve '{port}"}}}, "endpoints.mine.start", "not closed"),
        ({"endpoints": {"mine": {"start": "A=1 serve {port}"}}}, "endpoints.mine.start", "`env NAME=value"),
        ({"endpoints": {"mine": {"start": "serve {port} > log"}}}, "endpoints.mine.start", "only a shell"),
        ({"endpoints": {"mine": {"start": "serve {port} -m ~/a.gguf"}}}, "endpoints.mine.start", "only a shell"),
        ({"endpoints": {"mine": {"start": "s {port}", "kind": "embedded"}}}, "endpoints.mine", "no `start`"),
        ({"endpoints": {"mine": {"start": "s {port}", "base_url": URL}}}, "endpoints.mine", "Take base_url out"),
        ({"endpoints": {"openrouter": {"start": "s {port}"}}}, "endpoints.openrouter", "Take base_url out"),
        ({"endpoints": {"mine": {"start": "s {port}", "health": "v1"}}}, "endpoints.mine.health", "starts with /"),
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


def at(url: Any) -> dict[str, Any]:
    return {"endpoints": {"mine": {"base_url": url}}}


@pytest.mark.parametrize(
    ("config", "key", "words"),
    [
        ({"k_max": 1_000_000_000}, "k_max", "from 1 to 1000"),
        ({"k_max": 10**5000}, "k_max", "beyond 64 bits"),
        ({"stages": {"draft": {"max_tokens": 10**17}}}, "stages.draft.max_tokens", "to 10,000,000"),
        ({"stages": {"draft": {"max_tokens": "1" * 21}}}, "stages.draft.max_tokens", "beyond 64 bits"),
        ({"stages": {"draft": {"seed": 2**63}}}, "stages.draft.seed", "whole number from 0"),
        ({"stages": {"draft": {"extra_body": {"a": [{"b": 10**20}]}}}}, "stages.draft.extra_body.a.0.b", "64 bits"),
        ({"stages": {"draft": {"temperature": float("nan")}}}, "stages.draft.temperature", "not finite"),
        ({"stages": {"draft": {"extra_body": {"a": float("inf")}}}}, "stages.draft.extra_body.a", "not finite"),
        ({"budget_usd": "1e999"}, "budget_usd", "not finite"),
        ({"stages": {"draft": {"extra_body": {"a": "\ud800"}}}}, "stages.draft.extra_body.a", "surrogate"),
        ({"data_root": "a\0b"}, "data_root", "NUL"),
        ({"limits_dir": "a\0b"}, "limits_dir", "NUL"),
        ({"data_root": "a" * 300}, "data_root", "longer than 255 bytes"),
        ({"cohort": "a" * 300}, "cohort", "at most 200"),
        ({"template_folders": "/srv"}, "template_folders", "a list of folders"),
        ({"template_folders": ["/srv", ""]}, "template_folders", "Give the path of a folder."),
        ({"stop_after_errors": 0}, "stop_after_errors", "from 1, or null"),
        ({"endpoints": {"openrouter": {"timeout_s": 1e300}}}, "endpoints.openrouter.timeout_s", "above 0"),
        ({"endpoints": {"openrouter": {"name": "x"}}}, "endpoints.openrouter.name", "unknown key"),
        (
            {"endpoints": {"openrouter": {"finish_reasons": {"eos": "stop"}}}},
            "endpoints.openrouter.finish_reasons.eos",
            "finished, truncated or refused",
        ),
        (
            {"endpoints": {"openrouter": {"default_query": {"api-version": 2}}}},
            "endpoints.openrouter.default_query.api-version",
            "in quotation marks",
        ),
        ({"endpoints": {"openrouter": {"headers": {"a b": "c"}}}}, "endpoints.openrouter.headers", "name of a header"),
        ({"endpoints": {"openrouter": {"headers": {"a": "b\nc"}}}}, "endpoints.openrouter.headers", "line end"),
        ({"endpoints": {"openrouter": {"headers": {"a": "$1"}}}}, "endpoints.openrouter.headers", "`$NAME`"),
        (at("127.0.0.1:8000/v1"), "endpoints.mine.base_url", "starts with http:// or https://"),
        (at("socks://127.0.0.1/v1"), "endpoints.mine.base_url", "starts with http:// or https://"),
        (at("http://"), "endpoints.mine.base_url", "names no host"),
        (at("http:///v1"), "endpoints.mine.base_url", "names no host"),
        (at("http://:8000/v1"), "endpoints.mine.base_url", "names no host"),
        (at("http://127.0.0.1:99999/v1"), "endpoints.mine.base_url", "1 to 65535"),
        (at("http://127.0.0.1:0/v1"), "endpoints.mine.base_url", "1 to 65535"),
        (at("http://127.0.0.1:v1"), "endpoints.mine.base_url", "1 to 65535"),
        (at("http://127.0.0.1:8000/v1\n"), "endpoints.mine.base_url", "a line end"),
        (at("http://[::1/v1"), "endpoints.mine.base_url", "host cannot be read"),
        (at(7), "endpoints.mine.base_url", "http:// or https://"),
    ],
)
def test_values_that_would_break_a_run_are_faults(config: dict[str, Any], key: str, words: str):
    fault = fault_of(config)
    assert fault.key == key
    assert words in str(fault)


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ({"base_url": "https://me:hunter2@host/v1"}, "api_key_env"),
        ({"base_url": "https://hunter2@host/v1"}, "api_key_env"),
        ({"base_url": "https://host/v1?key=hunter2"}, "`default_query: {key: $NAME}`"),
        ({"base_url": "ftp://me:hunter2@host/v1"}, "http:// or https://"),
        ({"base_url": "https://me:hunter2@host:99999/v1"}, "1 to 65535"),
        ({"base_url": ["https://me:hunter2@host/v1"]}, "http:// or https://"),
        ({"base_url": URL, "api_key_env": "sk-hunter2"}, "never the key"),
        ({"base_url": URL, "headers": {"X-Api-Key": "hunter2"}}, "write `X-Api-Key: $NAME`"),
        ({"base_url": URL, "headers": {"Authorization": "Bearer hunter2"}}, "environment variable"),
        ({"base_url": URL, "headers": "hunter2"}, "a mapping of texts"),
        ({"base_url": URL, "default_query": {"token": "hunter2"}}, "write `token: $NAME`"),
        ({"base_url": URL, "default_query": {"a": ["hunter2"]}}, "quotation marks"),
        ({"base_url": URL, "api_key": "hunter2"}, "'api_key_env'"),
        ({"start": "vllm serve m --port {port} --api-key hunter2"}, "api_key_env"),
        ({"start": "vllm serve m --port {port} --api-key=hunter2"}, "api_key_env"),
        ({"start": "env HF_TOKEN=hunter2 vllm serve m --port {port}"}, "api_key_env"),
        ({"start": "HF_TOKEN=hunter2 vllm serve m --port {port}"}, "`env NAME=value"),
        ({"start": ["hunter2"]}, "Give a command"),
    ],
)
def test_no_message_repeats_a_secret(endpoint: dict[str, Any], words: str):
    fault = fault_of({"endpoints": {"mine": endpoint}})
    assert words in str(fault)
    assert "hunter2" not in str(fault)


def test_bodies_that_lie_too_deep_are_a_fault_with_the_place():
    deep: dict[str, Any] = {}
    deep["again"] = deep
    assert "too deep" in str(fault_of({"stages": {"draft": {"extra_body": deep}}}))
    assert "extra_body" in str(fault_of({"stages": {"draft": {"extra_body": deep}}}))

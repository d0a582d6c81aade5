from __future__ import annotations

from typing import Any

import pytest
from core_fixtures import request
from hypothesis import assume, given
from hypothesis import strategies as st

from daydreaming.ledger.model_request import ModelRequest

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(0, 2**31) | st.floats(0, 1e6, allow_nan=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.lists(st.fixed_dictionaries({"role": TEXT, "content": TEXT}), min_size=1, max_size=3).map(tuple)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "answerer": TEXT,
    "model": TEXT,
    "messages": MESSAGES,
    "temperature": st.none() | NUMBERS,
    "max_tokens": st.none() | st.integers(1, 10**9),
    "seed": st.none() | st.integers(0, 10**18),
    "extra_body": st.dictionaries(TEXT, JSON, max_size=4),
    "replicate": st.integers(1, 1000),
    "attempt": st.integers(0, 50),
}
REQUESTS = st.builds(ModelRequest, **FIELDS)


def written(value: Any) -> str:
    """A text that differs wherever two JSON values differ, whatever the order of their keys."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{written(value[key])}" for key in sorted(value)) + "}"
    return "[" + ",".join(map(written, value)) + "]" if isinstance(value, list | tuple) else repr(value)


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(item) for item in value] if isinstance(value, list) else value


@given(REQUESTS, st.data())
def test_any_change_of_content_changes_the_name(original: ModelRequest, data: st.DataObject):
    name = data.draw(st.sampled_from(sorted(FIELDS)))
    value = data.draw(FIELDS[name])
    old = getattr(original, name)
    if name == "temperature":
        assume(old != value)
    else:
        assume(written(old) != written(value))
    changed = ModelRequest(**{**{field: getattr(original, field) for field in FIELDS}, name: value})
    assert changed.sha256 != original.sha256


@given(REQUESTS)
def test_the_order_of_keys_changes_nothing(original: ModelRequest):
    fields = {field: getattr(original, field) for field in FIELDS}
    fields["extra_body"] = reordered(fields["extra_body"])
    fields["messages"] = tuple(reordered(message) for message in fields["messages"])
    assert ModelRequest(**fields).sha256 == original.sha256


@given(st.integers(0, 100))
def test_a_temperature_is_the_same_as_whole_or_decimal_number(degrees: int):
    assert request(temperature=degrees).sha256 == request(temperature=float(degrees)).sha256


@given(st.integers(1, 5), st.integers(0, 5), st.integers(1, 5), st.integers(0, 5))
def test_replicates_and_attempts_are_not_taken_for_one_another(first: int, again: int, other: int, other_again: int):
    same = request(replicate=first, attempt=again).sha256 == request(replicate=other, attempt=other_again).sha256
    assert same == ((first, again) == (other, other_again))


def test_the_name_is_that_of_older_versions():
    """Names must outlive the code: whoever changes this pays for every stored reply again."""
    assert request().sha256 == "ad77e928f287c710279eb52860df298ac85046ef7439dc5a285ea89292edb535"


def test_the_body_leaves_unset_settings_to_the_provider_and_adds_the_extra_ones():
    bare = ModelRequest("http://a", "m", ({"role": "user", "content": "Hi."},))
    assert bare.body() == {"model": "m", "messages": [{"role": "user", "content": "Hi."}], "stream": False}
    body = request(temperature=0, extra_body={"top_p": 0.9, "model": "pinned"}).body()
    assert body["temperature"] == 0
    assert (body["max_tokens"], body["seed"], body["top_p"]) == (100, 1, 0.9)
    assert body["model"] == "pinned"


def test_who_answers_and_which_sample_it_is_are_not_sent():
    assert request(replicate=7, attempt=3, answerer="http://secret").body() == request().body()


@pytest.mark.parametrize(("text", "size"), [("abc", 3), ("é", 2), ("\ud800", 1)])
def test_counts_the_prompt_in_bytes(text: str, size: int):
    assert (
        request(messages=({"role": "user", "content": text}, {"role": "user", "content": "z"})).prompt_bytes == size + 1
    )


def test_the_limit_of_the_output_is_sent_under_the_name_that_the_model_wants():
    asked = request(output_limit_parameter="max_completion_tokens")
    assert asked.body()["max_completion_tokens"] == asked.output_limit == 100
    assert "max_tokens" not in asked.body()
    assert asked.sha256 != request().sha256
    assert request(output_limit_parameter="max_tokens").sha256 == request().sha256


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({}, 100),
        ({"max_tokens": None}, None),
        ({"extra_body": {"max_completion_tokens": 50}}, 100),
        ({"extra_body": {"max_completion_tokens": 500}}, 500),
        ({"extra_body": {"max_tokens": 50}}, 50),
        ({"extra_body": {"max_tokens": True}, "max_tokens": None}, None),
    ],
)
def test_knows_the_most_that_a_reply_may_have(changes: dict[str, Any], limit: int | None):
    assert request(**changes).output_limit == limit

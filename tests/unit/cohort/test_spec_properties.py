"""What holds for every spec: order means nothing, the number of rows is the product, a sample is even."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cohort_fixtures import make_cohort_project
from hypothesis import given, settings
from hypothesis import strategies as st
from spec_fixtures import column, rows_of, write_models

AXES = {
    "draft_template": ["plain", "bold"],
    "draft_llm": ["writer", "poet"],
    "draft_replicate": ["1", "2", "3"],
    "essay_llm": ["writer", "poet"],
    "evaluation_template": ["rubric", "strict"],
    "evaluation_llm": ["judge", "critic"],
    "evaluation_replicate": ["1", "2", "3"],
}
COMBOS = 3


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = Path.cwd()
    with pytest.MonkeyPatch.context() as monkeypatch:
        make_cohort_project(tmp_path_factory.mktemp("project"), monkeypatch)
        write_models()
        yield
        os.chdir(before)


def levels_of(axis: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(AXES[axis]), min_size=1, unique=True)


written = st.fixed_dictionaries({axis: levels_of(axis) for axis in AXES}).map(
    lambda axes: {**axes, "essay_template": ["write"]}
)


def pairs(draw: Any, left: list[str], right: list[str]) -> list[list[str]]:
    every = [[one, other] for one in left for other in right]
    return draw(st.lists(st.sampled_from(every), min_size=1, unique_by=tuple))


@st.composite
def specs(draw: Any) -> dict[str, Any]:
    """Specs with rules of every kind that leave something."""
    axes = draw(written)
    tie = draw(st.booleans()) and bool(set(axes["draft_llm"]) & set(axes["essay_llm"]))
    bundle = pairs(draw, axes.pop("evaluation_template"), axes.pop("evaluation_llm"))
    rules: dict[str, Any] = {
        "subsets": {"draft_replicate": axes["draft_replicate"][:2]},
        "pairs": {
            "one": {
                "left": "draft_template",
                "right": "draft_replicate",
                "allowed": pairs(draw, axes["draft_template"], axes["draft_replicate"][:2]),
            },
            "two": {
                "left": "evaluation_replicate",
                "right": "draft_template",
                # Each draft template, so that a row is left whatever the other rule leaves.
                "allowed": [[axes["evaluation_replicate"][0], one] for one in axes["draft_template"]],
            },
        },
        "tuples": {"bundle": {"axes": ["evaluation_template", "evaluation_llm"], "items": bundle}},
    }
    if tie:
        rules["ties"] = {"voice": ["draft_llm", "essay_llm"]}
    return {"axes": axes, "rules": rules}


def reordered(draw: Any, value: Any) -> Any:
    """The same mappings, their keys in another order; lists are what they are."""
    if not isinstance(value, dict):
        return value
    return {key: reordered(draw, value[key]) for key in draw(st.permutations(list(value)))}


@given(st.data(), specs(), st.integers(min_value=0, max_value=5))
@settings(max_examples=60)
def test_the_order_of_axes_and_rules_makes_no_difference(data: st.DataObject, spec: dict[str, Any], n: int):
    rows = rows_of(spec)
    if n:
        spec = {**spec, "sample": {"n": min(n, len(rows)), "seed": n, "balance": ["draft_template", "evaluation_llm"]}}
        rows = rows_of(spec)
    assert rows_of(reordered(data.draw, spec)) == rows


@given(written)
@settings(max_examples=60)
def test_without_rules_there_are_as_many_rows_as_the_product(axes: dict[str, list[str]]):
    rows = rows_of({"axes": axes})
    assert len(rows) == len(set(rows)) == COMBOS * math.prod(map(len, axes.values()))


@given(specs())
@settings(max_examples=60)
def test_with_rules_there_are_as_many_rows_as_the_rules_allow(spec: dict[str, Any]):
    axes, rules = spec["axes"], spec["rules"]
    drafts = [
        (template, replicate)
        for template, replicate in rules["pairs"]["one"]["allowed"]
        for other, partner in rules["pairs"]["two"]["allowed"]
        if partner == template
    ]
    voices = len(set(axes["draft_llm"]) & set(axes["essay_llm"])) if "ties" in rules else 0
    voices = voices or len(axes["draft_llm"]) * len(axes["essay_llm"])
    rows = rows_of(spec)
    assert len(set(rows)) == len(rows) == COMBOS * len(drafts) * voices * len(rules["tuples"]["bundle"]["items"])


@given(
    written,
    st.sets(st.sampled_from([*AXES, "combo"]), min_size=1),
    st.integers(min_value=0, max_value=10**9),
    st.data(),
)
@settings(max_examples=100)
def test_a_sample_has_each_balanced_level_equally_often_within_one(
    axes: dict[str, list[str]], balance: set[str], seed: int, data: st.DataObject
):
    total = COMBOS * math.prod(map(len, axes.values()))
    n = data.draw(st.integers(min_value=1, max_value=total))
    spec = {"axes": axes, "sample": {"n": n, "seed": seed, "balance": sorted(balance)}}
    rows = rows_of(spec)
    assert len(set(rows)) == n
    together = Counter(zip(*(column(rows, axis) for axis in sorted(balance)), strict=True))
    for axis in balance:
        counts = Counter(column(rows, axis))
        levels = axes.get(axis, counts)
        number = COMBOS if axis == "combo" else len(levels)
        assert max(counts.values()) - (min(counts.values()) if len(counts) == number else 0) <= 1
    assert max(together.values()) - min(together.values()) <= 1
    larger = rows_of({**spec, "sample": {**spec["sample"], "n": min(n + 5, total)}})
    assert set(rows) <= set(larger)

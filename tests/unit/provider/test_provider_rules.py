"""The scripted provider's rules: which call gets which answer."""

from __future__ import annotations

import pytest

from provider import Answer, Rule, When
from provider.rules import Script, rules_from_json


def names(rules: list[Rule], calls: list[tuple[str, str]]) -> list[str | None]:
    script = Script(rules)
    chosen = (script.choose(model, prompt) for model, prompt in calls)
    return [rule.name if rule else None for rule in chosen]


def a_rule(name: str, times: int | None = None, **conditions) -> Rule:
    return Rule(name, Answer(), When(**conditions), times)


@pytest.mark.parametrize(
    ("rule", "answered"),
    [
        (a_rule("r"), [1, 2, 3, 4, 5, 6]),
        (a_rule("r", every=3), [3, 6]),
        (a_rule("r", first=2), [1, 2]),
        (a_rule("r", nth=4), [4]),
        (a_rule("r", times=3), [1, 2, 3]),
        (a_rule("r", every=2, times=2), [2, 4]),
        (a_rule("r", probability=0.0), []),
    ],
)
def test_rule_counts_calls(rule, answered):
    chosen = names([rule], [("m", "p")] * 6)
    assert [number for number, name in enumerate(chosen, start=1) if name] == answered


def test_rule_selects_by_model_and_prompt_and_counts_only_those():
    calls = [("a", "draft"), ("b", "draft"), ("a", "essay"), ("a", "draft"), ("a", "draft")]
    assert names([a_rule("r", model="a", prompt_contains="raf", nth=2)], calls) == [None, None, None, "r", None]


def test_first_rule_wins_and_later_rules_count_all_the_same():
    rules = [a_rule("one", first=1), a_rule("two", first=2), a_rule("rest")]
    assert names(rules, [("m", "p")] * 3) == ["one", "two", "rest"]


def test_probability_repeats_with_its_seed():
    calls = [("m", "p")] * 1000
    first = names([a_rule("r", probability=0.3, seed=7)], calls)
    assert first == names([a_rule("r", probability=0.3, seed=7)], calls)
    assert first != names([a_rule("r", probability=0.3, seed=8)], calls)
    assert 200 < first.count("r") < 400


@pytest.mark.parametrize(
    ("row", "problem"),
    [({"answer": {"resett": 1}}, "resett"), ({"answer": {"reset": "never"}}, "before, during, after"), ([], "rule 1")],
)
def test_rules_from_json_names_what_is_wrong(row, problem):
    with pytest.raises(ValueError, match=problem):
        rules_from_json([row])

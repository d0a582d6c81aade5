"""Pairwise judging as a stage: from a spec to verdicts, their tables, the report and the pages."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from provider import Provider
from provider.rules import Answer, Rule, When
from studies import Choice, Study

STAGES = {"comparison": {"parent": "essay", "makes": "preference"}}
COMPARING = Choice(
    essays=("developed", "plain", "short"),
    combos=(("sleep", "tides"), ("sleep", "maps")),
    config={"stages": STAGES},
    added={"comparison": ("bolder",)},
)
PAIRS_OF_A_COMBO, BOTH_ORDERS = 3, 2


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory, session_provider: Provider) -> Study:
    """A study whose essays are scored and compared, made to its end. For reading only."""
    study = Study.create(tmp_path_factory.mktemp("compared") / "study", session_provider, COMPARING)
    study.build()
    study.run("-j8", "all")
    return study


@pytest.fixture
def unmade(tmp_path: Path, provider: Provider) -> Study:
    """The same study before anything was made."""
    return Study.create(tmp_path / "study", provider, COMPARING)


def verdicts(study: Study) -> list[dict[str, str]]:
    with (study.paths.cohort("c1").reports / "parsed_preferences.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def pairs(study: Study) -> Counter[frozenset[str]]:
    return Counter(frozenset((row.parent_gen_id, row.second_parent_gen_id)) for row in study.rows("comparison"))


def spec(study: Study, comparisons: str) -> None:
    study.write("cohorts/c1/spec.yaml", f"comparisons:\n  comparison: {comparisons}\n")


def test_verdicts_are_exported_and_made_anew_where_they_are_gone(compared: Study, tmp_path: Path):
    study = compared.copy(tmp_path / "study")
    file = study.paths.cohort("c1").verdicts_parquet
    assert study.run("export").calls == ()
    before = file.read_bytes()
    assert study.run("export").did_nothing
    file.unlink()
    assert study.run("export").calls == ()
    assert file.read_bytes() == before


def test_each_pair_of_essays_of_one_combo_is_compared_in_both_orders(compared: Study):
    essays = {row.gen_id: row for row in compared.rows("essay")}
    assert set(pairs(compared).values()) == {BOTH_ORDERS}
    assert len(pairs(compared)) == 2 * PAIRS_OF_A_COMBO
    combos = [{essays[gen_id].combo_id for gen_id in pair} for pair in pairs(compared)]
    assert all(len(combo) == 1 for combo in combos)


def test_a_judge_sees_the_first_text_as_a_and_the_second_as_b(compared: Study):
    for row in compared.rows("comparison"):
        texts = [
            compared.paths.generation("essay", gen_id).parsed
            for gen_id in (row.parent_gen_id, row.second_parent_gen_id)
        ]
        first, second = (path.read_text().strip() for path in texts)
        above, _, below = compared.files(row).prompt.read_text().partition("\n----\n")
        assert first in above
        assert second in below
        assert compared.files(row).parsed.read_text() in ("A", "B", "tie")


def test_verdicts_stand_in_a_table_of_their_own_and_no_score_comes_of_them(compared: Study):
    assert Counter(row["error"] for row in verdicts(compared)) == {"": 12}
    assert {row["verdict"] for row in verdicts(compared)} <= {"A", "B", "tie"}
    with compared.paths.cohort("c1").scores.open(encoding="utf-8") as stream:
        assert {row["stage"] for row in csv.DictReader(stream)} == {"evaluation"}
    reports = compared.paths.cohort("c1").reports
    assert (reports / "preference_strengths.csv").exists()
    assert "12 of 12 comparisons of two texts with a verdict" in " ".join((reports / "report.html").read_text().split())


def test_a_second_run_has_nothing_to_do(compared: Study):
    assert compared.run("-j8", "all").did_nothing


def test_another_second_text_makes_a_comparison_again(compared: Study, tmp_path: Path, provider: Provider):
    study = compared.copy(tmp_path / "study")
    study.edit("1_raw/generation_templates/essay/short.txt", "essay short", "essay short\nBe brief.")
    run = study.run("-j8", "all")
    # Two of the three pairs of each combo have the essay that changed, as their first or their second text.
    assert run.asked == {"essay short": 2, "evaluation novelty": 2, "comparison bolder": 2 * 2 * BOTH_ORDERS}


def test_a_judge_who_says_nothing_certain_gives_no_verdict(compared: Study, tmp_path: Path, provider: Provider):
    study = compared.copy(tmp_path / "study")
    study.edit("1_raw/generation_templates/comparison/bolder.txt", "End with", "Please end with")
    both = Answer(message={"content": "Both have their merits."})
    provider.script([Rule("verdicts", both, When(prompt_contains="comparison bolder"))])
    study.run("-j8", code=1)
    study.script("aggregate_preferences.py")
    # After ten replies of one template that nobody can use, the rest waits for the user.
    assert Counter((row["verdict"], row["error"]) for row in verdicts(study)) == {
        ("", "parse"): 10,
        ("", "not_tried"): 2,
    }


def test_a_sample_of_pairs(unmade: Study):
    spec(unmade, "{choose: sample, n: 4, seed: 1}")
    unmade.build()
    assert (len(pairs(unmade)), set(pairs(unmade).values())) == (4, {BOTH_ORDERS})
    few = set(pairs(unmade))
    spec(unmade, "{choose: sample, n: 5, seed: 1}")
    unmade.build()
    assert few < set(pairs(unmade))


def test_rounds_of_a_tournament_follow_from_the_verdicts(unmade: Study):
    spec(unmade, "{choose: swiss, rounds: 2}")
    unmade.build()
    first = set(pairs(unmade))
    assert len(first) == 2  # of three essays of a combo one pauses
    unmade.build()
    assert set(pairs(unmade)) == first
    unmade.run("-j8", "comparisons")
    unmade.build()
    assert len(pairs(unmade)) == 4
    assert first < set(pairs(unmade))


@pytest.mark.parametrize(
    ("comparisons", "words"),
    [
        ("{choose: sample, n: 7}", "there are 6 pairs of essays of one combo"),
        ("{choose: sample}", "sample needs 'n'"),
        ("{choose: all, rounds: 2}", "all has no 'rounds'"),
        ("{choose: most}", "is not known"),
        ("all", "Write `key: value` lines"),
    ],
)
def test_what_cannot_be_chosen_is_a_fault_of_the_spec(unmade: Study, comparisons: str, words: str):
    spec(unmade, comparisons)
    output = unmade.script("build_membership.py", code=1).output
    assert words in output
    assert "spec.yaml" in output


def test_a_rule_couples_no_comparison_with_essays(unmade: Study):
    rules = "{pairs: {p: {left: essay_template, right: comparison_template, allowed: [[plain, bolder]]}}}"
    unmade.write("cohorts/c1/spec.yaml", f"rules: {rules}\n")
    assert "`comparisons` says" in unmade.script("build_membership.py", code=1).output


def test_a_template_that_shows_one_text_is_a_fault(unmade: Study):
    unmade.edit("1_raw/generation_templates/comparison/bolder.txt", "{{ response_b }}", "")
    unmade.build()
    assert "never uses response_b" in unmade.run("-n", code=1).output


def test_pairs_alone_without_scores(tmp_path: Path, provider: Provider):
    config: dict[str, Any] = {"stages": {**STAGES, "evaluation": None}}
    choice = Choice(essays=("developed", "plain"), config=config, added={"comparison": ("bolder",)})
    study = Study.create(tmp_path / "study", provider, choice)
    study.build()
    study.run("-j8", "all", "export")
    assert Counter(row["error"] for row in verdicts(study)) == {"": BOTH_ORDERS}

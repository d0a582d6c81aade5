"""Specs of studies whose stages branch: each branch has the crossing of its own axes; pairs are chosen after it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cohort_fixtures import make_cohort_project, plan
from inputs_fixtures import RAW, write
from spec_fixtures import COHORT, compiled, faults_of, write_models

STAGES = {
    "critique": {"parent": "essay"},
    "revision": {"parent": "critique", "sees": ["essay"]},
    "second_evaluation": {"parent": "revision", "makes": "score", "templates": "evaluation_templates.csv"},
    "comparison": {"parent": "revision", "makes": "preference"},
}
ONE = "draft_template: [plain], essay_template: [write], critique_template: [mild]"
TEXTS = {
    "critique": (
        "template_id,generator,content,active",
        "harsh,llm,{{ essay_block }},true",
        "mild,llm,{{ essay_block }},true",
    ),
    "revision": ("template_id,generator,content,active", "again,llm,{{ critique_block }} {{ essay_block }},true"),
    "comparison": (
        "template_id,generator,parser,content,active",
        "bolder,llm,preference,{{ response_a }} or {{ response_b }}?,true",
    ),
}
CONFIG: dict[str, Any] = {"stages": STAGES}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_cohort_project(tmp_path, monkeypatch)
    write_models()
    for stage, lines in TEXTS.items():
        write(RAW / f"{stage}_templates.csv", "\n".join(lines) + "\n")


def counts(spec: str) -> dict[str, int]:
    return dict(Counter(row.stage for row in compiled(spec, **CONFIG)))


def test_a_spec_that_says_nothing_is_the_cohort_without_one():
    without = plan(cohort="other", **CONFIG).generations
    assert compiled("", **CONFIG) == tuple(replace(one, cohort_id=COHORT) for one in without)


def test_branches_do_not_multiply_each_other():
    # 3 combos, 2 draft templates, 2 writers, of each a copy and an essay; 2 rubrics and judges, 2 critics, 1 revision.
    assert counts("") == {
        "draft": 12,
        "essay": 24,
        "evaluation": 24 * 4,
        "critique": 48,
        "revision": 48,
        "second_evaluation": 48 * 4,
        "comparison": 3 * (16 * 15 // 2) * 2 * 2,
    }


def test_the_axes_of_one_branch_leave_the_others_alone():
    narrow = counts("axes: {critique_template: [mild], second_evaluation_llm: [critic], comparison_llm: [judge]}")
    assert (narrow["evaluation"], narrow["critique"]) == (24 * 4, 24)
    assert (narrow["revision"], narrow["second_evaluation"]) == (24, 24 * 2)
    assert narrow["comparison"] == 3 * (8 * 7 // 2) * 2


def test_a_rule_can_couple_an_added_stage_with_an_earlier_one():
    spec = (
        "rules: {pairs: {p: {left: essay_template, right: critique_template, allowed: [[write, harsh], [pass, mild]]}}}"
    )
    generations = compiled(spec, **CONFIG)
    essays = {row.gen_id: row.template_id for row in generations if row.stage == "essay"}
    pairs = {(essays[row.parent_gen_id], row.template_id) for row in generations if row.stage == "critique"}
    assert pairs == {("write", "harsh"), ("pass", "mild")}


def test_a_sample_is_one_row_of_every_stage():
    spec = "sample: {n: 10, seed: 1, balance: [critique_template, draft_llm]}\ncomparisons: {comparison: {choose: all}}"
    generations = compiled(spec, **CONFIG)
    numbers = Counter(row.stage for row in generations)
    assert numbers["second_evaluation"] == 10
    assert max(numbers["evaluation"], numbers["revision"]) <= 10
    # All that is there leads to what the rows say: no generation without a chain that is whole.
    by_key = {(row.stage, row.gen_id) for row in generations}
    assert all(("revision", row.parent_gen_id) in by_key for row in generations if row.stage == "second_evaluation")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("axes: {critique: [mild]}", "there is no axis 'critique'"),
        ("comparisons: {critique: {choose: all}}", "no stage 'critique' makes preferences"),
        ("comparisons: {comparisons: {choose: all}}", "Did you mean 'comparison'?"),
        ("comparisons: {comparison: {choose: sample, n: 1000}}", "there are 360 pairs of revisions of one combo"),
        ("sample: {n: 5, balance: [comparison_llm]}", "is an axis of comparisons"),
        (
            "axes: {draft_template: [plain], draft_llm: [writer], essay_template: [write], critique_template: [mild]}",
            "no combo",
        ),
    ],
)
def test_what_does_not_fit_is_a_fault(spec: str, words: str):
    assert words in "\n".join(map(str, faults_of(spec, **CONFIG)))

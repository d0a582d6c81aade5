"""Generations that are asked for and are current: they are confirmed, cost nothing, and are never called untried."""

from __future__ import annotations

import pytest

from studies import Study


@pytest.mark.parametrize(
    "options",
    [
        ("-F",),
        pytest.param(("--forcerun", "draft"), marks=pytest.mark.full_set),  # the long name of -R
        ("-f", "evaluations"),
        ("-R", "essay", "--nolock"),
    ],
    ids=lambda options: options[0],
)
def test_forced_generations_are_confirmed(options, copied: Study):
    copied.configure(max_failed_fraction=0.5)
    before = copied.parsed_texts()
    run = copied.run("-j4", *options)
    assert run.calls == ()
    assert "not tried" not in run.output
    assert copied.parsed_texts() == before
    assert not (copied.paths.cohort("c1").reports / "outdated").exists()
    assert copied.run("-n").did_nothing


def test_a_text_that_was_deleted_is_put_back(copied: Study):
    row = copied.rows("evaluation")[0]
    before = copied.parsed_texts()
    copied.files(row).parsed.unlink()
    run = copied.run("-j4")
    assert run.calls == ()
    assert "not tried" not in run.output
    assert "from stored replies" in run.output
    assert copied.parsed_texts() == before


def test_retries_tell_a_failure_once(make_study, provider):
    from provider import faults

    study = make_study()
    provider.script([faults.fault_refused(prompt_contains="evaluation novelty")])
    run = study.run("-j2", "--retries", "2", code=1)
    assert run.asked == {"draft thread": 1, "evaluation novelty": 1}
    assert run.output.count("failed, [refused]") == 1
    assert "failed" in run.output.split("Run of cohort")[1]

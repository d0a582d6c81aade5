"""In which order generations are made, and how many at a time."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from provider import Provider, faults
from studies import Choice, Study

CHAINS = 8
CHOICE = Choice(essays=("developed",), config={"replicates": {"draft": CHAINS}, "stages": {"draft": {"seed": 1}}})


@pytest.fixture
def own_provider():
    """A provider that nobody else calls, so that what it has seen is of one study alone."""
    with Provider(latency_s=0.1) as started:
        yield started


@pytest.fixture
def chains(tmp_path: Path, own_provider: Provider) -> Study:
    study = Study.create(tmp_path / "study", own_provider, CHOICE)
    study.build()
    return study


def test_what_a_long_rest_waits_for_comes_first(chains: Study, own_provider: Provider):
    # While the first essay takes its time, all others come to wait behind it, however slowly Snakemake names them.
    own_provider.script([faults.reply_slowly(4.0, prompt_contains="essay developed", times=1)])
    calls = chains.run("-j1").calls
    stages = [call.prompt.split()[0] for call in calls]
    assert [stage for stage, _ in groupby(stages)] == ["draft", "essay", "evaluation"]
    assert len(stages) == 3 * CHAINS


def test_there_are_as_many_calls_in_flight_as_the_command_says(chains: Study, own_provider: Provider):
    own_provider.script([faults.reply_together(3)])
    chains.run("-j3")
    assert own_provider.stats().peak_in_flight == 3


def test_the_log_of_snakemake_says_of_each_job_that_it_has_finished(chains: Study):
    chains.run("-j4")
    (log,) = (chains.folder / ".snakemake/log").glob("*.log")
    text = log.read_text(encoding="utf-8")
    assert text.count("(Rule: draft)") == CHAINS
    assert text.count("(Rule: evaluation)") == CHAINS
    assert "100%" in text

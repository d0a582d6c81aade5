"""`max_failed_fraction`: scores and reports in spite of a few failures, which are listed in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fault_study import EVALUATION, FaultStudy

from provider import Provider, faults

CHAINS = 4


@pytest.fixture
def study(tmp_path: Path, provider: Provider) -> FaultStudy:
    """A study in which one evaluation of four is refused."""
    provider.script([faults.fault_refused(prompt_contains=EVALUATION, nth=1)])
    return FaultStudy.with_chains(tmp_path, provider, CHAINS)


def test_scores_are_made_when_no_more_than_that_share_failed(study: FaultStudy, survived: Callable[..., None]) -> None:
    study.configure(max_failed_fraction=0.25)

    run = study.run(code=1)

    survived("one failure of four, max_failed_fraction 0.25", study, run)
    lines = study.scores()
    assert len(lines) == CHAINS
    assert ["refused" in line.split(",") for line in lines].count(True) == 1
    assert list(study.paths.cohort("c1").reports.glob("pivot_*.csv")) != []


def test_no_scores_are_made_when_more_failed(study: FaultStudy, survived: Callable[..., None]) -> None:
    study.configure(max_failed_fraction=0.2)

    run = study.run(code=1)

    survived("one failure of four, max_failed_fraction 0.2", study, run)
    assert list(study.paths.cohort("c1").reports.glob("*.csv")) == []

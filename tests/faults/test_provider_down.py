"""A provider that is away for a while: the calls wait for it, and none of them is lost or paid twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from fault_study import FaultStudy

from provider import Provider, faults

DOWN_S = 20


def test_a_provider_that_is_down_for_20_seconds(
    tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    provider.script([faults.fault_down(DOWN_S, nth=6)])
    study = FaultStudy.with_chains(tmp_path, provider, chains=5)
    started = time.monotonic()

    run = study.run()

    survived(f"provider down for {DOWN_S} s", study, run)
    assert time.monotonic() - started > DOWN_S
    assert len(study.parsed_texts()) == 15
    assert study.errors() == []

"""A cohort that runs to its end by batches in four starts of Snakemake, each killed once and started again."""

import time
from collections.abc import Callable

import pytest
from fault_study import PATIENCE_S, FaultStudy, end

from provider import Provider
from studies import Choice

BATCH = ("--config", "batch=true")


@pytest.mark.parametrize(
    ("drafts", "judgements"), [(3, 4), pytest.param(60, 48, marks=pytest.mark.full_set)], ids=["18", "3000"]
)
def test_a_kill_in_each_start_loses_nothing_and_buys_nothing_twice(tmp_path, noted, drafts, judgements):
    with Provider(api_key="none", keep_bodies=False) as provider:
        config = {
            "replicates": {"draft": drafts, "evaluation": judgements},
            "stages": {stage: {"seed": 1} for stage in ("draft", "essay", "evaluation")},
            "endpoints": {"local": {"batch": {"max_requests": max(2, drafts * judgements // 3)}}},
        }
        study = FaultStudy.create(tmp_path / "study", provider, Choice(essays=("developed",), config=config))
        study.build()

        def stored():
            # A kill between two writes leaves a reply as the receipt of itself.
            files = (path for form in ("*.json", "*.receipt") for path in study.paths.replies.glob(f"??/{form}"))
            return len({path.name.partition(".")[0] for path in files})

        def made(stage):
            return sum(1 for _ in study.paths.gens.glob(f"{stage}/*/parsed.txt"))

        killed_once(study, lambda: provider.batches()["operations"].get("create", 0) >= 1)
        provider.go_on()
        killed_once(study, lambda: stored() >= 1)
        provider.go_on()
        before = provider.batches()["operations"]["create"]
        killed_once(study, lambda: provider.batches()["operations"]["create"] > before)
        provider.go_on()
        killed_once(study, lambda: made("evaluation") >= 2)

        bought = provider.batches()["bought"]
        total = 2 * drafts + drafts * judgements
        assert (len(bought), set(bought.values())) == (total, {1})
        assert (made("draft"), made("essay"), made("evaluation")) == (drafts, drafts, drafts * judgements)
        assert stored() == total
        assert study.paths.cohort(study.config()["cohort"]).scores.exists()
        assert provider.calls == 0
    noted(f"kill -9 in each of four starts by batches ({total:,} generations)", total, "the next start goes on")


def killed_once(study: FaultStudy, moment: Callable[[], bool]) -> None:
    """Start Snakemake, kill it with all its processes at a moment, and start it again to its end."""
    running = study.start("-j8", "scores", *BATCH)
    deadline = time.monotonic() + PATIENCE_S
    while not moment() and running.poll() is None:
        assert time.monotonic() < deadline, "the moment did not come"
        time.sleep(0.01)
    end(running)
    study.run("--unlock")
    study.run("-j8", "scores", *BATCH)

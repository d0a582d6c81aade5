"""A cohort that runs to its end by batches in four starts of Snakemake, each killed once and started again."""

import time
from collections.abc import Callable

import pytest
from fault_study import PATIENCE_S, FaultStudy, end

from daydreaming.ledger.replies import ReplyStore
from provider import Provider
from provider.batch_faults import BatchFault
from studies import Choice

PRICES = (1, 2)  # of the study's models, in US dollars per million tokens
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

        def names():
            # A kill between two writes leaves a reply as the receipt of itself.
            files = (path for form in ("*.json", "*.receipt") for path in study.paths.replies.glob(f"??/{form}"))
            return {path.name.partition(".")[0] for path in files}

        def stored():
            return len(names())

        def made(stage):
            return sum(1 for _ in study.paths.gens.glob(f"{stage}/*/parsed.txt"))

        def killed_in_an_order(number):
            """Killed when the provider has done what the order of that number asks for, and nobody knows it here."""
            orders = provider.batches()["operations"].get("create", 0) + number
            provider.batch_faults(BatchFault("create", "late answer", nth=number))
            killed_once(study, lambda: provider.batches()["operations"].get("create", 0) >= orders)

        killed_in_an_order(1)
        provider.go_on()
        killed_in_an_order(1)
        provider.go_on()
        killed_in_an_order(2)
        provider.go_on()
        killed_once(study, lambda: stored() > 2 * drafts)

        bought = provider.batches()["bought"]
        total = 2 * drafts + drafts * judgements
        assert (len(bought), set(bought.values())) == (total, {1})
        assert (made("draft"), made("essay"), made("evaluation")) == (drafts, drafts, drafts * judgements)
        replies = [ReplyStore(study.paths).load(name) for name in names()]
        assert len(replies) == total
        tokens = (sum(reply.usage[f"{what}_tokens"] for reply in replies) for what in ("prompt", "completion"))
        single_usd = sum(number * price / 1e6 for number, price in zip(tokens, PRICES, strict=True))
        assert sum(reply.cost_usd for reply in replies) == pytest.approx(single_usd / 2)
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
    study.provider.batch_faults()
    study.run("--unlock")
    study.run("-j8", "scores", *BATCH)

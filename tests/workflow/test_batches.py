"""Snakemake with batches: starts that order, collect, go on, and end; a study that anyone can stop at any time."""

import pytest

from provider import Provider
from provider.batch_faults import BatchFault
from provider.faults import fault_status
from studies import Choice, Study

BATCH = ("--config", "batch=true")
TWO = Choice(combos=(("sleep", "tides"), ("sleep", "maps")), essays=("developed",))


@pytest.fixture
def account():
    # The studies of the tests name no key.
    with Provider(api_key="none") as started:
        yield started


@pytest.fixture
def kind():
    return "openai"


@pytest.fixture
def study(kind, tmp_path, account):
    study = Study.create(tmp_path / "study", account, TWO)
    if kind == "anthropic":
        name = study.config()["default_endpoint"]
        study.configure(
            endpoints={name: {"kind": "anthropic", "base_url": account.base_url.removesuffix("/v1")}},
            stages={stage: {"seed": None} for stage in ("draft", "essay", "evaluation")},
        )
    study.build()
    return study


def parsed(study, stage):
    return len(list((study.data / "gens" / stage).glob("*/parsed.txt")))


def bought(account):
    return account.batches()["bought"]


def expected(study, stage):
    return len(study.rows(stage))


def has_scores(study):
    return study.paths.cohort(study.config()["cohort"]).scores.exists()


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_a_cohort_goes_to_its_end_in_a_few_starts(study, account):
    first = study.run("-j4", "scores", *BATCH)
    assert "waiting:" in first.output
    assert "run the same command again" in first.output.lower()
    assert parsed(study, "draft") == 0
    for stage in ("draft", "essay"):
        account.go_on()
        said = study.run("-j4", "scores", *BATCH).output
        assert parsed(study, stage) == expected(study, stage), said
        assert "waiting:" in said
    account.go_on()
    last = study.run("-j4", "scores", *BATCH)
    assert "waiting" not in last.output
    assert has_scores(study)
    assert set(bought(account).values()) == {1}
    assert len(bought(account)) == sum(expected(study, stage) for stage in ("draft", "essay", "evaluation"))
    assert account.calls == 0
    # Whoever calls without batches finds the answers.
    study.run("-j4", "scores")
    assert account.calls == 0


def test_a_dry_run_says_what_waits_and_asks_nobody(study, account):
    before = study.run("-n", "scores", *BATCH).output
    assert "ready for the next batch" in before
    assert account.batches()["batches"] == {}
    study.run("-j4", "scores", *BATCH)
    operations = account.batches()["operations"]
    assert "waiting:" in study.run("-n", "scores", *BATCH).output
    assert account.batches()["operations"] == operations


def test_a_run_that_waits_needs_one_start(study, account, tmp_path):
    with Provider(api_key="none", batch_s=0.2) as quick:
        name = study.config()["default_endpoint"]
        kind = study.config()["endpoints"][name].get("kind", "openai")
        address = quick.base_url if kind == "openai" else quick.base_url.removesuffix("/v1")
        study.configure(endpoints={name: {"base_url": address}}, batch_poll_s=0.3)
        study.run("-j4", "scores", "--config", "batch=true", "batch_wait=true")
        assert set(quick.batches()["bought"].values()) == {1}
    assert has_scores(study)


def test_a_run_without_batches_pays_for_nothing_that_waits(study, account):
    study.run("-j4", "drafts", *BATCH)
    said = study.run("-j4", "drafts", code=1).output
    assert "waits in the batch" in said
    assert account.calls == 0


def test_cancelled_batches_keep_what_came_and_can_be_sent_again(study, account):
    study.run("-j4", "drafts", *BATCH)
    account.go_on("answer", share=0.5)
    said = study.run("-j1", "cancel-batches").output
    assert "canceled" in said
    assert "answered" in said
    study.run("-j4", "drafts", *BATCH)
    account.go_on()
    study.run("-j4", "drafts", *BATCH)
    assert parsed(study, "draft") == expected(study, "draft")
    assert set(bought(account).values()) == {1}


@pytest.mark.full_set
def test_what_comes_back_as_an_error_fails_in_that_run_and_is_asked_again_by_the_next(study, account):
    account.script([fault_status(400, times=1)])
    study.run("-j4", "drafts", *BATCH)
    account.go_on()
    said = study.run("-j4", "drafts", *BATCH, code=1).output
    assert "could not answer it in a batch" in said
    assert parsed(study, "draft") == expected(study, "draft") - 1
    assert "waiting:" in study.run("-j4", "drafts", *BATCH).output
    account.go_on()
    study.run("-j4", "drafts", *BATCH)
    assert parsed(study, "draft") == expected(study, "draft")


@pytest.mark.full_set
def test_an_order_whose_answer_was_lost_is_not_sent_again(study, account):
    account.batch_faults(BatchFault("create", "lost answer"))
    study.run("-j4", "drafts", *BATCH)
    study.run("-j4", "drafts", *BATCH)
    account.go_on()
    study.run("-j4", "drafts", *BATCH)
    assert parsed(study, "draft") == expected(study, "draft")
    assert set(bought(account).values()) == {1}


def test_plan_shows_both_prices_and_what_waits(study, account):
    study.run("-j4", "drafts", *BATCH)
    said = study.run("-j1", "plan", *BATCH).output
    assert "At the batch price" in said
    assert "wait in 1 batch" in said

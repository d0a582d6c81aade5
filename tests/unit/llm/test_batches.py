"""Batches against the server of the tests: orders, answers, what goes wrong, what is paid."""

import json
import os
import signal

import pytest
from batch_fixtures import KEY_VARIABLE, KINDS, Study

from daydreaming.base.errors import GenerationError
from daydreaming.ledger.batch_records import BatchState
from daydreaming.ledger.journal import Budget
from daydreaming.llm.batches.finding import SETTLES_IN_S
from provider import Provider
from provider.batch_faults import BatchFault
from provider.faults import fault_status

SECRET = "batch-secret-key-1234567"


@pytest.fixture(scope="module")
def server():
    with Provider(api_key=SECRET) as started:
        yield started


@pytest.fixture(params=KINDS)
def study(request, server, tmp_path, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, SECRET)
    server.batch_faults()
    server.script([])
    server.go_on()
    server.go_on("vanish")
    server.forget_bought()
    return Study(tmp_path, server, request.param)


def test_answers_become_stored_replies_at_the_batch_price(study):
    (record,) = study.submit(5).sent
    assert (record.state, record.requests, study.stored(5)) == (BatchState.ACCEPTED, 5, 0)
    assert study.account.reserved_usd == pytest.approx(record.reserved_usd)
    assert study.look()[0].state is BatchState.ACCEPTED
    study.provider.go_on()
    (record,) = study.look()
    assert (record.state, record.outcomes, study.stored(5)) == (BatchState.COLLECTED, {"answered": 5}, 5)
    reply = study.store.load(study.wanted(1)[0].request.sha256)
    usage = reply.usage
    assert reply.cost_usd == pytest.approx((usage["prompt_tokens"] * 1.0 + usage["completion_tokens"] * 2.0) / 2e6)
    assert "Thought" in reply.text
    assert reply.finish_reason in ("stop", "end_turn")
    assert study.account.spent_usd == pytest.approx(record.cost_usd)
    assert (study.account.reserved_usd, study.account.calls) == (0, 5)


def test_each_request_is_ordered_once(study):
    study.submit(3)
    assert study.submit(4).sent[0].requests == 1
    assert study.submit(4).sent == []
    study.provider.go_on()
    study.look()
    assert study.submit(4).sent == []
    assert set(study.bought().values()) == {1}


def test_groups_are_of_one_model_and_within_the_limits(study, tmp_path):
    small = Study(
        tmp_path / "small", study.provider, study.settings.endpoints["scripted"].kind, batch={"max_requests": 2}
    )
    exchange = small.exchange()
    sent = exchange.submit([*small.wanted(3), *small.wanted(3, model="model-b")]).sent
    exchange.close()
    assert [(record.model, record.requests) for record in sent] == [
        ("model-a", 2),
        ("model-a", 1),
        ("model-b", 2),
        ("model-b", 1),
    ]
    by_bytes = Study(
        tmp_path / "bytes", study.provider, study.settings.endpoints["scripted"].kind, batch={"max_bytes": 4096}
    )
    assert len(by_bytes.submit(60).sent) > 1
    study.provider.go_on()
    assert {record.state for record in by_bytes.look()} == {BatchState.COLLECTED}


def test_a_request_that_waits_is_not_called_for(study):
    study.submit(1)
    with pytest.raises(GenerationError, match="waits in the batch"):
        study.records.check_is_not_waiting(study.wanted(1)[0].request.sha256)
    study.provider.go_on()
    study.look()
    study.records.check_is_not_waiting(study.wanted(1)[0].request.sha256)


def test_a_request_that_somebody_calls_for_now_is_left_out(study):
    asked = study.wanted(2)[0].request.sha256
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with study.store.claimed([asked]):
            os.write(writing, b"held")
            signal.pause()
    assert os.read(reading, 4) == b"held"
    try:
        assert study.submit(2).sent[0].requests == 1
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert study.submit(2).sent[0].requests == 1


@pytest.mark.parametrize("effect", ["lost answer", "status after", "error in 200", "cut"])
def test_a_batch_whose_acceptance_was_lost_is_found_and_bought_once(study, effect):
    study.provider.batch_faults(BatchFault("create", effect))
    study.submit(4)
    assert study.submit(4).sent == []
    study.provider.go_on()
    (record,) = study.look()
    assert (record.state, study.stored(4)) == (BatchState.COLLECTED, 4)
    assert sorted(study.bought().values()) == [1] * 4


def test_a_batch_that_never_arrived_goes_again_when_that_is_certain(study):
    study.provider.batch_faults(BatchFault("create", "reset"))
    study.submit(4)
    (record,) = study.look()
    assert (record.state, study.submit(4).sent) == (BatchState.SENDING, [])
    (record,) = study.look(later_s=SETTLES_IN_S + 1)
    assert (record.state, study.account.reserved_usd) == (BatchState.NOT_SENT, 0)
    assert study.submit(4).sent[0].requests == 4


def test_a_strangers_batch_of_as_many_requests_is_only_suspected(server, tmp_path, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, SECRET)
    server.go_on()
    server.go_on("vanish")
    server.forget_bought()
    stranger, study = Study(tmp_path / "a", server, "anthropic"), Study(tmp_path / "b", server, "anthropic")
    stranger.submit(3)
    server.batch_faults(BatchFault("create", "reset"))
    study.submit(3)
    (record,) = study.look(later_s=SETTLES_IN_S + 1)
    assert (record.state, len(record.suspects), study.submit(3).sent) == (BatchState.SENDING, 1, [])
    server.go_on()
    (record,) = study.look(later_s=SETTLES_IN_S + 1)
    assert (record.state, study.stored(3)) == (BatchState.NOT_SENT, 0)
    assert stranger.look()[0].state is BatchState.COLLECTED


def test_what_expired_is_free_again_and_what_came_is_kept(study):
    study.submit(4)
    study.provider.go_on("expired", share=0.5)
    (record,) = study.look()
    assert (record.state, record.outcomes) == (BatchState.COLLECTED, {"answered": 2, "expired": 2})
    assert (study.stored(4), study.account.reserved_usd) == (2, 0)
    assert study.submit(4).sent[0].requests == 2


def test_cancelling_keeps_what_came_and_pays_for_it_once(study):
    study.submit(4)
    study.provider.go_on("answer", share=0.5)
    (record,) = study.cancel()
    assert (record.state, record.outcomes) == (BatchState.COLLECTED, {"answered": 2, "canceled": 2})
    assert (study.stored(4), study.account.reserved_usd) == (2, 0)
    assert study.account.spent_usd == pytest.approx(record.cost_usd)
    assert study.submit(4).sent[0].requests == 2


def test_requests_that_come_back_as_errors_are_told_and_cost_nothing(study):
    study.provider.script([fault_status(400, prompt_contains="Thought 1 ")])
    study.submit(3)
    study.provider.go_on()
    (record,) = study.look()
    assert (record.state, record.outcomes) == (BatchState.COLLECTED, {"answered": 2, "errored": 1})
    assert list(record.errors) == [study.wanted(3)[1].request.sha256]
    assert (study.stored(3), study.account.reserved_usd) == (2, 0)


@pytest.mark.parametrize("effect", ["cut", "cut clean", "missing"])
def test_results_that_are_not_whole_are_fetched_again(study, effect):
    study.submit(4)
    study.provider.go_on()
    study.provider.batch_faults(BatchFault("results", effect))
    (record,) = study.look()
    assert (record.state, record.is_stuck, study.submit(4).sent) == (BatchState.ACCEPTED, True, [])
    stored = study.stored(4)
    assert stored < 4
    (record,) = study.look()
    assert (record.state, study.stored(4)) == (BatchState.COLLECTED, 4)
    assert study.account.spent_usd == pytest.approx(record.cost_usd)


@pytest.mark.parametrize(
    ("effect", "outcomes"),
    [
        ("swapped", {"answered": 4}),
        ("twice", {"answered": 4, "repeated ids": 4}),
        ("other twice", {"answered": 4, "repeated ids": 1}),
        ("stranger", {"answered": 4, "of other ids": 1}),
    ],
)
def test_rows_are_matched_by_their_ids_alone(study, effect, outcomes):
    study.submit(4)
    study.provider.go_on()
    study.provider.batch_faults(BatchFault("results", effect))
    (record,) = study.look()
    assert (record.state, record.outcomes) == (BatchState.COLLECTED, outcomes)
    texts = {study.store.load(one.request.sha256).text for one in study.wanted(4)}
    assert len(texts) == 4
    assert not any("Afterthought" in text for text in texts)


def test_a_vanished_batch_waits_for_the_user_who_may_give_it_up(study):
    study.submit(2)
    study.provider.go_on("vanish")
    (record,) = study.look()
    assert (record.state, record.is_stuck, study.submit(2).sent) == (BatchState.ACCEPTED, True, [])
    reserved = study.account.reserved_usd
    (record,) = study.cancel()
    assert record.state is BatchState.GIVEN_UP
    assert (study.account.reserved_usd, study.account.spent_usd) == (0, pytest.approx(reserved))
    assert study.submit(2).sent[0].requests == 2


def test_an_error_object_instead_of_a_batch_is_told_and_loses_nothing(study):
    study.submit(2)
    study.provider.go_on()
    study.provider.batch_faults(BatchFault("retrieve", "error in 200"))
    (record,) = study.look()
    assert "answered with no batch" in record.problem
    assert study.look()[0].state is BatchState.COLLECTED


def test_a_budget_lets_as_many_through_as_fit(study, tmp_path):
    (record,) = study.submit(4).sent
    kind = study.settings.endpoints["scripted"].kind
    poor = Study(tmp_path / "poor", study.provider, kind, Budget(usd=record.reserved_usd / 2 + 1e-9))
    submission = poor.submit(4)
    assert submission.sent[0].requests == 2
    assert "budget_usd" in submission.problems[0]
    assert poor.submit(4).sent == []


@pytest.mark.parametrize("operation", ["upload", "create"])
def test_what_a_provider_refuses_costs_nothing(study, operation):
    if study.settings.endpoints["scripted"].kind == "anthropic" and operation == "upload":
        pytest.skip("nothing is uploaded there")
    study.provider.batch_faults(BatchFault(operation, "status", status=400))
    submission = study.submit(2)
    assert (submission.sent, study.account.reserved_usd) == ([], 0)
    assert "status 400" in submission.problems[0]
    assert study.submit(2).sent[0].requests == 2


def test_create_is_never_repeated_by_itself(study):
    study.provider.batch_faults(BatchFault("create", "status", status=500))
    before = len(study.provider.batches()["batches"])
    study.submit(2)
    study.provider.batch_faults()
    assert len(study.provider.batches()["batches"]) == before
    assert study.look()[0].state is BatchState.SENDING


def test_no_file_holds_the_key(study, tmp_path):
    study.submit(2)
    study.provider.batch_faults(BatchFault("retrieve", "status", status=500))
    study.look()
    study.provider.go_on()
    study.look()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert not any(SECRET.encode() in path.read_bytes() for path in files)


def test_a_key_that_a_provider_repeats_is_not_shown(study, tmp_path, monkeypatch):
    wrong = "wrong-secret-key-7654321"
    monkeypatch.setenv(KEY_VARIABLE, wrong)
    (problem,) = study.submit(2).problems
    assert "Incorrect API key provided" in problem
    assert wrong not in problem
    assert not any(wrong.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_damaged_record_stops_what_could_buy_again(study):
    study.submit(2)
    (path,) = (study.settings.paths.batches).glob("*.json")
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(GenerationError, match="not the record of a batch"):
        study.submit(2)


def test_a_record_says_what_a_person_wants_to_know(study):
    (record,) = study.submit(2).sent
    said = json.loads((study.settings.paths.batches / f"{record.batch_id}.json").read_text())
    assert (said["state"], said["requests"], said["model"]) == ("accepted", 2, "model-a")
    assert said["provider_id"].startswith(("batch_", "msgbatch_"))

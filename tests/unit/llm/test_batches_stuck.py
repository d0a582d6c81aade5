"""Batches that may never come: what cannot be known is neither sent again nor free before the user gives it up."""

import multiprocessing
import os

import openai
import pytest
from batch_fixtures import KEY_VARIABLE, KINDS, Study

from daydreaming.ledger.batch_records import BatchState
from daydreaming.llm.batches.exchange import PERHAPS_GONE_FOR_S
from daydreaming.llm.batches.finding import SETTLES_IN_S
from provider import Provider
from provider.batch_faults import BatchFault

KEY = "batch-key"
LATER_S = SETTLES_IN_S + 1


@pytest.fixture(scope="module")
def server():
    with Provider(api_key=KEY) as started:
        yield started


@pytest.fixture
def new_study(server, tmp_path, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    server.batch_faults()
    server.go_on()
    server.go_on("vanish")
    server.forget_bought()
    return lambda kind, name="study", **endpoint: Study(tmp_path / name, server, kind, **endpoint)


@pytest.fixture(params=KINDS)
def study(request, new_study):
    return new_study(request.param)


def has_spent_its_reservation(study, reserved):
    return (study.account.reserved_usd, study.account.spent_usd) == (0, pytest.approx(reserved))


def test_an_error_object_that_stays_for_an_hour_can_be_given_up(study):
    (record,) = study.submit(2).sent
    study.provider.batch_faults(BatchFault("retrieve", "error in 200", times=99))
    (record,) = study.cancel()
    assert (record.state, "gives it up from" in record.problem) == (BatchState.ACCEPTED, True)
    assert study.submit(2).sent == []
    (record,) = study.cancel(later_s=PERHAPS_GONE_FOR_S + 60)
    assert record.state is BatchState.GIVEN_UP
    assert has_spent_its_reservation(study, record.reserved_usd)
    assert study.submit(2).sent[0].requests == 2


def test_an_object_that_is_no_batch_counts_as_an_error_object(study):
    study.submit(2)
    study.provider.batch_faults(BatchFault("retrieve", "empty object", times=99))
    assert study.look()[0].missing_since is not None
    assert study.cancel(later_s=PERHAPS_GONE_FOR_S + 60)[0].state is BatchState.GIVEN_UP


def test_an_object_that_is_no_list_does_not_say_that_a_batch_is_not_there(study):
    study.provider.batch_faults(BatchFault("create", "lost answer"), BatchFault("list", "empty object", times=2))
    study.submit(2)
    (record,) = study.look(later_s=LATER_S)
    assert (record.state, study.submit(2).sent) == (BatchState.SENDING, [])
    study.provider.go_on()
    study.look()
    assert sorted(study.bought().values()) == [1] * 2


def test_an_upload_that_is_answered_with_nothing_is_told(new_study, server):
    study = new_study("openai")
    server.batch_faults(BatchFault("upload", "empty object"))
    submission = study.submit(2)
    assert "answered with no batch" in submission.problems[0]
    assert (submission.sent, study.account.reserved_usd) == ([], 0)


def test_an_error_object_that_passes_does_not_count_later(study):
    study.submit(2)
    study.provider.batch_faults(BatchFault("retrieve", "error in 200"))
    assert study.look()[0].missing_since is not None
    assert study.look()[0].missing_since is None
    study.provider.batch_faults(BatchFault("retrieve", "error in 200", times=99))
    (record,) = study.cancel(later_s=PERHAPS_GONE_FOR_S + 60)
    assert record.state is BatchState.ACCEPTED


def test_a_suspect_without_results_is_not_taken_for_a_strangers(new_study, server):
    stranger, study = new_study("anthropic", "stranger"), new_study("anthropic")
    stranger.submit(2)
    server.batch_faults(BatchFault("create", "reset"))
    study.submit(2)
    server.go_on()
    # As after 29 days, when Anthropic has deleted them.
    server.batch_faults(BatchFault("results", "status", status=404, times=99))
    (record,) = study.look(later_s=LATER_S)
    assert (record.state, record.is_stuck, study.submit(2).sent) == (BatchState.SENDING, True, [])
    (record,) = study.cancel(later_s=LATER_S)
    assert record.state is BatchState.GIVEN_UP
    assert has_spent_its_reservation(study, record.reserved_usd)


def test_a_key_of_another_project_does_not_make_an_order_unsent(new_study, server):
    study = new_study("openai")
    server.batch_faults(BatchFault("create", "reset"))
    study.submit(2)
    (record,) = study.look()
    # What another project sees: neither the batch nor the file that it was to be made of.
    with openai.OpenAI(base_url=server.base_url, api_key=KEY) as client:
        client.files.delete(record.input_file_id)
    (record,) = study.look(later_s=LATER_S)
    assert (record.state, record.is_stuck, study.submit(2).sent) == (BatchState.SENDING, True, [])
    assert "another project" in record.problem
    assert study.cancel(later_s=LATER_S)[0].state is BatchState.GIVEN_UP


def test_an_endpoint_with_another_address_is_not_asked_about_a_batch(new_study, server):
    study = new_study("openai")
    study.submit(2)
    server.go_on()
    with Provider(api_key=KEY) as other:
        moved = Study(study.journal_file.parent, other, "openai")
        (record,) = moved.look()
        assert (record.state, "Put it back" in record.problem) == (BatchState.ACCEPTED, True)
        assert moved.cancel()[0].state is BatchState.ACCEPTED
        assert other.batches()["operations"] == {}
    assert study.look()[0].state is BatchState.COLLECTED


def test_a_batch_that_failed_after_some_answers_keeps_them(new_study, server):
    study = new_study("openai")
    study.submit(4)
    server.go_on("failed", share=0.5)
    (record,) = study.look()
    assert (record.state, record.outcomes) == (BatchState.COLLECTED, {"answered": 2, "canceled": 2})
    assert (study.stored(4), study.account.reserved_usd) == (2, 0)
    assert study.account.spent_usd > 0


def test_a_failed_batch_that_hides_its_answers_is_not_sent_again(new_study, server):
    study = new_study("openai")
    study.submit(4)
    server.go_on("failed without files", share=0.5)
    (record,) = study.look()
    assert (record.state, record.is_stuck, study.submit(4).sent) == (BatchState.ACCEPTED, True, [])
    assert study.account.reserved_usd > 0


def test_an_answer_that_is_missing_from_a_cancelled_batch_is_asked_for_again(new_study, server):
    study = new_study("openai")
    study.submit(4)
    server.go_on("answer", share=0.75)
    server.batch_faults(BatchFault("results", "missing"))
    (record,) = study.cancel()
    assert (record.state, record.is_stuck, study.stored(4)) == (BatchState.ACCEPTED, True, 2)
    assert study.submit(4).sent == []
    (record,) = study.look()
    assert (record.state, record.outcomes) == (BatchState.COLLECTED, {"answered": 3, "canceled": 1})
    assert study.account.spent_usd == pytest.approx(record.cost_usd)


def test_answers_that_one_look_cannot_fetch_are_not_given_up(study):
    study.submit(2)
    study.provider.go_on()
    study.provider.batch_faults(BatchFault("results", "status", status=500, times=2))
    (record,) = study.cancel()
    assert (record.state, study.stored(2), study.submit(2).sent) == (BatchState.ACCEPTED, 0, [])
    (record,) = study.cancel()
    assert (record.state, study.stored(2)) == (BatchState.COLLECTED, 2)
    assert sorted(study.bought().values()) == [1] * 2


def test_a_record_of_the_same_tick_is_seen(study):
    study.submit(1)
    folder = study.settings.paths.batches
    records = study.records
    before = records.waiting()
    changed_at = folder.stat().st_mtime_ns
    study.submit(2)
    os.utime(folder, ns=(changed_at, changed_at))
    assert len(records.waiting()) == len(before) + 1


def submit_at_once(folder, provider, kind, gate):
    study = Study(folder, provider, kind)
    gate.wait()
    study.submit(6)


def test_two_processes_that_send_at_once_buy_once(study):
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(2)
    kind = study.settings.endpoints["scripted"].kind
    arguments = (study.journal_file.parent, study.provider, kind, gate)
    processes = [context.Process(target=submit_at_once, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    study.provider.go_on()
    study.look()
    assert (study.stored(6), sorted(study.bought().values())) == (6, [1] * 6)

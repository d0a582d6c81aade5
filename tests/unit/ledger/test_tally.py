"""What one run did, counted from the journal."""

import pytest

from daydreaming.ledger.journal import Budget, Journal, read_events
from daydreaming.ledger.tally import JournalTail, RunTally

WHO = {"stage": "draft", "template_id": "thread", "llm_model_id": "writer"}


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl", Budget(), "run-1", lambda _: None)
    yield journal
    journal.close()


def start(journal, reserve_usd=0.5):
    return journal.start_call(reserve_usd, gen_id="d1", request_sha256="0" * 64, **WHO)


def finish(journal, gen_id, result, **details):
    journal.write("generation", gen_id=gen_id, result=result, **WHO, **details)


def tally_of(path, run_id="run-1"):
    tally = RunTally(run_id)
    for event in read_events(path):
        tally.take(event)
    return tally


def test_calls_tokens_and_costs_add_up(journal, tmp_path):
    for cost in (0.25, 0.5):
        journal.end_call(start(journal), cost_usd=cost, perhaps_billed=True, prompt_tokens=10, completion_tokens=3)
    tally = tally_of(tmp_path / "journal.jsonl")
    assert (tally.calls, tally.ended_calls, tally.failed_calls, tally.in_flight) == (2, 2, 0, 0)
    assert (tally.prompt_tokens, tally.completion_tokens) == (20, 6)
    assert (tally.cost_usd, tally.perhaps_usd, tally.unpriced_calls) == (0.75, 0.0, 0)


def test_what_is_not_known_to_be_spent_is_kept_apart(journal, tmp_path):
    journal.end_call(start(journal, 0.5), kind="timeout", perhaps_billed=True)
    journal.end_call(start(journal, 4.0), kind="api", status=400, perhaps_billed=None)
    journal.end_call(start(journal, None), cost_usd=None, perhaps_billed=True)
    start(journal, 0.25)
    start(journal, None)
    tally = tally_of(tmp_path / "journal.jsonl")
    assert (tally.calls, tally.ended_calls, tally.failed_calls, tally.in_flight) == (5, 3, 2, 2)
    assert (tally.cost_usd, tally.perhaps_usd, tally.unpriced_calls) == (0.0, 0.75, 1)


def test_generations_count_with_their_last_result(journal, tmp_path):
    finish(journal, "d1", "timeout")
    finish(journal, "d2", "parse")
    finish(journal, "d1", "made")
    finish(journal, "d3", "reused", saved_usd=0.25)
    tally = tally_of(tmp_path / "journal.jsonl")
    assert (tally.succeeded("draft"), tally.failed("draft"), tally.failed(), tally.failed("essay")) == (2, 1, 1, 0)
    assert [(failure.gen_id, failure.result) for failure in tally.failures()] == [("d2", "parse")]
    assert tally.saved_usd == 0.25


def test_lines_of_other_runs_are_passed_over(journal, tmp_path):
    journal.end_call(start(journal), cost_usd=1.0)
    finish(journal, "d1", "made")
    tally = tally_of(tmp_path / "journal.jsonl", "run-2")
    assert (tally.calls, tally.cost_usd, tally.succeeded("draft")) == (0, 0.0, 0)


def test_a_tail_gives_what_comes_after_it_once(journal, tmp_path):
    finish(journal, "d1", "made")
    tail = JournalTail(tmp_path / "journal.jsonl")
    assert list(tail.read()) == []
    finish(journal, "d2", "made")
    finish(journal, "d3", "made")
    assert [event["gen_id"] for event in tail.read()] == ["d2", "d3"]
    assert list(tail.read()) == []
    finish(journal, "d4", "made")
    assert [event["gen_id"] for event in tail.read()] == ["d4"], "not a byte more or less was read before"


def test_a_tail_waits_for_the_end_of_a_line(tmp_path):
    path = tmp_path / "journal.jsonl"
    tail = JournalTail(path)
    assert list(tail.read()) == []
    path.write_bytes(b'{"event": "generation", "gen_')
    assert list(tail.read()) == []
    path.write_bytes(b'{"event": "new", "gen_id": "d1"}\n{torn\n')
    assert [event["gen_id"] for event in tail.read()] == ["d1"]


def test_a_tail_reads_lines_across_its_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("daydreaming.ledger.tally._BLOCK_BYTES", 7)
    path = tmp_path / "journal.jsonl"
    tail = JournalTail(path)
    path.write_bytes(b"".join(b'{"event": "new", "gen_id": "d%d"}\n' % number for number in range(5)))
    assert [event["gen_id"] for event in tail.read()] == ["d0", "d1", "d2", "d3", "d4"]
    assert list(tail.read()) == []


def test_what_was_found_current_is_a_success(journal, tmp_path):
    finish(journal, "d1", "kept")
    tally = tally_of(tmp_path / "journal.jsonl")
    assert (tally.succeeded("draft"), tally.failed(), tally.failures()) == (1, 0, [])


def test_a_line_that_cannot_be_used_is_named_and_counts_nothing(journal, tmp_path):
    finish(journal, "d1", "made")
    path = tmp_path / "journal.jsonl"
    bad = b'{"event": "call_ended", "call": "x", "cost_usd": "a lot", "run": "run-1"}'
    path.write_bytes(path.read_bytes() + bad + b"\n")
    tally = tally_of(tmp_path / "journal.jsonl")
    assert (tally.cost_usd, tally.ended_calls, tally.succeeded("draft")) == (0.0, 0, 1)
    (named,) = tally.bad_lines
    assert named.startswith("line 2: ")
    assert "cost_usd" in named

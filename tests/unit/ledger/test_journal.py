from __future__ import annotations

import json
import os
import resource
import threading
from pathlib import Path

import pytest
from core_fixtures import python

from daydreaming.base.errors import GenerationError
from daydreaming.base.locks import locked_file
from daydreaming.ledger.journal import Budget, Journal, read_events

SHA = "a" * 64
SPENDS = """
import sys
from pathlib import Path
from daydreaming.base.errors import GenerationError
from daydreaming.ledger.journal import Budget, Journal
journal = Journal(Path(sys.argv[1]), Budget(usd=1.0), "run", lambda name: None)
input()
made = 0
try:
    while True:
        call = journal.start_call(0.1, request_sha256="a")
        made += 1
        journal.end_call(call, cost_usd=0.05)
except GenerationError:
    print(made)
"""


def journal(folder: Path, budget: Budget | None = None, stored: dict[str, float | None] | None = None) -> Journal:
    return Journal(folder / "cohort" / "journal.jsonl", budget or Budget(), "run-1", (stored or {}).get)


def start(book: Journal, usd: float | None = 0.1, request_sha256: str = SHA) -> str:
    return book.start_call(usd, request_sha256=request_sha256)


def refusal(book: Journal, usd: float | None = 0.1) -> str:
    with pytest.raises(GenerationError) as caught:
        start(book, usd)
    assert caught.value.kind == "budget"
    return caught.value.message


def test_every_line_says_what_when_and_in_which_run(tmp_path: Path):
    book = journal(tmp_path)
    call = book.start_call(0.5, stage="draft", request_sha256=SHA)
    book.end_call(call, cost_usd=0.2, seconds=1.5)
    book.write("generation", stage="draft", gen_id="d1", template_id="t", llm_model_id="m", result="made")
    book.close()
    started, ended, made = read_events(tmp_path / "cohort" / "journal.jsonl")
    assert {"event": "call_started", "call": call, "reserved_usd": 0.5, "stage": "draft"}.items() <= started.items()
    assert {"event": "call_ended", "call": call, "cost_usd": 0.2, "seconds": 1.5}.items() <= ended.items()
    assert (made["event"], made["result"], made["run"]) == ("generation", "made", "run-1")
    assert started["time"] <= ended["time"] <= made["time"]


def test_there_need_be_no_journal(tmp_path: Path):
    assert list(read_events(tmp_path / "none.jsonl")) == []


def test_without_a_budget_nothing_is_refused(tmp_path: Path):
    book = journal(tmp_path)
    assert len({start(book, usd=10.0**9) for _ in range(20)}) == 20


def test_calls_in_flight_count_with_the_most_that_they_can_cost(tmp_path: Path):
    book = journal(tmp_path, Budget(usd=1.0))
    first = start(book, 0.6)
    message = refusal(book, 0.5)
    assert "0.600000 reserved" in message
    assert "Raise budget_usd" in message
    book.end_call(first, cost_usd=0.1)
    start(book, 0.9)
    refusal(book, 0.001)


def test_a_refused_call_leaves_no_trace(tmp_path: Path):
    book = journal(tmp_path, Budget(usd=1.0, calls=9))
    refusal(book, 1.5)
    assert list(read_events(tmp_path / "cohort" / "journal.jsonl")) == []
    start(book, 1.0)


@pytest.mark.parametrize(
    ("end", "left"),
    [
        ({"cost_usd": 0.1}, 0.9),
        ({"cost_usd": 0.0, "perhaps_billed": True}, 1.0),
        ({"cost_usd": None, "perhaps_billed": True}, 0.4),
        ({"kind": "timeout", "perhaps_billed": True}, 0.4),
        ({"kind": "rate_limit", "perhaps_billed": None}, 1.0),
        ({"cost_usd": 0.8}, 0.2),
    ],
)
def test_what_an_ended_call_leaves_of_the_budget(tmp_path: Path, end: dict[str, object], left: float):
    book = journal(tmp_path, Budget(usd=1.0))
    book.end_call(start(book, 0.6), **end)
    refusal(book, left + 0.001)
    start(book, left - 0.001)


def test_the_calls_of_the_cohort_are_counted_whatever_became_of_them(tmp_path: Path):
    book = journal(tmp_path, Budget(calls=3))
    book.end_call(start(book), kind="api")
    start(book)
    start(book)
    message = refusal(book)
    assert "has made 3 calls and budget_calls is 3" in message


def test_a_budget_of_nothing_allows_nothing_but_what_is_free(tmp_path: Path):
    refusal(journal(tmp_path, Budget(calls=0)))
    book = journal(tmp_path, Budget(usd=0.0))
    refusal(book, 0.000001)
    start(book, 0.0)


def test_a_budget_holds_for_the_whole_life_of_a_cohort(tmp_path: Path):
    earlier = journal(tmp_path)
    earlier.end_call(start(earlier), cost_usd=0.7)
    earlier.close()
    book = journal(tmp_path, Budget(usd=1.0))
    refusal(book, 0.4)
    start(book, 0.2)


def test_two_journals_of_a_cohort_see_each_other_s_calls(tmp_path: Path):
    one, other = journal(tmp_path, Budget(usd=1.0)), journal(tmp_path, Budget(usd=1.0))
    call = start(one, 0.8)
    refusal(other, 0.3)
    one.end_call(call, cost_usd=0.1)
    start(other, 0.3)
    refusal(one, 0.7)


def test_processes_share_a_budget_to_the_last_cent(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    spenders = [python(SPENDS, path) for _ in range(2)]
    for spender in spenders:
        spender.stdin.write("go\n")
        spender.stdin.flush()
    outputs = [spender.communicate(timeout=120)[0] for spender in spenders]
    costs = [event["cost_usd"] for event in read_events(path) if event["event"] == "call_ended"]
    assert sum(map(int, outputs)) == len(costs)
    assert 0.9 < sum(costs) <= 1.0


def test_a_journal_waits_while_another_process_looks_and_writes(tmp_path: Path):
    path = tmp_path / "cohort" / "journal.jsonl"
    book, done = journal(tmp_path, Budget(calls=1)), threading.Event()
    book.write("note")
    descriptor = os.open(path, os.O_RDWR)
    waiting = threading.Thread(target=lambda: (book.write("note"), done.set()))
    with locked_file(descriptor):
        waiting.start()
        assert not done.wait(0.1)
    assert done.wait(60)
    waiting.join()
    os.close(descriptor)


def test_threads_share_a_budget(tmp_path: Path):
    book, made = journal(tmp_path, Budget(calls=20)), []

    def spend() -> None:
        for _ in range(10):
            try:
                made.append(start(book))
            except GenerationError:
                return

    threads = [threading.Thread(target=spend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == len(set(made)) == 20


def test_a_line_that_a_power_loss_tore_is_passed_over(tmp_path: Path):
    path = tmp_path / "cohort" / "journal.jsonl"
    book = journal(tmp_path)
    book.end_call(start(book), cost_usd=0.25)
    book.close()
    with path.open("ab") as stream:
        stream.write(b'{"event": "call_started", "call": "x", "reser')
    book = journal(tmp_path, Budget(usd=1.0))
    call = start(book, 0.5)
    book.end_call(call, cost_usd=0.5)
    refusal(journal(tmp_path, Budget(usd=1.0)), 0.26)
    start(journal(tmp_path, Budget(usd=1.0)), 0.25)
    assert [event["event"] for event in read_events(path)] == ["call_started", "call_ended"] * 2 + ["call_started"]


@pytest.mark.parametrize(
    "line",
    [
        b"[1]",
        b"{}",
        b"null",
        b'{"event": 5}',
        b'{"event": "call_ended", "call": "other", "cost_usd": "a lot"}',
        b'{"event": "call_ended", "call": "other", "cost_usd": -1000}',
        b'{"event": "call_ended", "call": "other", "prompt_tokens": -5}',
        b'{"event": "call_started", "call": "other", "reserved_usd": -5, "request_sha256": "0"}',
        b'{"event": "call_started", "call": ["other"], "request_sha256": "0"}',
        b'{"event": "generation", "stage": "draft", "gen_id": 5}',
        b'{"event": "generation" "stage"}',
    ],
)
def test_a_line_that_cannot_be_used_is_skipped_and_named(tmp_path: Path, line: bytes):
    path = tmp_path / "cohort" / "journal.jsonl"
    book = journal(tmp_path, Budget(usd=1.0))
    book.end_call(start(book, 0.5), cost_usd=0.25)
    book.close()
    path.write_bytes(path.read_bytes() + line + b"\n\n")
    start(journal(tmp_path, Budget(usd=1.0)), 0.75)
    refusal(journal(tmp_path, Budget(usd=1.0)), 0.01)
    events = list(read_events(path))
    assert [event["event"] for event in events] == ["call_started", "call_ended", "bad_line", "call_started"]
    assert (events[2]["line"], bool(events[2]["problem"])) == (3, True)


def test_a_line_that_the_disk_takes_half_of_leaves_the_next_one_whole(tmp_path: Path):
    book = journal(tmp_path)
    call = start(book)
    path = tmp_path / "cohort" / "journal.jsonl"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            start(book)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    book.end_call(call, cost_usd=0.05)
    assert [event["event"] for event in read_events(path)] == ["call_started", "call_ended"]


def test_a_line_of_bytes_that_are_no_event_and_have_no_end_is_a_torn_one(tmp_path: Path):
    path = tmp_path / "cohort" / "journal.jsonl"
    path.parent.mkdir()
    path.write_bytes(b"\xff\n\n")
    start(journal(tmp_path, Budget(calls=1)))
    assert [event["event"] for event in read_events(path)] == ["call_started"]


def test_events_of_later_versions_are_left_alone(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"event": "something new", "call": 5}\n')
    assert list(read_events(path)) == [{"event": "something new", "call": 5}]


def test_a_journal_of_many_megabytes_is_read_line_by_line(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    with path.open("w") as stream:
        for number in range(3000):
            stream.write(json.dumps({"event": "note", "number": number, "text": "é" * 300}, ensure_ascii=False) + "\n")
    assert [event["number"] for event in read_events(path)] == list(range(3000))


def test_a_call_whose_process_died_stays_reserved(tmp_path: Path):
    start(journal(tmp_path), 0.9)
    refusal(journal(tmp_path, Budget(usd=1.0)), 0.2)


@pytest.mark.parametrize(("stored", "possible"), [({SHA: 0.1}, 0.8), ({SHA: None}, 0.1), ({}, 0.1)])
def test_a_call_whose_process_died_costs_what_its_stored_reply_did(
    tmp_path: Path, stored: dict[str, float | None], possible: float
):
    start(journal(tmp_path), 0.9)
    book = journal(tmp_path, Budget(usd=1.0), stored)
    refusal(book, possible + 0.11)
    start(book, possible)


def test_a_call_that_was_settled_is_not_paid_twice_when_it_ends_after_all(tmp_path: Path):
    alive = journal(tmp_path)
    call = start(alive, 0.9)
    book = journal(tmp_path, Budget(usd=1.0), {SHA: 0.4})
    refusal(book, 0.7)
    alive.end_call(call, cost_usd=0.4)
    start(book, 0.6)


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from daydreaming.ledger.journal import Budget, Journal
path = Path(sys.argv[1])
journal = Journal(path, Budget(), "run", lambda name: None)
journal.start_call(0.1, request_sha256="a")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, resource.RLIM_INFINITY))
try:
    journal.start_call(0.1, request_sha256="b")
except OSError as error:
    print("refused")
"""


def test_a_line_that_the_disk_takes_only_half_of_is_an_error(tmp_path: Path):
    output, _ = python(FULL_DISK, tmp_path / "journal.jsonl").communicate(timeout=120)
    assert output == "refused\n"
    assert len(list(read_events(tmp_path / "journal.jsonl"))) == 1

"""What a run says through Snakemake's logger, as a handler that knows nothing of this project hears it."""

import logging

import pytest

from daydreaming.watch.run_events import (
    GenerationFailed,
    RunEnded,
    RunStarted,
    event_of,
    generation_failed,
    run_ended,
    run_started,
)


@pytest.fixture
def logger():
    return logging.getLogger("test-run-events")


def test_every_handler_hears_it_in_words(logger, caplog, tmp_path):
    caplog.set_level(logging.INFO)
    run_started(logger, tmp_path / "journal.jsonl", "r1", {"draft": 1, "essay": 0, "evaluation": 1_200})
    generation_failed(logger, "draft d1 failed, [parse] no essay", ("draft", "d1"))
    run_ended(logger, "Run of cohort c1")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "Generations to make: 1 draft, 1,200 evaluations."),
        ("ERROR", "draft d1 failed, [parse] no essay"),
        ("INFO", "Run of cohort c1"),
    ]
    started, failed, ended = map(event_of, caplog.records)
    assert isinstance(started, RunStarted)
    assert (started.run_id, started.totals["evaluation"]) == ("r1", 1_200)
    assert failed == GenerationFailed(("draft", "d1"))
    assert ended == RunEnded("Run of cohort c1")


def test_what_the_journal_had_before_the_run_started_does_not_count(logger, caplog, tmp_path):
    caplog.set_level(logging.INFO)
    journal = tmp_path / "journal.jsonl"
    journal.write_text('{"event": "earlier"}\n')
    run_started(logger, journal, "r1", {"draft": 1})
    with journal.open("a") as stream:
        stream.write('{"event": "later"}\n')
    (record,) = caplog.records
    assert [event["event"] for event in event_of(record).tail.read()] == ["later"]


def test_other_messages_carry_no_event():
    assert event_of(logging.makeLogRecord({"msg": "a message"})) is None
    assert event_of(logging.makeLogRecord({"msg": "a message", "daydreaming": "of somebody else"})) is None

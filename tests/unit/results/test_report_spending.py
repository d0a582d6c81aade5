"""What the page of a report says of calls and their cost, from the journal."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_fixtures import make_cohort
from report_page_fixtures import report

from daydreaming.ledger.journal import Budget, Journal
from daydreaming.results.report.spending import read_spending


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_whole_life_of_the_journal_is_counted(folder):
    path = folder / "journal.jsonl"
    who = {"stage": "draft", "llm_model_id": "writer", "gen_id": "d1", "template_id": "thread"}
    for run in ("run-1", "run-2"):
        journal = Journal(path, Budget(), run, lambda _: None)
        call = journal.start_call(0.5, request_sha256="0" * 64, **who)
        journal.end_call(call, cost_usd=0.25, prompt_tokens=10, completion_tokens=5, perhaps_billed=True)
        call = journal.start_call(0.5, request_sha256="1" * 64, **who)
        journal.end_call(call, kind="timeout", status=None, perhaps_billed=True)
        journal.write("generation", result="reused", saved_usd=0.125, **who)
        journal.close()
    spending = read_spending(path)
    total = spending.total
    assert (spending.runs, total.calls, total.failed_calls, spending.reuses) == (2, 4, 2, 2)
    assert (total.cost_usd, total.perhaps_usd, total.saved_usd, total.prompt_tokens) == (0.5, 1.0, 0.25, 20)
    assert spending.parts["draft", "writer"].calls == 4
    assert spending.first_at <= spending.last_at


def test_what_a_run_says_after_its_report_changes_no_report(folder):
    path = folder / "journal.jsonl"
    journal = Journal(path, Budget(), "run-1", lambda _: None)
    call = journal.start_call(None, stage="draft", llm_model_id="writer", gen_id="d1", template_id="thread")
    journal.end_call(call, cost_usd=0.25, prompt_tokens=10, completion_tokens=5, perhaps_billed=True)
    journal.close()
    before = read_spending(path)
    for run in ("run-1", "run-2"):  # the second one made nothing but results
        journal = Journal(path, Budget(), run, lambda _: None)
        journal.write("run_ended", token="0")
        journal.close()
    after = read_spending(path)
    assert (after.runs, after.last_at) == (before.runs, before.last_at)


def test_calls_and_cost_are_told(folder):
    page = report(make_cohort(folder))
    assert ["all", "", "80", "0", "32,000", "12,000", "0.1600 USD"] in page.rows
    assert ["essay", "slow-writer", "4", "0", "1,600", "600", "0.008000 USD"] in page.rows

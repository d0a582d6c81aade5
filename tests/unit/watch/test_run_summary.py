"""What a run came to, in figures and in words."""

import pytest
import score_fixtures as fixtures
from watch_fixtures import GENERATIONS, PLANNED, RUN, call, finish, journal_of, study_in

from daydreaming.ledger.received import Reply
from daydreaming.ledger.replies import ReplyStore
from daydreaming.watch.run_summary import summarize_run, summary_text


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def text_of(study, planned=PLANNED, seconds=75):
    return summary_text(summarize_run(study, RUN, planned, seconds))


def lines_of(text):
    return {line[2:13].strip(): line[14:] for line in text.splitlines()[1:]}


def test_a_run_without_failures(folder):
    study = study_in(folder)
    journal = journal_of(study)
    call(journal, cost_usd=0.25, perhaps_billed=True, prompt_tokens=1_500, completion_tokens=40)
    for stage, gen_id in PLANNED:
        finish(journal, stage, gen_id, {"draft": "made", "essay": "copied"}.get(stage, "reused"), saved_usd=0.5)
    text = text_of(study)
    assert text.splitlines()[0] == "Run of cohort c1, 1 min 15 s"
    assert lines_of(text) == {
        "calls": "1, 1,500 tokens in, 40 out",
        "cost": "0.2500 USD",
        "saved": "3.0000 USD, 2 generations from stored replies",
        "draft": "2 made",
        "essay": "2 copied",
        "evaluation": "2 reused",
        "cohort": "0.2500 USD, 1 call in its whole life",
    }


def test_a_run_with_failures_says_which_kinds_and_how_to_go_on(folder):
    study = study_in(folder)
    journal = journal_of(study)
    call(journal, kind="timeout", perhaps_billed=True)
    finish(journal, "draft", "d1", "made")
    finish(journal, "draft", "d2", "timeout")
    finish(journal, "essay", "e1", "copied")
    finish(journal, "evaluation", "v1", "parse")
    lines = lines_of(text_of(study))
    assert lines["calls"].startswith("1 (1 failed)")
    assert lines["cost"] == "0.0000 USD, up to 0.5000 USD with calls that were perhaps billed"
    assert (lines["draft"], lines["evaluation"]) == ("1 made, 1 failed", "1 failed")
    assert lines["failed"] == "1 timeout, 1 parse"
    assert lines["not tried"] == "2, for their parent failed"
    assert lines["go on"] == (
        "Run the same command again: it makes what is missing. "
        "`python scripts/aggregate_scores.py --output scores.csv` scores what there is. "
        "A reply that is in the store is never paid for again."
    )


def test_a_run_that_was_stopped(folder):
    study = study_in(folder)
    journal = journal_of(study)
    finish(journal, "draft", "d1", "made")
    call(journal, ends=False)
    summary = summarize_run(study, RUN, PLANNED, 1, stopped=True)
    lines = lines_of(summary_text(summary))
    assert (summary.not_tried, summary.blocked, summary.behind, summary.failures) == (5, 0, 0, [])
    assert lines["not tried"] == "5, for the run was stopped"
    assert lines["cut off"] == (
        "1 call of this run started and did not end; "
        "1 call of the cohort left neither an end nor a reply (up to 0.5000 USD stays reserved)"
    )
    assert lines["go on"].startswith("Run the same command again: it makes what is missing. A reply")


def test_a_run_that_ended_at_an_error_was_not_stopped(folder):
    study = study_in(folder)
    finish(journal_of(study), "draft", "d2", "storage")
    lines = lines_of(text_of(study))
    assert lines["not tried"] == "2, for their parent failed; 3, for the run ended at an error"


def test_what_was_held_back_is_told_from_what_failed(folder):
    study = study_in(folder)
    journal = journal_of(study)
    finish(journal, "draft", "d1", "parse")
    finish(journal, "draft", "d2", "not_tried")
    lines = lines_of(text_of(study))
    assert (lines["draft"], lines["failed"]) == ("1 failed", "1 parse")
    assert lines["not tried"] == "2, for their parent failed; 3, for the same error had come too often"


def test_what_is_waiting_for_you_is_told_from_what_failed(folder):
    study = study_in(folder)
    journal = journal_of(study)
    finish(journal, "draft", "d1", "parse")
    finish(journal, "draft", "d2", "waiting")
    lines = lines_of(text_of(study))
    assert (lines["draft"], lines["failed"]) == ("1 waiting for you, 1 failed", "1 parse")
    assert lines["waiting"] == (
        "1 generation that no run made, not of what is asked now: put that back, or set remake_adopted"
    )
    assert lines["not tried"] == "2, for their parent failed; 2, for their parent is waiting for you"


def test_where_only_texts_are_waiting_for_you_another_run_is_no_way_on(folder):
    study = study_in(folder)
    journal = journal_of(study)
    for stage, gen_id in PLANNED[:5]:
        finish(journal, stage, gen_id, "made")
    finish(journal, "evaluation", "v2", "waiting")
    assert not {"go on", "failed", "not tried"} & lines_of(text_of(study)).keys()


def test_what_was_up_to_date_is_confirmed_and_nothing_is_missing(folder):
    study = study_in(folder)
    journal = journal_of(study)
    for stage, gen_id in PLANNED:
        finish(journal, stage, gen_id, "kept" if stage != "draft" else "made")
    lines = lines_of(text_of(study))
    assert (lines["draft"], lines["essay"], lines["evaluation"]) == ("2 made", "2 up to date", "2 up to date")
    assert not {"not tried", "failed", "go on"} & lines.keys()


def test_what_another_run_made_meanwhile_is_up_to_date(folder):
    study = study_in(folder)
    for one in GENERATIONS:
        fixtures.make(study.settings, one, "7.0" if one.stage == "evaluation" else "A text.")
    finish(journal_of(study), "draft", "d1", "timeout")
    lines = lines_of(text_of(study))
    assert lines["draft"] == "2 up to date"
    assert not {"not tried", "failed", "go on"} & lines.keys()
    # What is made from a text that is gone is not up to date either.
    study.files("draft", "d2").parsed.unlink()
    lines = lines_of(text_of(study))
    assert lines["draft"] == "1 up to date"
    assert lines["not tried"] == "3, for the run ended at an error"


@pytest.mark.parametrize(("last", "said"), [("made", "1 made"), ("timeout", "1 failed"), ("kept", "1 up to date")])
def test_a_generation_that_was_tried_again_counts_once_with_its_last_result(folder, last, said):
    study = study_in(folder)
    journal = journal_of(study)
    for result in ("rate_limit", "parse", last):
        finish(journal, "draft", "d1", result)
    lines = lines_of(text_of(study, planned=[("draft", "d1")]))
    assert lines["draft"] == said
    assert lines.get("failed") == ("1 timeout" if last == "timeout" else None)


def test_what_another_cohort_of_the_run_planned_is_not_missed(folder):
    study = study_in(folder)
    finish(journal_of(study), "draft", "d1", "made")
    assert "not tried" not in lines_of(text_of(study, planned=[("draft", "d1"), ("draft", "of-another-cohort")]))


def test_what_was_not_planned_is_not_missed(folder):
    study = study_in(folder)
    finish(journal_of(study), "draft", "d1", "made")
    assert summarize_run(study, RUN, [("draft", "d1")], 1).not_tried == 0


def test_the_cohorts_life_is_that_of_all_its_runs_against_its_budget(folder):
    study = study_in(folder)
    call(journal_of(study, "run-0"), cost_usd=2.0)
    call(journal_of(study), cost_usd=0.25)
    summary = summarize_run(study, RUN, [], 1)
    assert (summary.tally.cost_usd, summary.account.spent_usd) == (0.25, 2.25)
    assert lines_of(summary_text(summary))["cohort"] == "2.2500 USD, 2 calls in its whole life"


def test_the_budget_is_named(folder):
    study = study_in(folder, budget_calls=1_000)
    call(journal_of(study), cost_usd=0.25)
    assert lines_of(text_of(study))["cohort"] == "0.2500 USD, 1 call of budget_calls 1,000 in its whole life"


def test_a_call_whose_end_was_lost_costs_what_its_stored_reply_did(folder):
    study = study_in(folder)
    call(journal_of(study, "run-0"), ends=False)
    reply = Reply("0" * 64, "text", "stop", None, {}, 0.125, "model", "id", 0.0, 1.0)
    ReplyStore(study.paths).adopt(reply, source="test")
    lines = lines_of(text_of(study))
    assert lines["cohort"].startswith("0.1250 USD")
    assert "cut off" not in lines


def test_a_stored_reply_that_cannot_be_read_leaves_its_call_open(folder):
    study = study_in(folder)
    call(journal_of(study), ends=False)
    path = study.paths.reply("0" * 64)
    path.parent.mkdir(parents=True)
    path.write_text("torn")
    assert "stays reserved" in lines_of(text_of(study))["cut off"]


def test_calls_without_a_price_are_counted(folder):
    study = study_in(folder)
    call(journal_of(study), None, cost_usd=None, perhaps_billed=True)
    assert lines_of(text_of(study))["cost"] == "0.0000 USD; 1 call without a price in llm_models.csv"

"""What the runner makes of answers: only a finished one is a result, and what fails again and again stops by itself."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from core_fixtures import settings_for, specification, template
from provider_fixtures import PATIENCE_S, wait_until
from runner_fixtures import Project

from daydreaming.base.errors import GenerationError
from daydreaming.generation.runner import Runner
from daydreaming.generation.specification import CallSpecification
from daydreaming.inputs.setting_models import StageSettings
from daydreaming.ledger.journal import read_events
from provider import Answer, Provider, Rule, faults

LONG = "The tide comes in and goes out again, as it did before. " * 700


def run_together(project: Project, wanted: int | list[CallSpecification], **config: Any) -> list[str]:
    """Make generations of one template and model at once; returns what came of each."""
    many = range(wanted) if isinstance(wanted, int) else ()
    made = [project.specification("evaluation", gen_id=f"g{number}", replicate=number + 1) for number in many]
    runner = Runner(settings_for(project.base_url, data_root=str(project.root), **config))
    try:
        futures = [runner.submit(one) for one in made or wanted]
        failures = [future.exception(timeout=PATIENCE_S) for future in futures]
    finally:
        runner.close()
    return [str(failure.kind) if isinstance(failure, GenerationError) else "made" for failure in failures]


def run_all(project: Project, count: int, stage: str = "evaluation", **config: Any) -> list[str]:
    """Make so many generations of one template and model, one after the other in one run; returns what came of each."""
    runner, results = Runner(settings_for(project.base_url, data_root=str(project.root), **config)), []
    try:
        for number in range(1, count + 1):
            made = project.specification(stage, gen_id=f"g{number}", replicate=number)
            try:
                runner.run(made)
                results.append("made")
            except GenerationError as error:
                results.append(str(error.kind))
    finally:
        runner.close()
    return results


@pytest.mark.parametrize("reason", ["error", "abort", "tool_calls", "insufficient_system_resource", None])
def test_an_answer_that_is_not_finished_is_a_failure_and_kept(project: Project, provider: Provider, reason: Any):
    provider.script([faults.rule("ending", Answer(finish_reason=reason))])
    made = project.specification()
    error = project.failure(made)
    assert error.kind == project.metadata(made)["error"] == "unfinished"
    assert str(reason or "none") in error.message
    assert project.text(made, "parsed") is None
    assert project.failure(made).kind == "unfinished"
    assert provider.calls == 1


def test_a_server_s_own_word_can_be_made_known_and_the_stored_reply_is_read_again(project: Project, provider: Provider):
    provider.script([faults.rule("ending", Answer(finish_reason="done"))])
    assert project.failure(project.specification()).kind == "unfinished"
    project.run(project.specification(finish_reasons={"done": "finished"}))
    assert project.text(project.specification(), "parsed")
    assert project.failure(project.specification(finish_reasons={"done": "truncated"})).kind == "truncated"
    assert provider.calls == 1


@pytest.mark.parametrize(("word", "kind"), [("MAX_TOKENS", "truncated"), ("safety", "refused")])
def test_dialects_of_reasons_are_understood(project: Project, provider: Provider, word: str, kind: str):
    provider.script([faults.rule("ending", Answer(finish_reason=word))])
    assert project.failure(project.specification()).kind == kind


def test_a_prompt_that_the_server_cut_is_a_failure_with_the_cure(project: Project, provider: Provider):
    provider.script([faults.rule("cut", Answer(usage={"prompt_tokens": 2_048}))])
    made = project.specification(template=template("draft", LONG))
    error = project.failure(made)
    assert error.kind == "prompt_cut"
    assert "--ctx-size" in error.message
    provider.script([])
    project.run(project.specification(template=template("draft", LONG + "!")))


def test_a_rubric_that_never_parses_is_not_paid_for_again_and_again(project: Project, provider: Provider):
    provider.script([faults.reply_content("A verdict without a number.")])
    assert run_all(project, 6, stop_after_unusable=3) == ["parse"] * 3 + ["not_tried"] * 3
    assert provider.calls == 3
    record = json.loads((project.root / "gens" / "evaluation" / "g5" / "metadata.json").read_text())
    assert record["error"] == "not_tried"
    assert "stop_after_unusable" in record["error_message"]
    assert run_all(project, 6, stop_after_unusable=3) == ["parse"] * 3 + ["not_tried"] * 3
    assert provider.calls == 3, "the stored answers count again"
    assert run_all(project, 6, stop_after_unusable=None) == ["parse"] * 6
    assert provider.calls == 6


def test_with_many_calls_in_flight_no_more_unusable_answers_are_paid_for(project: Project, provider: Provider):
    provider.script([faults.rule("slow", Answer(message={"content": "A verdict without a number."}, latency_s=0.05))])
    assert Counter(run_together(project, 40, stop_after_unusable=3)) == {"parse": 3, "not_tried": 37}
    assert provider.calls == 3


def test_once_an_answer_was_usable_all_are_in_flight(project: Project, provider: Provider):
    score = {"content": "SCORE: 5"}
    first = Rule("first", Answer(message=score, together=3, latency_s=0.2), times=3)
    provider.script([first, Rule("others", Answer(message=score, together=37))])
    assert set(run_together(project, 40, stop_after_unusable=3)) == {"made"}
    calls = provider.ledger()
    first_end = min(call.ended_at or 0.0 for call in calls)
    assert sum(call.received_at < first_end for call in calls) == 3
    assert provider.stats().peak_in_flight >= 37
    records = [json.loads(path.read_text()) for path in (project.root / "gens").glob("evaluation/*/metadata.json")]
    assert sum(record["queue_ms"] > 50 for record in records) >= 30, "the wait for one's turn is part of the queue"


def test_the_calls_that_show_whether_a_template_works_are_not_behind_all_others(project: Project, provider: Provider):
    score = {"content": "SCORE: 5"}
    # When the first ones have shown that the drafts' template works, all others of them wait behind the next two.
    first, held = Rule("first", Answer(message=score), times=2), Rule("held", Answer(message=score, held=True), times=2)
    provider.script([first, held, Rule("slow", Answer(message=score, latency_s=0.1))])
    settings = settings_for(project.base_url, data_root=str(project.root), stop_after_unusable=2)
    runner = Runner(settings, calls_in_flight=2)
    try:
        drafts = [runner.submit(project.specification(gen_id=f"d{n}", replicate=n + 1)) for n in range(20)]
        wait_until(lambda: provider.calls == 4)
        scores = [runner.submit(project.specification("evaluation", gen_id=f"g{n}", replicate=n + 1)) for n in range(4)]
        wait_until(lambda: len(list((project.root / "gens").glob("*/*/prompt.txt"))) == 24)
        time.sleep(0.5)  # from its prompt to the queue of calls
        provider.release()
        for future in (*drafts, *scores):
            future.result(timeout=PATIENCE_S)
    finally:
        runner.close()
    order = ["evaluation" if "SCORE" in call.prompt else "draft" for call in provider.ledger()]
    assert order.index("evaluation") < 10, "they went ahead of the drafts that waited"
    assert order[-1] == "evaluation", "and the others of their template did not"


def test_calls_that_fail_keep_nobody_waiting(project: Project, provider: Provider):
    provider.script([faults.fault_status(500, times=30), faults.reply_content("SCORE: 5")])
    assert Counter(run_together(project, 40, stop_after_unusable=2)) == {"api": 30, "made": 10}


def test_two_that_ask_the_same_and_get_fresh_attempts_wait_for_each_other_and_end(project: Project, provider: Provider):
    provider.script([faults.reply_content("No number.")])
    twins = [project.specification("evaluation", gen_id=f"g{number}") for number in range(6)]
    config = {"stop_after_unusable": 1, "retry_replies": {"parse": 2}}
    assert Counter(run_together(project, twins, **config))["parse"] >= 1
    assert provider.calls == 3


def test_one_usable_answer_lets_all_be_asked(project: Project, provider: Provider):
    provider.script([faults.reply_content("SCORE: 5", nth=2), faults.reply_content("No number.")])
    assert run_all(project, 5, stop_after_unusable=3) == ["parse", "made", "parse", "parse", "parse"]


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_an_endpoint_that_fails_for_good_is_not_asked_for_every_generation(
    project: Project, provider: Provider, status: int
):
    provider.script([faults.fault_status(status)])
    assert run_all(project, 6, "draft", stop_after_errors=2) == ["api"] * 2 + ["not_tried"] * 4
    assert provider.calls == 2
    record = json.loads((project.root / "gens" / "draft" / "g6" / "metadata.json").read_text())
    assert f"status {status}" in record["error_message"]
    assert run_all(project, 3, "draft", stop_after_errors=None) == ["api"] * 3


def test_a_server_that_is_not_there_is_not_asked_for_every_generation(project: Project):
    project.base_url = "http://127.0.0.1:1/v1"
    assert run_all(project, 4, "draft", stop_after_errors=2) == ["connection"] * 2 + ["not_tried"] * 2
    record = json.loads((project.root / "gens" / "draft" / "g4" / "metadata.json").read_text())
    assert "connection refused" in record["error_message"]


def test_a_wait_that_is_too_long_stops_the_model_and_says_until_when(project: Project, provider: Provider):
    provider.script([faults.fault_429(7200)])
    assert run_all(project, 3, "draft") == ["rate_limit", "not_tried", "not_tried"]
    record = json.loads((project.root / "gens" / "draft" / "g3" / "metadata.json").read_text())
    assert "until 20" in record["error_message"]
    assert provider.calls == 1


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    stored = json.loads(path.read_text())
    change(stored)
    path.write_text(json.dumps(stored))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda stored: stored["reply"].update(text="Another text.\nOf three\nlines."), "edited"),
        (lambda stored: stored["reply"].update(cost_usd="a lot"), "edited"),
        (lambda stored: (stored.pop("version"), stored["reply"].update(cost_usd="a lot")), "storage"),
        (lambda stored: (stored.pop("version"), stored["reply"].update(usage=None)), "storage"),
    ],
)
def test_a_stored_reply_that_was_changed_is_named_and_breaks_nothing_else(
    project: Project, provider: Provider, change: Callable[[dict[str, Any]], object], kind: str
):
    made = project.specification()
    project.run(made)
    (path,) = project.stored()
    whole = path.read_bytes()
    edit(path, change)
    for name in ("parsed", "raw"):
        (project.root / "gens" / "draft" / made.gen_id / f"{name}.txt").unlink()
    error = project.failure(made)
    assert error.kind == kind
    assert str(path) in error.message
    other = project.specification(gen_id="other", replicate=2)
    project.run(other, budget_usd=1.0)
    assert project.text(other, "parsed")
    path.write_bytes(whole)
    project.run(made)
    assert project.text(made, "parsed")
    assert provider.calls == 2
    events = read_events(project.root / "cohorts" / "cohort" / "journal.jsonl")
    assert all(event["event"] != "bad_line" for event in events)


def test_the_name_of_the_limit_reaches_the_body(project: Project, provider: Provider):
    project.run(project.specification(output_limit_parameter="max_completion_tokens"))
    (call,) = provider.ledger()
    assert call.body["max_completion_tokens"] == specification().sampling.max_tokens
    assert "max_tokens" not in call.body


def test_an_answer_over_the_limit_waits_until_the_limit_is_raised(project: Project, provider: Provider):
    """It was probably paid: a receipt says so, and no run, plan or other generation of the request asks again."""
    provider.script([faults.fault_large(200_000)])
    sampling = StageSettings(max_tokens=100_000)
    made, small = project.specification(sampling=sampling), {"max_reply_bytes": 50_000, "max_retries": 2}
    first = project.failure(made, endpoint=small)
    assert first.kind == "malformed"
    assert "50,000 bytes (max_reply_bytes of the endpoint)" in first.message
    (receipt,) = (project.root / "replies").glob("??/*.receipt")
    assert json.loads(receipt.read_text())["received"]["larger_than"] == 50_000
    events = read_events(project.root / "cohorts" / "cohort" / "journal.jsonl")
    assert [event["perhaps_billed"] for event in events if event["event"] == "call_ended"] == [True]
    twin = project.specification(gen_id="twin", sampling=sampling)
    for again in (made, twin):
        failure = project.failure(again, endpoint=small, retry_replies={"malformed": 3})
        assert (failure.kind, failure.message) == ("malformed", first.message)
        assert project.metadata(again)["error"] == "malformed"
    assert provider.calls == 1
    assert project.failure(made, endpoint={"max_reply_bytes": 60_000}).kind == "malformed"
    project.failure(made, endpoint={"max_reply_bytes": 60_000})
    assert provider.calls == 2, "a raised limit asks again, once"
    project.run(made)
    assert provider.calls == 3
    assert len(project.text(made, "parsed") or "") >= 200_000
    assert project.run(twin, endpoint=small).reused


def test_who_waits_for_a_request_that_gets_an_answer_over_the_limit_does_not_ask_again(
    project: Project, provider: Provider
):
    provider.script([faults.fault_large(200_000)])
    sampling = StageSettings(max_tokens=100_000)
    twins = [project.specification(gen_id=f"twin{number}", sampling=sampling) for number in range(3)]
    assert run_together(project, twins, endpoint={"max_reply_bytes": 50_000}) == ["malformed"] * 3
    assert provider.calls == 1


def test_an_answer_over_the_limit_that_tells_its_cost_is_the_reply(project: Project, provider: Provider):
    body = json.dumps({"usage": {"cost": 0.5}, "padding": "x" * 50_000})
    provider.script([faults.rule("large", Answer(body=body))])
    made = project.specification()
    for limit in (10_000, 10_000, 100_000):
        failure = project.failure(made, endpoint={"max_reply_bytes": limit})
        assert failure.kind == "malformed"
        assert "move the stored reply away" in failure.message
    assert provider.calls == 1
    assert project.metadata(made)["cost_usd"] == 0.5

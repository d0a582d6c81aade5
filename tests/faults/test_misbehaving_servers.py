"""Servers that answer otherwise than asked: what was paid is kept and used or refused, and nothing is bought twice."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fault_study import DRAFT, EVALUATION, FaultStudy, failures

from full_sets import sampled
from provider import Answer, Provider, Rule, faults
from provider.faults import completion_bytes, reply_body, reply_raw, reply_stream

VERDICT = "A fair essay.\nSCORE: 7"
PARTS = [{"message": {"content": [{"type": "text", "text": {"value": VERDICT}}]}, "finish_reason": "stop"}]
CHUNK = {"model": "m", "choices": [{"index": 0, "delta": {"content": VERDICT}, "finish_reason": "stop"}]}
DEEP = b', "odd": ' + b"[" * 1_100 + b"]" * 1_100 + b"}"
# An answer of odd form is used like any other; each is the answer to the first evaluation.
ODD = {
    "content parts with a value": reply_body(completion_bytes(choices=PARTS), nth=1, prompt_contains=EVALUATION),
    "model is an object": reply_body(completion_bytes(VERDICT, model={}), nth=1, prompt_contains=EVALUATION),
    "extra key nested 1,100 deep": reply_body(completion_bytes(VERDICT)[:-1] + DEEP, nth=1, prompt_contains=EVALUATION),
    "event stream, though none was asked for": reply_stream(
        CHUNK, {"usage": {"cost": 0.25}}, nth=1, prompt_contains=EVALUATION
    ),
    "gzip": reply_body(
        gzip.compress(completion_bytes(VERDICT)), {"content-encoding": "gzip"}, nth=1, prompt_contains=EVALUATION
    ),
    "header of 100,000 bytes": reply_body(
        completion_bytes(VERDICT), {"set-cookie": "c" * 100_000}, nth=1, prompt_contains=EVALUATION
    ),
    "5,000 headers": reply_body(
        completion_bytes(VERDICT), {f"x-{n}": "1" for n in range(5_000)}, nth=1, prompt_contains=EVALUATION
    ),
}
# Of no use: kept, its cost counted, never asked for again.
PAID_IN_VAIN = {
    "no choices, but usage.cost": (reply_body(completion_bytes(choices=[])), "malformed"),
    "error in a 200, but usage.cost": (
        reply_body(completion_bytes(error={"message": "cut", "code": 502})),
        "malformed",
    ),
    "finish_reason abort": (faults.rule("abort", Answer(finish_reason="abort")), "unfinished"),
    "no finish_reason": (
        reply_body(completion_bytes(choices=[{"message": {"content": VERDICT}}])),
        "unfinished",
    ),
    "finish_reason MAX_TOKENS": (faults.rule("max", Answer(finish_reason="MAX_TOKENS")), "truncated"),
    "refusal in parts": (
        reply_body(completion_bytes(choices=[{"message": {"refusal": [{"text": "No."}]}, "finish_reason": "stop"}])),
        "refused",
    ),
}
# The transport breaks on the first two calls: tried again.
BROKEN = {
    "Content-Length given twice": reply_raw("HTTP/1.1 200 OK\nContent-Length: {length}\nContent-Length: 9\n", times=2),
    "Content-Length beside chunked": reply_raw(
        "HTTP/1.1 200 OK\nContent-Length: {length}\nTransfer-Encoding: chunked\n", times=2
    ),
    "Content-Length too small": reply_raw("HTTP/1.1 200 OK\nContent-Length: 20\n", times=2),
    "no HTTP at all": reply_raw("SSH-2.0-OpenSSH_9.6\n", times=2),
}
# Of answers that are odd in one way, `make test` takes one; tests/unit/llm has the others.
SAMPLED_ODD = sampled(ODD, full_set=["model is an object", "extra key nested 1,100 deep", "header of 100,000 bytes"])
SAMPLED_IN_VAIN = sampled(PAID_IN_VAIN, full_set=["error in a 200, but usage.cost", "no finish_reason"])
SAMPLED_BROKEN = sampled(BROKEN, full_set=["Content-Length given twice", "Content-Length too small"])


@pytest.mark.parametrize("fault", SAMPLED_ODD)
def test_an_answer_of_odd_form_is_used(
    fault: str, tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    provider.script([ODD[fault]])
    study = FaultStudy.with_chains(tmp_path, provider, chains=2)

    run = study.run()
    rerun = study.run()

    survived(fault, study, run)
    assert provider.stats().answered_by["body"] == 1
    assert (len(run.calls), len(rerun.calls)) == (4, 0)
    assert "7.0" in study.parsed_texts().values()


@pytest.mark.parametrize("fault", SAMPLED_IN_VAIN)
def test_what_was_paid_in_vain_is_kept_and_never_asked_for_again(
    fault: str, tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    rule, kind = PAID_IN_VAIN[fault]
    provider.script([Rule(rule.name, rule.answer, faults.When(prompt_contains=EVALUATION, nth=1))])
    study = FaultStudy.with_chains(tmp_path, provider, chains=2)

    run = study.run(code=1)
    rerun = study.run(code=1)

    survived(fault, study, run)
    assert study.errors() == [kind]
    assert (len(run.calls), len(rerun.calls)) == (4, 0)


@pytest.mark.parametrize("fault", SAMPLED_BROKEN)
def test_a_broken_transport_leaves_no_trace(
    fault: str, tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    rule = BROKEN[fault]
    provider.script([rule])
    study = FaultStudy.with_chains(tmp_path, provider, chains=2)

    run = study.run()

    survived(fault, study, run, unread=[call.sequence for call in provider.ledger() if call.answered_by == "raw"])
    assert study.errors() == []
    assert len(run.calls) == 6


def test_a_redirect_sends_no_prompt_elsewhere(
    tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    with Provider() as elsewhere:
        target = f"{elsewhere.base_url}/chat/completions"
        provider.script([faults.fault_redirect(target, prompt_contains="draft ill")])
        study = FaultStudy.with_drafts(tmp_path, provider, ("thread", "ill"), max_retries=3)

        run = study.run(code=1)

        survived("redirect to another host", study, run)
        assert elsewhere.calls == 0
        assert len(run.calls) == 3
        assert target in failures(run.output)[0]


def test_a_body_that_unpacks_to_gigabytes(tmp_path: Path, provider: Provider, survived: Callable[..., None]) -> None:
    provider.script([faults.fault_gzip_bomb(2_000, prompt_contains="draft ill")])
    study = FaultStudy.with_drafts(tmp_path, provider, ("thread", "ill"), max_reply_bytes=1_000_000)

    run = study.run(code=1)

    unread = [call.sequence for call in provider.ledger() if call.answered_by == "gzip bomb"]
    survived("gzip of 2 MB that unpacks to 2 GB", study, run, unread=unread)
    assert "max_reply_bytes" in failures(run.output)[0]
    assert study.errors() == ["malformed"]
    again = study.run(code=1)
    assert len(again.calls) == 0, "it was probably paid for: nobody asks again before the user does"
    assert "raise max_reply_bytes" in failures(again.output)[0]


def test_an_empty_account_is_not_asked_for_every_generation(
    tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    provider.script([faults.fault_status(402)])
    study = FaultStudy.with_chains(tmp_path, provider, chains=12, max_concurrency=1)

    run = study.run("-j1", code=1)
    provider.script([])
    rerun = study.run()

    survived("402 to every call", study, run)
    assert len(run.calls) == 3
    assert len(rerun.calls) == 24
    assert study.errors() == []


def test_a_rubric_that_never_parses_waits_for_the_user(
    tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    provider.script([faults.reply_content("A verdict without a number.", prompt_contains=EVALUATION)])
    chains = 16
    study = FaultStudy.with_chains(tmp_path, provider, chains)
    study.configure(stop_after_unusable=3)

    run = study.run(code=1)
    rerun = study.run(code=1)

    survived("a rubric that never parses", study, run)
    assert len(run.calls) == chains + 3
    assert len(rerun.calls) <= 3
    assert sorted(set(study.errors())) == ["not_tried", "parse"]


def test_an_edited_reply_is_named_and_not_paid_for_again(
    tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    study = FaultStudy.with_chains(tmp_path, provider, chains=2)
    run = study.run()
    survived("a stored reply that was edited", study, run)
    path = next(path for path in study.paths.replies.glob("*/*.json") if "SCORE" in path.read_text(encoding="utf-8"))
    stored = json.loads(path.read_text(encoding="utf-8"))
    stored["reply"]["text"] = "SCORE: 9"
    path.write_text(json.dumps(stored), encoding="utf-8")
    gen_id = stored["account"]["gen_id"]
    for name in ("parsed.txt", "metadata.json"):
        (study.paths.gens / "evaluation" / gen_id / name).unlink()

    rerun = study.run(code=1)

    assert len(rerun.calls) == 0
    assert study.errors() == ["edited"]
    assert str(path.name) in failures(rerun.output)[0]


def test_a_server_that_loads_its_model_is_waited_for(
    tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    provider.script([faults.fault_loading(prompt_contains=DRAFT, first=3)])
    study = FaultStudy.with_chains(tmp_path, provider, chains=1, max_retries=0)

    run = study.run()

    survived("503 while the server loads its model", study, run)
    assert len(run.calls) == 5
    assert study.errors() == []

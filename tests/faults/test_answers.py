"""What a provider may answer, or not answer: the run survives it, or fails with a clear word, and pays once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fault_study import DRAFT, EVALUATION, FaultStudy, failures

from full_sets import sampled
from provider import Answer, Provider, Rule, When, faults

# A lost connection or an error is tried again, and the run ends as if nothing had been.
PASSING = {
    "429 with Retry-After on every third call": faults.fault_429(1, every=3),
    "burst of 500": faults.fault_status(500, times=4),
    "burst of 503": faults.fault_status(503, times=4),
    "reset before the reply's body": faults.fault_reset("before", every=3),
    "reset during the reply's body": faults.fault_reset("during", every=3),
    "reset after the reply's body": faults.fault_reset("after", every=3),
    "connection closed in the middle of the body": faults.fault_cut_body(every=3),
    "hang longer than the timeout": faults.fault_hang(30, times=2),
    "HTML with status 200, twice": faults.fault_html(times=2),
    "error object with status 200, twice": faults.fault_error_in_200(times=2),
}
# A reply that cannot be used was paid for: it is kept, the generation fails, and no rerun asks again.
USELESS = {
    "content null": (faults.fault_null_content, "empty"),
    "empty reply": (faults.fault_empty, "empty"),
    "truncated reply": (faults.fault_truncated, "truncated"),
    "refused": (faults.fault_refused, "refused"),
    "invalid UTF-8": (faults.fault_invalid_utf8, "malformed"),
}
# What every attempt meets ends as a failure; nothing was paid, and a rerun tries again.
LASTING = {
    "500 for good": (faults.fault_status(500, prompt_contains="draft ill"), "api"),
    "429 for good": (faults.fault_429(0, prompt_contains="draft ill"), "rate_limit"),
    "HTML with status 200 for good": (faults.fault_html(prompt_contains="draft ill"), "api"),
    "error object with status 200 for good": (faults.fault_error_in_200(prompt_contains="draft ill"), "api"),
    "hang for good": (faults.fault_hang(30, prompt_contains="draft ill"), "timeout"),
    "reset before the body, for good": (faults.fault_reset("before", prompt_contains="draft ill"), "connection"),
}
# Of faults that end alike, `make test` takes one; tests/unit/llm has the others.
SAMPLED_PASSING = sampled(
    PASSING,
    full_set=[
        "burst of 503",
        "reset before the reply's body",
        "reset during the reply's body",
        "error object with status 200, twice",
    ],
)
SAMPLED_USELESS = sampled(USELESS, full_set=["content null"])
SAMPLED_LASTING = sampled(LASTING, full_set=["HTML with status 200 for good", "error object with status 200 for good"])


def timeout_for(fault: str) -> float:
    """Short where the test waits for it; long elsewhere, so that a busy machine adds no fault of its own."""
    return 4 if "hang" in fault else 20


@pytest.mark.parametrize("fault", SAMPLED_PASSING)
def test_a_passing_fault_leaves_no_trace(
    fault: str, tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    provider.script([PASSING[fault]])
    study = FaultStudy.with_chains(tmp_path, provider, chains=4, timeout_s=timeout_for(fault))

    run = study.run()

    survived(fault, study, run)
    assert provider.stats().answered_by[PASSING[fault].name] > 0, "the fault has happened"
    assert len(study.parsed_texts()) == 12
    assert study.errors() == []
    assert len(study.replies()) == 8


@pytest.mark.parametrize("fault", SAMPLED_USELESS)
def test_a_useless_reply_is_kept_and_never_asked_for_again(
    fault: str, tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    build, kind = USELESS[fault]
    provider.script([build(prompt_contains=EVALUATION, nth=1)])
    study = FaultStudy.with_chains(tmp_path, provider)

    run = study.run(code=1)
    replies = study.replies()
    rerun = study.run(code=1)

    survived(fault, study, run)
    assert [message.startswith(f"[{kind}]") for message in failures(run.output)] == [True], run.output
    assert study.errors() == [kind]
    assert len(study.parsed_texts()) == 8, "the others are made"
    assert len(rerun.calls) == 0
    assert len(failures(rerun.output)) == 1
    assert study.replies() == replies
    assert len(replies) == 6


@pytest.mark.parametrize("fault", SAMPLED_LASTING)
def test_a_lasting_fault_fails_one_generation_and_a_rerun_mends_it(
    fault: str, tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    rule, kind = LASTING[fault]
    provider.script([rule])
    study = FaultStudy.with_drafts(tmp_path, provider, ("thread", "ill"), timeout_s=timeout_for(fault), max_retries=1)

    run = study.run(code=1)
    failed = study.errors()
    provider.script([])
    rerun = study.run()

    survived(fault, study, run)
    assert failed == [kind]
    assert len(run.calls) == 4, "two for the healthy chain, and two attempts at the other's draft"
    assert len(rerun.calls) == 2
    assert len(study.parsed_texts()) == 6
    assert study.errors() == []


def test_a_reply_of_20_megabytes(tmp_path: Path, provider: Provider, survived: Callable[..., None]) -> None:
    large = Answer(pad_content_to=20_000_000, usage={"completion_tokens": 100})
    provider.script([Rule("large", large, When(prompt_contains=DRAFT, nth=1))])
    study = FaultStudy.with_chains(tmp_path, provider, chains=2, timeout_s=60)

    run = study.run("drafts")

    survived("reply of 20 MB", study, run)
    sizes = sorted(path.stat().st_size for path in study.paths.gens.glob("draft/*/raw.txt"))
    assert sizes[0] < 1000
    assert sizes[1] == 20_000_000
    assert len(study.replies()) == 2

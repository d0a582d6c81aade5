"""What was paid for is used: fresh attempts are counted and kept, a parser reads again, offline makes no call."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from fault_study import DRAFT, EVALUATION, FaultStudy, failures

from provider import Provider, faults

# The two parsers read it differently: 3.0 by `in_last_line`, 8/20 of ten by `complex`.
AMBIGUOUS_VERDICT = "Total Score: 8/20\nAll in all a fair essay.\nSCORE: 3"


def attempts_of(study: FaultStudy, stage: str) -> list[int]:
    """How many attempts each generation of a stage has taken, the fewest first."""
    return sorted(study.metadata(row)["attempts"] for row in study.rows(stage))


def test_fresh_attempts_are_kept_and_counted(tmp_path: Path, provider: Provider, survived: Callable[..., None]) -> None:
    provider.script(
        [
            faults.reply_content("A verdict without a number.", prompt_contains=EVALUATION, nth=1),
            faults.fault_truncated(prompt_contains=DRAFT, nth=1),
        ]
    )
    study = FaultStudy.with_chains(tmp_path, provider)
    study.configure(retry_replies={"parse": 1, "truncated": 1})

    run = study.run()
    replies, results = study.replies(), study.parsed_texts()
    shutil.rmtree(study.paths.gens)
    rerun = study.run()

    # The evaluations have no seed: the second attempt at one is the same call again.
    survived("useless replies with retry_replies", study, run, attempts=1)
    assert len(run.calls) == len(replies) == 8
    assert attempts_of(study, "draft") == attempts_of(study, "evaluation") == [1, 1, 2]
    assert len(rerun.calls) == 0
    assert study.replies() == replies
    assert study.parsed_texts() == results


def test_attempts_come_to_an_end(tmp_path: Path, provider: Provider, survived: Callable[..., None]) -> None:
    provider.script([faults.reply_content("A verdict without a number.", prompt_contains=EVALUATION)])
    study = FaultStudy.with_chains(tmp_path, provider, chains=1)
    study.configure(retry_replies={"parse": 2})

    run = study.run(code=1)
    rerun = study.run(code=1)

    survived("every attempt of retry_replies useless", study, run, attempts=2)
    assert len(run.calls) == 4
    assert len(rerun.calls) == 0
    assert study.errors() == ["parse"]
    assert attempts_of(study, "evaluation") == [3]
    assert len(study.replies()) == 4


def test_offline_makes_no_call(tmp_path: Path, provider: Provider, survived: Callable[..., None]) -> None:
    study = FaultStudy.with_chains(tmp_path, provider)

    offline = study.run("--config", "offline=true", code=1)
    online = study.run()
    results = study.parsed_texts()
    shutil.rmtree(study.paths.gens)
    again_offline = study.run("--config", "offline=true")

    survived("offline without stored replies", study, offline)
    assert len(offline.calls) == 0
    assert [message.startswith("[offline]") for message in failures(offline.output)] == [True] * 3
    assert len(online.calls) == 6
    assert len(again_offline.calls) == 0
    assert study.parsed_texts() == results
    assert study.errors() == []


def test_a_changed_parser_reads_the_stored_replies(
    tmp_path: Path, provider: Provider, survived: Callable[..., None]
) -> None:
    provider.script([faults.reply_content(AMBIGUOUS_VERDICT, prompt_contains=EVALUATION)])
    study = FaultStudy.with_chains(tmp_path, provider)

    run = study.run()
    replies, first_scores = study.replies(), scores_of(study)
    study.edit("1_raw/evaluation_templates.csv", "in_last_line", "complex")
    reparsed = study.run("--config", "offline=true")

    survived("parser changed, offline", study, run)
    assert len(reparsed.calls) == 0
    assert reparsed.outcomes == {"evaluation novelty: reused": 3}
    assert first_scores == ["3.0"] * 3
    assert scores_of(study) == ["4.0"] * 3
    assert ["4.0" in line.split(",") for line in study.scores()] == [True] * 3
    assert study.replies() == replies


def test_the_reply_store_only_grows(tmp_path: Path, provider: Provider, survived: Callable[..., None]) -> None:
    study = FaultStudy.with_chains(tmp_path, provider)

    run = study.run()
    first_replies, first_results = study.replies(), study.parsed_texts()
    study.edit("1_raw/evaluation_templates/novelty.txt", "End with", "Close with")
    edited = study.run()
    grown = study.replies()
    study.edit("1_raw/evaluation_templates/novelty.txt", "Close with", "End with")
    reverted = study.run()

    survived("template edited, then reverted", study, run)
    assert [len(edited.calls), len(reverted.calls)] == [3, 0]
    assert grown.items() >= first_replies.items()
    assert len(grown) == 9
    assert study.replies() == grown
    assert study.parsed_texts() == first_results


def scores_of(study: FaultStudy) -> list[str]:
    """What the evaluations came to."""
    return [text.strip() for path, text in study.parsed_texts().items() if "evaluation" in path]

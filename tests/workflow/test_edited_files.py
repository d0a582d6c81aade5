"""What somebody wrote into a study's files counts for nothing, and is put back where it can be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from agreement import gathered, plan

from full_sets import sampled
from studies import Study


def test_a_score_that_somebody_wrote_counts_for_nothing_and_is_put_back(copied: Study):
    before, evaluation = copied.parsed_texts(), copied.rows("evaluation", "novelty")[0]
    parsed = copied.files(evaluation).parsed
    parsed.write_text("9.9", encoding="utf-8")
    said, scores = gathered(copied)
    assert (scores[evaluation.gen_id]["score"], scores[evaluation.gen_id]["error"]) == ("", "edited")
    assert str(parsed.relative_to(copied.folder)) in said.output
    assert str(parsed.relative_to(copied.folder)) in copied.script("plan.py", "--why").output
    run = copied.run("-j8")
    assert run.outcomes == {"evaluation novelty: reused": 1}
    assert run.calls == ()
    assert copied.parsed_texts() == before
    assert gathered(copied)[1][evaluation.gen_id]["error"] == ""


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a figure edited": lambda content: re.sub(rb'"cost_usd": [^,]+', b'"cost_usd": 9.0', content),
    "truncated": lambda content: content[: len(content) // 2],
    "emptied": lambda content: b"",
    "a list": lambda content: b"[]",
}


@pytest.mark.parametrize("damage", sampled(DAMAGES, full_set=["truncated", "emptied", "a list"]))
def test_a_damaged_record_is_seen_by_all_and_put_back_from_the_reply(damage: str, copied: Study):
    before, scores = copied.parsed_texts(), gathered(copied)[1]
    essay = copied.rows("essay", "developed")[0]
    evaluations = {row.gen_id for row in copied.rows("evaluation") if row.parent_gen_id == essay.gen_id}
    file = copied.files(essay).metadata
    whole = json.loads(file.read_bytes())
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    damaged = gathered(copied)[1]
    assert {gen_id for gen_id, row in damaged.items() if not row["score"]} == evaluations
    assert {damaged[gen_id]["failed_gen_id"] for gen_id in evaluations} == {essay.gen_id}
    assert plan(copied)["essay", essay.gen_id] == "reuse"
    run = copied.run("-j8")
    assert run.calls == ()
    assert run.outcomes["essay developed: reused"] == 1
    assert copied.parsed_texts() == before
    again = json.loads(file.read_bytes())
    digests = ("fingerprint", "request_sha256", "parent_sha256", "raw_sha256", "parsed_sha256")
    for name in (*digests, "model", "usage", "cost_usd"):
        assert again[name] == whole[name]
    assert gathered(copied)[1] == scores


def stored_reply(study: Study, gen_id: str) -> Path:
    """The file of the reply that a generation was made from."""
    (row,) = (row for stage in ("draft", "essay", "evaluation") for row in study.rows(stage) if row.gen_id == gen_id)
    return study.paths.reply(study.metadata(row)["request_sha256"])


def test_an_edited_reply_is_never_used_and_never_asked_for_again_by_itself(copied: Study):
    evaluation = copied.rows("evaluation", "novelty")[0]
    reply, files = stored_reply(copied, evaluation.gen_id), copied.files(evaluation)
    values = json.loads(reply.read_bytes())
    values["reply"]["text"] = "SCORE: 9.9"
    reply.write_text(json.dumps(values))
    for file in (files.parsed, files.raw):
        file.unlink()
    run = copied.run("-j8", code=1)
    assert run.calls == ()
    assert reply.name in run.output
    assert not files.parsed.exists()
    assert gathered(copied)[1][evaluation.gen_id]["score"] == ""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from core_fixtures import DRAFT_REPLY, concept, copy_of_draft, python, settings_for, template, write_parent
from currency_fixtures import folder_of
from runner_fixtures import Project

from daydreaming.base.errors import GenerationError
from daydreaming.generation.runner import Runner
from daydreaming.generation.store import GenerationStore
from daydreaming.inputs.setting_models import StageSettings
from daydreaming.ledger.journal import read_events
from provider import Provider, faults


def test_a_draft_is_made_of_its_concepts(project: Project, provider: Provider, tmp_path: Path):
    provider.script([faults.reply_content(f"\n{DRAFT_REPLY}\r\n")])
    made = project.specification(concepts=(concept(tmp_path),))
    outcome = project.run(made)
    (call,) = provider.ledger()
    assert call.prompt == project.text(made, "prompt") == "Write. Tides: Tides rise and fall."
    assert project.text(made, "raw") == project.text(made, "parsed") == f"\n{DRAFT_REPLY}\r\n"
    assert outcome.written == {"prompt", "raw", "parsed"}
    assert not outcome.reused
    metadata = project.metadata(made)
    assert (metadata["error"], metadata["attempts"], metadata["reply_reused"]) == ("none", 1, False)
    assert all(metadata[name] >= 0 for name in ("render_ms", "llm_ms", "parse_ms"))
    assert metadata["template_sha1"] == hashlib.sha1(made.template.content.encode()).hexdigest()
    assert project.results() == ["made"]
    assert [path.stem for path in project.stored()] == [metadata["request_sha256"]]


def test_an_essay_is_its_reply_and_an_evaluation_is_its_number(project: Project, provider: Provider):
    essay, evaluation = project.specification("essay"), project.specification("evaluation")
    provider.script([faults.reply_content("Fine. SCORE: 3\n", model="acme/writer", prompt_contains="Expand")])
    project.run(essay)
    assert project.text(essay, "prompt") == "Expand this: The draft.\r\n"
    assert project.text(essay, "parsed") == "Fine. SCORE: 3\n"
    provider.script([faults.reply_content("Fine.\n**SCORE: 7**\n")])
    project.run(evaluation)
    assert project.text(evaluation, "prompt") == "Judge with SCORE: The essay."
    assert project.text(evaluation, "raw") == "Fine.\n**SCORE: 7**\n"
    assert project.text(evaluation, "parsed") == "7.0"


def test_the_record_of_a_score_has_the_rubric_s_scale_and_the_words_of_the_judge(project: Project, provider: Provider):
    made = project.specification("evaluation", parser="complex")
    provider.script([faults.reply_content("Fine. SCORE: 4/5\n")])
    project.run(made)
    record = project.metadata(made)
    assert (project.text(made, "parsed"), record["score_as_written"]) == ("8.0", "4/5")
    assert (record["score_min"], record["score_max"]) == (0.0, 10.0)
    stars = replace(made, template=replace(made.template, score_min=1.0, score_max=5.0))
    project.run(stars)
    record = project.metadata(stars)
    assert (project.text(stars, "parsed"), record["score_as_written"]) == ("4.0", "4/5")
    assert (record["score_min"], record["score_max"]) == (1.0, 5.0)
    assert provider.calls == 1, "the stored reply is read on the other scale"


def test_only_evaluations_have_a_scale_and_only_scores_have_words(project: Project, provider: Provider):
    essay, evaluation = project.specification("essay"), project.specification("evaluation")
    provider.script([faults.reply_content("SCORE: 3", prompt_contains="Expand"), faults.reply_content("SCORE: 11")])
    project.run(essay)
    project.failure(evaluation)
    names = ("score_min", "score_max", "score_as_written")
    assert [project.metadata(essay)[name] for name in names] == [None, None, None]
    assert [project.metadata(evaluation)[name] for name in names] == [0.0, 10.0, None]


def test_a_copy_makes_no_call(project: Project, provider: Provider):
    made = copy_of_draft()
    outcome = project.run(made)
    assert provider.calls == 0
    assert project.text(made, "parsed") == "The draft.\r\n"
    assert project.text(made, "raw") is None
    assert outcome.written == {"prompt", "parsed"}
    assert project.results() == ["copied"]
    write_parent(project.root, "draft", "Another draft.")
    project.run(made)
    assert project.text(made, "parsed") == "Another draft."


def test_a_result_that_matches_is_kept_as_it_is(project: Project, provider: Provider):
    made = project.specification()
    project.run(made)
    folder = project.root / "gens/draft/draft-1"
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert project.run(made).written == set()
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    runner = Runner(settings_for(project.base_url, data_root=str(project.root)))
    assert runner.submit(made).result().written == set()
    runner.close()
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert (provider.calls, project.results()) == (1, ["made", "kept", "kept"])


def test_overwriting_writes_all_files_again_from_the_stored_reply(project: Project, provider: Provider):
    made = project.specification()
    project.run(made)
    (stored,) = project.stored()
    before, content = stored.stat().st_mtime_ns, project.text(made, "parsed")
    for path in (project.root / "gens/draft/draft-1").iterdir():
        path.write_text("spoilt")
    outcome = project.run(made, options={"overwrite": True})
    assert outcome.reused
    assert project.text(made, "raw") == project.text(made, "parsed") == content
    assert (provider.calls, stored.stat().st_mtime_ns) == (1, before)
    assert project.results() == ["made", "reused"]
    events = [one for one in read_events(project.root / "cohorts/cohort/journal.jsonl") if one["event"] == "generation"]
    assert [one["saved_usd"] for one in events] == [None, outcome.reply.cost_usd]
    assert outcome.reply.cost_usd > 0
    # What is current is written again, too.
    assert project.run(made, options={"overwrite": True}).written == {"prompt", "raw", "parsed"}
    assert (provider.calls, project.results()[-1]) == (1, "reused")


def test_rendering_stops_after_the_prompt(project: Project, provider: Provider):
    made = project.specification("essay")
    outcome = project.run(made, options={"render_only": True})
    assert outcome.written == {"prompt"}
    assert project.text(made, "prompt") == "Expand this: The draft.\r\n"
    assert sorted(path.name for path in (project.root / "gens/essay/essay-1").iterdir()) == ["prompt.txt"]
    assert provider.calls == 0


def test_rendering_a_template_with_a_typo_leaves_the_result(project: Project, provider: Provider):
    made = project.specification("essay")
    project.run(made)
    kept = project.text(made, "parsed"), project.metadata(made)
    typo = replace(made, template=replace(made.template, content="{{ linksblock }}"))
    with pytest.raises(GenerationError, match="linksblock"):
        project.run(typo, options={"render_only": True})
    assert (project.text(made, "parsed"), project.metadata(made)) == kept
    assert project.results() == ["made"]


def test_a_generation_that_becomes_a_copy_has_no_reply_any_more(project: Project, provider: Provider):
    made = project.specification("essay")
    project.run(made)
    project.run(copy_of_draft(gen_id=made.gen_id))
    assert project.text(made, "raw") is None
    assert len(project.stored()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"template_digest": "t2"},
        {"parser": "identity", "parser_digest": "p2"},
        {"gen_id": "draft-2", "cohort_id": "cohort-2"},
        {"endpoint": "renamed", "prices": (5.0, 5.0), "llm_model_id": "renamed"},
    ],
    ids=str,
)
def test_a_request_that_was_paid_for_is_not_paid_again(project: Project, provider: Provider, change: dict[str, Any]):
    project.run(project.specification())
    again = project.specification(**change)
    outcome = project.run(again, endpoint={"name": again.endpoint, "timeout_s": 7, "max_concurrency": 3})
    assert provider.calls == 1
    assert outcome.reused or outcome.written == set()
    assert project.text(again, "parsed") == project.text(project.specification(), "parsed")


@pytest.mark.parametrize(
    "change",
    [
        {"template": template("draft", "Write otherwise.")},
        {"model": "acme/other"},
        {"replicate": 2},
        {"sampling": StageSettings(temperature=0.6, max_tokens=1000)},
        {"sampling": StageSettings(temperature=0.5, max_tokens=1001)},
        {"sampling": StageSettings(temperature=0.5, max_tokens=1000, seed=1)},
        {"sampling": StageSettings(temperature=0.5, max_tokens=1000, extra_body={"top_p": 1})},
    ],
    ids=str,
)
def test_another_request_is_made(project: Project, provider: Provider, change: dict[str, Any]):
    project.run(project.specification())
    outcome = project.run(project.specification(**change))
    assert provider.calls == 2
    assert not outcome.reused


def test_a_seed_is_another_one_for_each_sample(project: Project, provider: Provider):
    sampling = StageSettings(seed=42)
    provider.script([faults.fault_empty(first=1)])
    first, second = (project.specification(sampling=sampling, replicate=n, gen_id=f"number-{n}") for n in (1, 2))
    project.run(first, retry_replies={"empty": 1})
    project.run(second)
    seeds = [call.seed for call in provider.ledger()]
    assert seeds[0] == 42
    assert len(set(seeds)) == 3
    assert [project.metadata(one)["seed"] for one in (first, second)] == seeds[1:]


def test_a_raw_text_whose_reply_left_the_store_is_not_paid_again(project: Project, provider: Provider):
    made = project.specification()
    project.run(made)
    (stored,) = project.stored()
    stored.unlink()
    (project.root / "gens/draft/draft-1/parsed.txt").unlink()
    outcome = project.run(made)
    assert (provider.calls, outcome.reused) == (1, True)
    assert project.text(made, "parsed") == project.text(made, "raw")
    assert stored.exists()


def test_a_raw_text_is_kept_in_the_store_before_another_one_replaces_it(project: Project, provider: Provider):
    made, other = project.specification(), project.specification(template=template("draft", "Write otherwise."))
    project.run(made)
    first = project.text(made, "raw")
    project.stored()[0].unlink()
    project.run(other)
    assert project.text(made, "raw") != first
    project.run(made)
    assert (provider.calls, project.text(made, "raw")) == (2, first)


def test_a_raw_text_survives_a_template_that_does_not_render(project: Project, provider: Provider):
    made = project.specification()
    project.run(made)
    project.stored()[0].unlink()
    broken = project.specification(template=template("draft", "{{ nothing }}"))
    assert project.failure(broken).kind == "template"
    assert project.run(made).reused
    assert provider.calls == 1


def test_an_old_result_is_never_taken_for_the_new_one(
    project: Project, provider: Provider, monkeypatch: pytest.MonkeyPatch
):
    class PowerLoss(BaseException):
        """What no handler of ours catches."""

    def die(*arguments: object) -> None:
        raise PowerLoss

    made = project.specification(template=template("draft", "Write otherwise."), template_digest="t2")
    project.run(project.specification())
    old = project.text(made, "parsed")
    with monkeypatch.context() as dying:
        dying.setattr(GenerationStore, "_write_parsed", die)
        with pytest.raises(PowerLoss):
            project.run(made)
    project.run(made)
    assert project.text(made, "parsed") not in (None, old)
    assert provider.calls == 2


def test_many_generations_that_ask_the_same_pay_once(project: Project, provider: Provider):
    provider.script([faults.reply_slowly(0.2)])
    runner = Runner(settings_for(project.base_url, data_root=str(project.root)))
    futures = [runner.submit(project.specification(gen_id=f"draft-{number}")) for number in range(8)]
    outcomes = [future.result(120) for future in futures]
    runner.close()
    assert provider.calls == 1
    assert len({outcome.reply.text for outcome in outcomes}) == 1
    assert sorted(project.results()) == ["made", *["reused"] * 7]


PAYS = """
import asyncio, sys
from pathlib import Path
from daydreaming.base.paths import DataPaths
from daydreaming.ledger.replies import ReplyStore

async def pay(root, name, answer):
    store = ReplyStore(DataPaths(Path(root)))
    async with store.in_flight(name):
        print("asks", flush=True)
        sys.stdin.readline()
        Path(answer).rename(store.path(name))
        sys.stdin.readline()

asyncio.run(pay(*sys.argv[1:]))
"""


def test_who_waits_for_a_request_that_another_process_pays_for_takes_its_reply(project: Project, provider: Provider):
    made = project.specification()
    project.run(made)
    text, (stored,) = project.text(made, "parsed"), project.stored()
    answer = stored.rename(project.root / "answer.json")
    shutil.rmtree(folder_of(project, made))
    other = python(PAYS, project.root, stored.stem, answer)
    runner = Runner(settings_for(project.base_url, data_root=str(project.root)))
    try:
        assert other.stdout.readline() == "asks\n"
        waiting = runner.submit(made)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.2)
        other.stdin.write("\n")
        other.stdin.flush()
        assert waiting.result(timeout=30).reused
        assert (provider.calls, other.poll()) == (1, None)
    finally:
        other.communicate("\n")
        runner.close()
    assert project.text(made, "parsed") == text

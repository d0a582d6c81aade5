"""The plan of a run, compared with what the run then does. A study of 2 drafts, 4 essays (2 copies), 4 evaluations."""

import json
import random
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from plan_fixtures import PlannedStudy, number, reasons, states

from daydreaming.ledger.metadata import encode_changed
from daydreaming.plan.planning import State
from provider import Provider
from provider.faults import fault_large, fault_truncated, reply_content
from studies import Choice
from studies import Study as Folder

CHOICE = Choice(essays=("copied", "developed"), combos=(("sleep", "tides"), ("sleep", "maps")))
FINISHED = {
    "draft thread: up to date": 2,
    "essay copied: up to date": 2,
    "essay developed: up to date": 2,
    "evaluation novelty: up to date": 4,
}


@pytest.fixture(scope="module")
def module_provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory, module_provider: Provider) -> Folder:
    """A study that was made to its end by the workflow itself."""
    folder = Folder.create(tmp_path_factory.mktemp("made") / "study", module_provider, CHOICE)
    folder.build()
    assert len(folder.run("-j4").calls) == 8
    return folder


@pytest.fixture
def provider(module_provider: Provider) -> Iterator[Provider]:
    yield module_provider
    module_provider.script([])


@pytest.fixture
def fresh(tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> PlannedStudy:
    """A study of which nothing was made yet."""
    folder = Folder.create(tmp_path / "fresh", provider, CHOICE)
    folder.build()
    monkeypatch.chdir(folder.folder)
    return PlannedStudy(folder)


@pytest.fixture
def made(made_once: Folder, tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> PlannedStudy:
    """A copy of the study that was made."""
    folder = made_once.copy(tmp_path / "made")
    monkeypatch.chdir(folder.folder)
    return PlannedStudy(folder)


def test_before_the_first_run_drafts_need_calls_and_what_follows_is_unknown(fresh: PlannedStudy):
    plan = fresh.plan()
    assert states(plan) == {
        "draft thread: call": 2,
        "essay copied: copy": 2,
        "essay developed: unknown": 2,
        "evaluation novelty: unknown": 4,
    }
    assert reasons(plan, "draft") == {"new: nothing of it was made yet"}
    assert fresh.run() == number(plan, State.CALL) + number(plan, State.UNKNOWN)
    assert states(fresh.plan()) == FINISHED


def test_a_plan_calls_nobody_and_writes_nothing(made: PlannedStudy):
    made.folder.edit(made.folder.template("draft", "thread"), "Answer", "Please answer")
    made.folder.edit("1_raw/evaluation_templates.csv", "in_last_line", "complex")
    before, calls = made.folder.snapshot(made.folder.folder), made.folder.provider.calls
    made.report().text(why=True)
    assert made.folder.snapshot(made.folder.folder) == before
    assert made.folder.provider.calls == calls


def test_an_edited_template_and_what_the_workflow_makes_of_it(made: PlannedStudy):
    template = made.folder.template("draft", "thread")
    original = template.read_text()
    made.folder.edit(template, "Answer", "Please answer")
    plan = made.plan()
    assert states(plan) == {
        "draft thread: call": 2,
        "essay copied: copy": 2,
        "essay developed: unknown": 2,
        "evaluation novelty: unknown": 4,
    }
    assert reasons(plan, "draft") == {"data/1_raw/generation_templates/draft/thread.txt changed"}
    assert len(made.folder.run("-j4").calls) == 8

    template.write_text(original)
    plan = made.plan()
    assert states(plan) == {
        "draft thread: reuse": 2,
        "essay copied: copy": 2,
        "essay developed: reuse": 2,
        "evaluation novelty: reuse": 4,
    }
    assert made.folder.run("-j4").calls == ()
    assert states(made.plan()) == FINISHED


def test_a_deleted_gens_folder_reuses_stored_replies_to_the_last_generation(made: PlannedStudy):
    shutil.rmtree(made.folder.paths.gens)
    plan = made.plan()
    assert number(plan, State.REUSE) == 8
    assert number(plan, State.COPY) == 2
    assert made.run() == 0


def test_another_parser_of_evaluations_reads_replies_again(made: PlannedStudy):
    made.folder.edit("1_raw/evaluation_templates.csv", "in_last_line", "complex")
    plan = made.plan()
    assert number(plan, State.REPARSE) == 4
    assert reasons(plan, "evaluation") == {"parser is complex, was in_last_line"}
    assert made.run() == 0


def test_another_parser_of_drafts_tells_the_requests_of_what_follows_exactly(made: PlannedStudy):
    made.folder.edit("1_raw/draft_templates.csv", "essay_block", "identity")
    plan = made.plan()
    assert states(plan) == {
        "draft thread: reparse": 2,
        "essay copied: copy": 2,
        "essay developed: call": 2,
        "evaluation novelty: call": 2,
        "evaluation novelty: unknown": 2,
    }
    parents = {row.gen_id for row in made.folder.rows("draft")}
    assert reasons(plan, "essay") == {f"the text of its parent, draft {gen_id}, changed" for gen_id in parents}
    assert made.run() == 6


def test_a_parser_that_finds_the_same_text_concerns_nothing_that_follows(made: PlannedStudy):
    pretend_that_the_code_of_the_parser_was_another(made, "draft")
    plan = made.plan()
    assert states(plan) == {**without(FINISHED, "draft"), "draft thread: reparse": 2}
    assert reasons(plan, "draft") == {"the code of the parser essay_block changed"}
    assert made.run() == 0
    assert states(made.plan()) == FINISHED


def test_a_reply_that_only_raw_txt_has_is_not_paid_again(made: PlannedStudy):
    shutil.rmtree(made.folder.paths.replies)
    for parsed in made.folder.paths.gens.glob("*/*/parsed.txt"):
        parsed.unlink()
    plan = made.plan()
    assert number(plan, State.REPARSE) == 8
    assert made.run() == 0


def test_a_reply_that_is_gone_is_called_for_again(made: PlannedStudy):
    shutil.rmtree(made.folder.paths.replies)
    for raw in made.folder.paths.gens.glob("evaluation/*/*.txt"):
        raw.unlink()
    plan = made.plan()
    assert states(plan) == {**without(FINISHED, "evaluation"), "evaluation novelty: call": 4}
    assert made.run() == 4


def test_replies_that_cannot_be_used_fail_again_or_get_the_fresh_attempts_that_are_allowed(fresh: PlannedStudy):
    fresh.folder.provider.script([reply_content("no score", prompt_contains="evaluation novelty")])
    fresh.run()
    plan = fresh.plan()
    assert number(plan, State.FAIL) == 4
    assert all("[parse]" in reason for reason in reasons(plan, "evaluation"))
    assert fresh.run() == 0

    twice = {"retry_replies": {"parse": 1}}
    plan = fresh.plan(**twice)
    assert number(plan, State.CALL) == 4
    assert reasons(plan, "evaluation") == {
        "it failed last time (parse); attempt 2, for the reply before could not be used"
    }
    fresh.folder.provider.script([])
    assert fresh.run(**twice) == 4
    assert states(fresh.plan(**twice)) == FINISHED


def test_what_waits_for_a_larger_limit_fails_without_a_call_until_the_limit_is_raised(fresh: PlannedStudy):
    fresh.folder.provider.script([fault_large(60_000)])
    endpoints = fresh.folder.config()["endpoints"]
    small, large = (
        {"endpoints": {name: {**endpoint, "max_reply_bytes": limit} for name, endpoint in endpoints.items()}}
        for limit in (20_000, 70_000)
    )
    assert fresh.run(**small) == 2
    plan = fresh.plan(**small)
    assert number(plan, State.CALL) == fresh.run(**small) == 0
    assert all("raise max_reply_bytes" in reason for reason in reasons(plan, "draft"))
    assert states(fresh.plan("draft", **large)) == {"draft thread: call": 2}


def test_what_follows_a_failing_draft_fails_too(fresh: PlannedStudy):
    fresh.folder.provider.script([fault_truncated(prompt_contains="draft thread")])
    fresh.run()
    plan = fresh.plan()
    assert number(plan, State.FAIL) == len(plan.generations) == 10
    parents = {f"its parent essay {row.gen_id} fails" for row in fresh.folder.rows("essay")}
    assert reasons(plan, "evaluation") == parents
    assert fresh.run() == 0


def test_a_template_that_does_not_render_fails_without_a_call(made: PlannedStudy):
    # It renders with a sample, which is what is checked on loading, and not with the real texts.
    made.folder.edit(made.folder.template("evaluation", "novelty"), "{{ response }}", "{{ response.split('?')[9] }}")
    plan = made.plan()
    assert number(plan, State.FAIL) == 4
    assert "has no element 9" in reasons(plan, "evaluation").pop()
    assert made.run() == 0


def test_generations_with_the_same_request_are_called_for_once(tmp_path, provider, monkeypatch):
    folder = Folder.create(tmp_path / "study", provider, Choice(drafts=("thread", "twin")))
    folder.write(folder.template("draft", "twin"), folder.template("draft", "thread").read_text())
    folder.build()
    monkeypatch.chdir(folder.folder)
    study = PlannedStudy(folder)
    plan = study.plan("draft")
    assert states(plan) == {"draft thread: call": 1, "draft twin: reuse": 1}
    thread = folder.row("draft", "thread")
    new = "new: nothing of it was made yet"
    assert reasons(plan, "draft") == {new, f"{new}; its request is the same as that of draft {thread.gen_id}"}
    assert study.run() == 2  # one draft, one evaluation of what is the same essay twice


def test_a_copy_follows_its_draft_even_if_its_template_does_not_show_it(made: PlannedStudy):
    made.folder.write(made.folder.template("essay", "copied"), "A copy.")
    made.run()
    made.folder.edit("1_raw/draft_templates.csv", "essay_block", "identity")
    copies = {one.reason for one in made.plan().generations if one.state == State.COPY}
    assert copies == {f"the text of its parent, draft {row.gen_id}, changed" for row in made.folder.rows("draft")}
    made.run()
    texts = [
        {made.folder.files(row).parsed.read_text() for row in made.folder.rows(*of)}
        for of in (("draft",), ("essay", "copied"))
    ]
    assert texts[0] == texts[1]


def test_an_edited_draft_is_put_back_and_concerns_nothing_that_follows(made: PlannedStudy):
    row = made.folder.rows("draft")[0]
    before = made.folder.parsed_texts()
    made.folder.files(row).parsed.write_text("Another draft.")
    plan = made.plan()
    assert states(plan) == {**FINISHED, "draft thread: up to date": 1, "draft thread: reparse": 1}
    assert {one.reason for one in plan.generations if one.reason} == {
        f"data/gens/draft/{row.gen_id}/parsed.txt is not the text that was written"
    }
    assert made.run() == 0
    assert made.folder.parsed_texts() == before


def test_the_target_decides_what_is_planned(fresh: PlannedStudy):
    assert states(fresh.plan("draft")) == {"draft thread: call": 2}
    assert len(fresh.plan("essay").generations) == 6
    assert len(fresh.plan().generations) == 10


def adopted(study: PlannedStudy) -> dict[Path, bytes]:
    """Make all texts those of nobody's, and adopt them; returns the files."""
    shutil.rmtree(study.folder.paths.replies)
    for path in [*study.folder.paths.gens.rglob("metadata.json"), *study.folder.paths.cohorts.glob("*/journal.jsonl")]:
        path.unlink()
    assert states(study.plan()) == {name.replace("up to date", "adopted"): count for name, count in FINISHED.items()}
    assert study.run() == 0
    return {path: path.read_bytes() for path in study.folder.paths.gens.rglob("parsed.txt")}


def test_adopted_texts_that_are_not_of_what_is_asked_now_are_waiting_for_you(made: PlannedStudy):
    texts = adopted(made)
    made.folder.edit(made.folder.template("essay", "developed"), "essay developed", "essay, developed")
    plan = made.plan()
    assert states(plan) == {
        "draft thread: adopted": 2,
        "essay copied: adopted": 2,
        "essay developed: waiting for you": 2,
        "evaluation novelty: adopted": 2,
        "evaluation novelty: waiting for you": 2,
    }
    essays = [row.gen_id for row in made.folder.rows("essay", "developed")]
    assert reasons(plan, "essay") == {"", "data/1_raw/generation_templates/essay/developed.txt changed"}
    assert reasons(plan, "evaluation") == {"", *(f"its parent essay {gen_id} is waiting for you" for gen_id in essays)}
    assert made.run() == 0
    assert {path: path.read_bytes() for path in texts} == texts
    remade = made.plan(remake_adopted=True)
    assert number(remade, State.WAITING) == number(remade, State.ADOPTED) == 0


def test_what_is_adopted_is_waiting_for_you_while_its_parent_is_made_again(made: PlannedStudy):
    adopted(made)
    draft = made.folder.rows("draft")[0]
    shutil.rmtree(made.folder.files(draft).folder)
    shutil.rmtree(made.folder.paths.replies)
    plan = made.plan()
    assert (number(plan, State.CALL), number(plan, State.WAITING), number(plan, State.FAIL)) == (1, 4, 0)
    assert f"its parent draft {draft.gen_id} is made first, from something else" in reasons(plan, "essay")


EDITS = {
    "draft template": lambda study: study.edit(study.template("draft", "thread"), "Answer", "Now answer"),
    "rubric": lambda study: study.edit(study.template("evaluation", "novelty"), "End", "Now end"),
    "concept": lambda study: study.write("1_raw/concepts/descriptions-paragraph/tides.txt", "They rise and fall."),
    "temperature": lambda study: study.configure(stages={"evaluation": {"temperature": 0.5}}),
    "min_lines": lambda study: study.configure(stages={"draft": {"min_lines": 2}}),
    "draft parser": lambda study: study.edit("1_raw/draft_templates.csv", "essay_block", "identity"),
    "rubric parser": lambda study: study.edit("1_raw/evaluation_templates.csv", "in_last_line", "complex"),
    "lost draft": lambda study: shutil.rmtree(study.files(study.rows("draft")[0]).folder),
    "lost essay": lambda study: study.files(study.rows("essay", "developed")[0]).parsed.unlink(),
    "lost replies": lambda study: shutil.rmtree(study.paths.replies, ignore_errors=True),
    "prices": lambda study: study.edit("1_raw/llm_models.csv", "local,", "local,1"),
}


@pytest.mark.parametrize("seed", range(6))
def test_after_any_edits_a_run_makes_the_planned_calls(made: PlannedStudy, seed: int):
    draw = random.Random(seed)
    for _ in range(2):
        edits = draw.sample(sorted(EDITS), 3)
        for name in edits:
            with suppress(AssertionError, FileNotFoundError):  # made before: nothing is left to edit
                EDITS[name](made.folder)
        plan = made.plan()
        calls, unknown = number(plan, State.CALL), number(plan, State.UNKNOWN)
        assert calls <= made.run() <= calls + unknown, edits
        assert {one.state for one in made.plan().generations} == {State.UP_TO_DATE}


def pretend_that_the_code_of_the_parser_was_another(study: PlannedStudy, stage: str) -> None:
    for metadata in study.folder.paths.gens.glob(f"{stage}/*/metadata.json"):
        record = json.loads(re.sub(r"parser (\w+)@\w+", r"parser \1@0", metadata.read_text()))
        metadata.write_bytes(encode_changed(record))


def without(counts: dict[str, int], stage: str) -> dict[str, int]:
    return {name: count for name, count in counts.items() if not name.startswith(stage)}

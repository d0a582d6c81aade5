"""What is made again, and what is not: by what is asked now, whatever happened in between.

Each test is a way in which a text that was made from something else could pass for what is asked now.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agreement import dry_run_generations, gathered, plan, texts_from_nothing
from fault_study import FaultStudy, end, finish, kill_group, wait_for_calls
from provider_fixtures import wait_until

from provider import Provider, faults
from studies import Study

CHAINS, IN_FLIGHT, SLOWLY_S = 8, 3, 0.5
MODELS = {"lab/writer": "lab/poet", "lab/judge": "lab/critic"}


def ctrl_c(process: subprocess.Popen, study: FaultStudy) -> None:
    os.killpg(process.pid, signal.SIGINT)
    study.provider.script([])
    study.provider.release()
    finish(process)


def kill(process: subprocess.Popen, study: FaultStudy) -> None:
    kill_group(process)
    end(process)
    study.run("--unlock")


@pytest.fixture(scope="module")
def interrupted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, session_provider: Provider
) -> Iterator[FaultStudy]:
    """A run of 8 chains that was ended with calls in flight. For reading only: see `stopped`."""
    study = FaultStudy.with_chains(tmp_path_factory.mktemp("interrupted") / "study", session_provider, CHAINS)
    session_provider.script([faults.reply_slowly(SLOWLY_S, times=2 * IN_FLIGHT), faults.reply_held()])
    before = session_provider.calls
    process = study.start(f"-j{IN_FLIGHT}")
    wait_for_calls(session_provider, before + 2 * IN_FLIGHT + 1, process)
    wait_until(lambda: len(study.parsed_texts()) > 0)
    request.param(process, study)
    session_provider.script([])
    assert 0 < len(study.parsed_texts()) < 3 * CHAINS
    return study


@pytest.fixture
def stopped(interrupted: FaultStudy, tmp_path: Path, provider: Provider) -> Study:
    """A copy of the interrupted study, to be changed."""
    return interrupted.copy(tmp_path / "study")


def another_model(study: Study) -> None:
    for old, new in MODELS.items():
        study.edit("1_raw/llm_models.csv", old, new)


def another_temperature(study: Study) -> None:
    study.configure(stages={"draft": {"temperature": 0.31}, "evaluation": {"temperature": 0.31}})


def another_template_of_the_same_time(study: Study) -> None:
    for template in (study.template("draft", "thread"), study.template("evaluation", "novelty")):
        moment = template.stat().st_mtime_ns
        template.write_text(template.read_text() + "More.\n")
        os.utime(template, ns=(moment, moment))


def another_parser(study: Study) -> None:
    study.edit("1_raw/draft_templates.csv", "essay_block", "identity")
    study.edit("1_raw/evaluation_templates.csv", "in_last_line", "complex")


def is_of_now(study: Study) -> bool:
    """Whether every record says what is asked now, of the models, temperatures and parsers above."""
    models = (study.data / "1_raw/llm_models.csv").read_text()
    parsers = "".join((study.data / f"1_raw/{stage}_templates.csv").read_text() for stage in ("draft", "evaluation"))
    stages = study.config()["stages"]
    records = [study.metadata(row) for stage in ("draft", "evaluation") for row in study.rows(stage)]
    return all(
        record["model"] in models
        and record["parser_name"] in parsers
        and record["temperature"] == stages[record["stage"]]["temperature"]
        for record in records
    )


@pytest.mark.parametrize(
    ("interrupted", "change"),
    [
        pytest.param(ctrl_c, another_model, marks=pytest.mark.full_set),
        pytest.param(ctrl_c, another_temperature, marks=pytest.mark.full_set),
        (ctrl_c, another_template_of_the_same_time),
        (ctrl_c, another_parser),
        (kill, another_model),
    ],
    indirect=["interrupted"],
    ids=lambda one: one.__name__,
)
def test_nothing_of_an_interrupted_run_passes_for_what_is_asked_after_it(
    change: Callable, stopped: Study, tmp_path: Path
):
    change(stopped)
    states = Counter(plan(stopped).values())
    run = stopped.run("-j8")
    assert "up_to_date" not in states
    assert len(run.calls) == states["call"] + states["unknown"]
    if change is another_parser:
        assert states["reparse"] > 0
    else:
        assert len(run.calls) == 2 * CHAINS
    assert is_of_now(stopped)
    assert stopped.parsed_texts() == texts_from_nothing(stopped, tmp_path / "nothing")


@pytest.mark.parametrize(
    "options", [(), pytest.param(("--config", "full_dag=true"), marks=pytest.mark.full_set)], ids=["", "full_dag"]
)
def test_drafts_that_run_stage_made_are_made_again_for_another_model(options, make_study, tmp_path: Path):
    study = make_study(drafts=("thread", "contrast"), combos=(("sleep", "tides"), ("sleep", "maps")))
    for draft in study.rows("draft"):
        study.script("run_stage.py", "--stage", "draft", f"--gen-id={draft.gen_id}")
    another_model(study)
    run = study.run("-j8", *options)
    assert run.asked == {"draft thread": 2, "draft contrast": 2, "evaluation novelty": 4}
    assert is_of_now(study)
    assert study.parsed_texts() == texts_from_nothing(study, tmp_path / "nothing")


def test_what_snakemake_has_no_record_of_is_made_again_for_another_model(copied: Study, tmp_path: Path):
    shutil.rmtree(copied.folder / ".snakemake")
    another_model(copied)
    listed = dry_run_generations(copied)
    run = copied.run("-j8")
    assert len(listed) == 28
    assert len(run.calls) == 24  # four essays are copies
    assert is_of_now(copied)
    assert copied.parsed_texts() == texts_from_nothing(copied, tmp_path / "nothing")


def test_times_of_the_future_hide_nothing_from_snakemake(copied: Study, tmp_path: Path):
    shutil.rmtree(copied.folder / ".snakemake")
    for path in copied.paths.gens.rglob("*.txt"):
        os.utime(path, (2.2e9, 2.2e9))
    another_model(copied)
    listed = dry_run_generations(copied)
    run = copied.run("-j8")
    assert (len(listed), len(run.calls)) == (28, 24)  # four essays are copies
    assert is_of_now(copied)
    assert copied.parsed_texts() == texts_from_nothing(copied, tmp_path / "nothing")


def test_what_snakemake_has_no_record_of_stays_where_it_is_what_is_asked(copied: Study):
    before = copied.snapshot(copied.paths.gens)
    shutil.rmtree(copied.folder / ".snakemake")
    run = copied.run("-j8")
    assert (run.calls, run.outcomes) == ((), {})
    assert copied.snapshot(copied.paths.gens) == before


# While a run goes on --------------------------------------------------------------------------------------------------


def edit_during_a_run(study: FaultStudy, file: str, old: str, new: str, *options: str) -> tuple[int, str]:
    """Edit a file when the first calls of a run are made; returns its exit code and output."""
    study.provider.script([faults.reply_held()])
    before = study.provider.calls
    process = study.start(f"-j{IN_FLIGHT}", *options)
    wait_for_calls(study.provider, before + IN_FLIGHT, process)
    study.edit(file, old, new)
    study.provider.script([])
    study.provider.release()
    return finish(process)


DRAFT_TEMPLATE = ("1_raw/generation_templates/draft/thread.txt", "Answer with an idea", "Answer with a plan")
CONCEPT = ("1_raw/concepts/descriptions-paragraph/tides.txt", "What is known", "What is not known")
RUBRIC = ("1_raw/evaluation_templates/novelty.txt", "End with", "Be strict. End with")
# With a process for each draft, the later ones are rendered when the earlier ones are made.
ONE_BY_ONE = ("drafts", "--executor", "local")


@pytest.mark.parametrize(
    ("edit", "options"),
    [(DRAFT_TEMPLATE, ONE_BY_ONE), pytest.param(CONCEPT, ONE_BY_ONE, marks=pytest.mark.full_set), (RUBRIC, ())],
    ids=["draft template", "concept", "rubric"],
)
def test_an_edit_during_a_run_that_is_put_back_leaves_nothing_of_it(
    edit: tuple[str, str, str], options: tuple[str, ...], tmp_path: Path, provider: Provider
):
    study = FaultStudy.with_chains(tmp_path / "study", provider, 2 * IN_FLIGHT)
    file, old, new = edit
    _, output = edit_during_a_run(study, file, old, new, *options)
    # All judgements are made after the edit, of one rubric: then there is nothing to tell.
    assert (f"Changed while the run went on: data/{file}" in output) == (edit is not RUBRIC)
    edited = made_with(study, new)
    assert len(edited) > 0
    study.edit(file, new, old)
    run = study.run("-j8")
    of_old_text = len(study.rows("draft")) - len(edited) if edit is not RUBRIC else 0
    assert len(run.calls) == (2 * len(study.rows("draft")) if edit is not RUBRIC else len(edited)) - of_old_text
    assert made_with(study, new) == set()
    assert study.parsed_texts() == texts_from_nothing(study, tmp_path / "nothing")


def made_with(study: Study, words: str) -> set[str]:
    """The ids of the generations whose prompt has these words."""
    return {file.parent.name for file in study.paths.gens.glob("*/*/prompt.txt") if words in file.read_text()}


def test_an_edit_during_a_run_that_stays_holds_the_results_up_until_all_is_of_one_text(
    tmp_path: Path, provider: Provider
):
    study = FaultStudy.with_chains(tmp_path / "study", provider, CHAINS)
    scores = study.paths.cohort("c1").reports / "parsed_scores.csv"
    code, output = edit_during_a_run(study, *CONCEPT)
    assert (code, scores.exists()) == (1, False)
    assert f"Changed while the run went on: data/{CONCEPT[0]}" in output
    assert study.run("-j8").asked == {"draft thread": CHAINS, "evaluation novelty": CHAINS}
    assert study.parsed_texts() == texts_from_nothing(study, tmp_path / "nothing")
    assert scores.exists()


# Texts that no run made -----------------------------------------------------------------------------------------------


def test_adopted_texts_that_are_not_of_what_is_asked_now_are_waiting_for_you_wherever_they_are_told(copied: Study):
    shutil.rmtree(copied.paths.replies)
    for path in [*copied.paths.gens.rglob("metadata.json"), copied.paths.cohort("c1").journal]:
        path.unlink()
    assert copied.run("-j8").calls == ()
    texts = copied.parsed_texts()
    copied.edit(copied.template("evaluation", "novelty"), "End", "Now end")
    evaluations = {("evaluation", row.gen_id) for row in copied.rows("evaluation", "novelty")}

    assert {key for key, state in plan(copied).items() if state == "waiting"} == evaluations
    assert "\nwaiting for you: no run made these texts" in copied.script("plan.py").output
    dry = copied.run("-n").output
    assert dry.count("/waiting-for-you") >= len(evaluations)
    assert dry_run_generations(copied) == evaluations
    run = copied.run("-j8", code=1)
    assert run.calls == ()
    assert f"Generations that are waiting for you: {len(evaluations)}" in run.output
    assert f"evaluation  {len(evaluations)} waiting for you" in run.output
    assert "Failed generations" not in run.output
    errors = {("evaluation", gen_id): row["error"] for gen_id, row in gathered(copied)[1].items()}
    assert errors == {key: "waiting" if key in evaluations else "" for key in errors}
    assert f"Generations that are waiting for you: {len(evaluations)}" in copied.script("show_failures.py").output
    assert copied.parsed_texts() == texts
    copied.configure(remake_adopted=True)
    assert not {"waiting", "adopted"} & set(plan(copied).values())

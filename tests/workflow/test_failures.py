"""What a failure leaves behind, whatever its kind: a record, the paid reply, no result; and what a rerun costs."""

import csv
from dataclasses import dataclass
from pathlib import Path

import failure_cases
import pytest
from failure_cases import CASES, FINE, LOST, STORED
from metadata_contract import metadata_faults

from daydreaming.base.errors import FailureKind
from daydreaming.generation.store import PARSE_REPORT_MARKER
from provider import Provider, faults
from studies import Run, Study
from studies.study import PROJECT


@dataclass(frozen=True)
class Failed:
    """A study of all failures, after its first run."""

    study: Study
    run: Run

    def row(self, name: str):
        (row,) = (row for row in self.study.rows("evaluation") if row.gen_id == name)
        return row


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory, session_provider: Provider) -> Failed:
    study = failure_cases.make_study(tmp_path_factory.mktemp("failed") / "study", session_provider)
    failure_cases.script(session_provider)
    run = study.run("-j32", code=1)
    session_provider.script([])
    return Failed(study, run)


@pytest.mark.parametrize("name", CASES)
def test_metadata_says_how_it_failed_and_there_is_no_result(failed: Failed, name: str):
    row = failed.row(name)
    metadata = failed.study.metadata(row)
    assert metadata["error"] == CASES[name].kind
    assert metadata["error_message"]
    assert metadata["error_traceback"]
    assert metadata["files"]["parsed"] is None
    assert not failed.study.files(row).parsed.exists()


@pytest.mark.parametrize("name", CASES)
def test_it_made_as_many_calls_as_could_help(failed: Failed, name: str):
    assert failed.run.asked.get(f"evaluation {name}", 0) == CASES[name].calls


@pytest.mark.parametrize("name", CASES)
def test_it_is_told_once_with_its_kind(failed: Failed, name: str):
    lines = [line for line in failed.run.output.splitlines() if f"evaluation {name} failed" in line]
    shown_at_most = 20
    assert len(lines) == 1 or (not lines and failed.run.output.count(" failed, [") == shown_at_most)
    assert all(f"[{CASES[name].kind}]" in line for line in lines)


@pytest.mark.parametrize("name", STORED)
def test_a_paid_reply_is_kept_to_its_last_character(failed: Failed, name: str):
    raw = failed.study.files(failed.row(name)).raw.read_bytes().decode()
    if CASES[name].kind == FailureKind.PARSE:
        reply, marker, report = raw.partition(PARSE_REPORT_MARKER)
        assert (reply, bool(marker)) == (CASES[name].reply, True)
        assert "Traceback" in report
    else:
        assert raw == CASES[name].reply


@pytest.mark.parametrize("name", LOST)
def test_without_a_reply_raw_txt_is_the_report(failed: Failed, name: str):
    files, metadata = failed.study.files(failed.row(name)), failed.study.metadata(failed.row(name))
    if CASES[name].kind == FailureKind.TEMPLATE:
        assert not files.raw.exists()
        assert "'verdict' is undefined" in metadata["error_message"]
        assert "template.txt, line 4" in metadata["error_message"]
    else:
        raw = files.raw.read_text()
        assert raw.startswith(f"{CASES[name].kind}: {metadata['error_message']}")
        assert "Traceback" in raw


@pytest.mark.parametrize("name", CASES)
def test_the_record_is_as_the_schema_says(failed: Failed, name: str):
    assert metadata_faults(failed.study.metadata(failed.row(name))) == []


def test_each_paid_reply_is_in_the_store_and_nothing_else(failed: Failed):
    paid = {failed.study.metadata(failed.row(name))["request_sha256"] for name in (*STORED, FINE)}
    paid.add(failed.study.metadata(failed.study.row("draft"))["request_sha256"])
    assert {file.stem for file in failed.study.paths.replies.glob("*/*.json")} == paid


def test_one_failure_stops_no_other_generation(failed: Failed):
    assert failed.study.metadata(failed.row(FINE))["error"] == "none"
    assert failed.study.files(failed.row(FINE)).parsed.exists()
    expected = {f"evaluation {name}: {case.kind}": 1 for name, case in CASES.items()}
    made = {"draft thread: made": 1, "essay copied: copied": 1, f"evaluation {FINE}: made": 1}
    assert failed.run.outcomes == expected | made
    assert not failed.study.paths.cohort("c1").reports.exists()


def test_a_rerun_tries_the_failed_ones_only_and_pays_only_for_what_never_came(failed: Failed, tmp_path: Path):
    study = failed.study.copy(tmp_path / "study")
    study.edit(study.template("evaluation", "template"), "{{ verdict }}", "")
    study.configure(endpoints={"far": {"base_url": study.provider.base_url}})
    run = study.run("-j32", code=1, env={failure_cases.KEY_VARIABLE: "a-key"})
    assert run.asked == {f"evaluation {name}": 1 for name in LOST}
    assert run.outcomes == {
        **{f"evaluation {name}: made": 1 for name in LOST},
        **{f"evaluation {name}: {CASES[name].kind}": 1 for name in STORED},
    }
    for name in STORED:
        before, after = (one.files(failed.row(name)).raw.read_bytes() for one in (failed.study, study))
        assert before.partition(b"Traceback")[0] == after.partition(b"Traceback")[0]


def test_a_cohort_with_failures_can_be_scored_and_no_failure_is_a_zero(failed: Failed, tmp_path: Path):
    output = tmp_path / "scores.csv"
    before = failed.study.snapshot()
    run = failed.study.script("aggregate_scores.py", "--output", str(output))
    assert f"Evaluations: {len(CASES) + 1}, with a score: 1" in run.output
    with output.open(newline="") as stream:
        scores = {row["gen_id"]: (row["score"] != "", row["error"]) for row in csv.DictReader(stream)}
    assert scores == {FINE: (True, ""), **{name: (False, str(case.kind)) for name, case in CASES.items()}}
    assert "gens/evaluation/truncated/raw.txt" in run.output
    assert "gens/evaluation/server-error/metadata.json" in run.output
    assert failed.study.snapshot() == before

    pivots = tmp_path / "pivots"
    program = str(PROJECT / "scripts/build_pivot_tables.py")
    failed.study.command("python", program, "--parsed-scores", str(output), "--output-dir", str(pivots))
    with (pivots / "pivot_mean.csv").open(newline="") as stream:
        (essay,) = csv.DictReader(stream)
    assert essay[f"{FINE}/judge"] == essay["all"] != ""
    assert {essay[f"{name}/{case.judge}"] for name, case in CASES.items()} == {""}


def test_a_failed_draft_holds_up_its_own_chain_alone(make_study, provider: Provider, tmp_path: Path):
    study = make_study(drafts=("thread", "contrast"))
    provider.script([faults.reply_content("Too short.", prompt_contains="draft contrast")])
    run = study.run(code=1)
    assert run.outcomes == {
        "draft contrast: too_short": 1,
        "draft thread: made": 1,
        "essay copied: copied": 1,
        "evaluation novelty: made": 1,
    }
    scored = study.script("aggregate_scores.py", "--output", str(tmp_path / "scores.csv"))
    assert "Evaluations: 2, with a score: 1" in scored.output
    held_up = next(line for line in (tmp_path / "scores.csv").read_text().splitlines() if "contrast" in line)
    assert study.row("draft", "contrast").gen_id in held_up


def test_scores_of_a_run_with_few_enough_failures_show_them_without_a_score(make_study, provider: Provider):
    study = make_study(drafts=("thread", "contrast"))
    provider.script([faults.fault_status(400, prompt_contains="draft contrast")])
    study.run("--config", "max_failed_fraction=0.5", code=1)
    with (study.paths.cohort("c1").reports / "parsed_scores.csv").open(newline="") as stream:
        scores = {row["draft_template"]: (row["score"] != "", row["error"]) for row in csv.DictReader(stream)}
    assert scores == {"thread": (True, ""), "contrast": (False, "parent")}
    # What is missing is still missing: the next run makes it.
    provider.script([])
    assert study.run().outcomes == {
        "draft contrast: made": 1,
        "essay copied: copied": 1,
        "evaluation novelty: made": 1,
    }


def test_a_result_that_cannot_be_made_again_is_gone(copied: Study, provider: Provider):
    copied.edit(copied.template("evaluation", "novelty"), "End with", "Be strict. End with")
    provider.script([faults.reply_content("I cannot decide.", prompt_contains="Be strict.")])
    run = copied.run(code=1)
    assert run.outcomes == {"evaluation novelty: parse": 8}
    assert not any(copied.files(row).parsed.exists() for row in copied.rows("evaluation", "novelty"))
    assert all(copied.files(row).parsed.exists() for row in copied.rows("evaluation", "soundness"))


def test_a_fresh_attempt_is_made_where_the_configuration_allows_one(make_study, provider: Provider):
    study = make_study(config={"retry_replies": {"parse": 1}})
    provider.script([faults.reply_content("I cannot decide.", prompt_contains="evaluation novelty", times=1)])
    run = study.run()
    assert run.asked == {"draft thread": 1, "evaluation novelty": 2}
    assert study.metadata(study.row("evaluation"))["attempts"] == 2
    assert len(list(study.paths.replies.glob("*/*.json"))) == 3


def test_offline_nothing_is_called_and_the_failure_says_so(make_study):
    study = make_study()
    run = study.run("--config", "offline=true", code=1)
    assert run.calls == ()
    assert run.outcomes == {"draft thread: offline": 1}
    assert study.metadata(study.row("draft"))["error"] == "offline"


def test_without_a_place_for_replies_no_call_is_made(make_study):
    study = make_study()
    study.paths.replies.write_text("This file is where the folder should be.\n")
    run = study.run(code=1)
    assert run.calls == ()
    assert run.outcomes == {"draft thread: storage": 1}
    assert study.metadata(study.row("draft"))["error"] == "storage"


def test_a_budget_stops_calls_before_they_are_made_and_raised_lets_the_rest_go_on(make_study):
    study = make_study(drafts=("thread", "contrast"))
    assert study.run("--config", "budget_usd=0", code=1).outcomes == {
        "draft thread: budget": 1,
        "draft contrast: budget": 1,
    }
    second = study.run("--config", "budget_calls=1", code=1)
    assert len(second.calls) == 1
    # The draft that was paid for has its copy; its evaluation would be the second call.
    assert sum(number for outcome, number in second.outcomes.items() if outcome.endswith("budget")) == 2
    assert len(study.run("--config", "budget_calls=4").calls) == 3

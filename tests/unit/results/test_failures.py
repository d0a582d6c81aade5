"""Generations that failed: found, grouped, told, written."""

import csv
from pathlib import Path

import pytest
import score_fixtures as fixtures
from watch_fixtures import GENERATIONS, study_in

import show_failures
from daydreaming.base.errors import FailureKind
from daydreaming.base.paths import DataPaths
from daydreaming.ledger.tally import GenerationResult
from daydreaming.results.failures import (
    CURES,
    SHOWN_GROUPS,
    cohort_failures,
    failure_groups,
    failures_text,
    run_failures,
    write_failures,
)
from daydreaming.results.scores import INVALID


def result(gen_id, kind, stage="evaluation", template="novelty", model="judge"):
    return GenerationResult(stage, gen_id, template, model, kind)


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return study_in(tmp_path)


def generation(gen_id):
    return next(one for one in GENERATIONS if one.gen_id == gen_id)


@pytest.mark.parametrize("kind", [*FailureKind, INVALID])
def test_every_kind_has_a_cure(kind):
    assert CURES[kind].endswith(".")


@pytest.mark.parametrize("kind", ["malformed", "truncated", "refused", "empty", "too_short", "parse"])
def test_where_a_stored_reply_would_fail_again_the_cure_says_how_to_get_another(kind):
    assert f"`retry_replies: {{{kind}: 1}}`" in CURES[kind]


def test_a_runs_failures_come_from_its_results():
    results = [result("v1", "parse"), result("v2", "made"), result("v3", "timeout")]
    failures = run_failures(results, DataPaths(Path("data")))
    assert [(failure.gen_id, failure.kind, failure.look_at.as_posix()) for failure in failures] == [
        ("v1", "parse", "data/gens/evaluation/v1/raw.txt"),
        ("v3", "timeout", "data/gens/evaluation/v3/metadata.json"),
    ]


def test_failures_are_counted_by_kind_stage_template_and_model(study):
    results = [
        result("v1", "api"),
        result("v2", "parse"),
        result("v3", "parse"),
        result("v4", "parse", template="sound"),
        result("v5", "parse", model="other"),
        result("d1", "parse", stage="draft"),
    ]
    groups = failure_groups(run_failures(results, study.paths))
    assert [(group.count, group.example.gen_id) for group in groups] == [
        (2, "v2"),
        (1, "v1"),
        (1, "v4"),
        (1, "v5"),
        (1, "d1"),
    ]


def test_the_table_has_counts_a_file_a_cure_and_a_message(study):
    fixtures.make(study.settings, generation("v1"), None, "parse")
    text = failures_text(run_failures([result("v1", "parse"), result("v2", "parse")], study.paths))
    assert text.splitlines()[:4] == [
        "Failed generations: 2",
        "count  kind   stage       template and model, and a file to look at",
        "    2  parse  evaluation  novelty  judge",
        "                          data/gens/evaluation/v1/raw.txt",
    ]
    assert f"  parse: {CURES['parse']}\n    For example: what parse means" in text


def test_without_failures_there_is_no_table(study):
    assert failures_text([]) == ""


def test_a_very_long_table_is_cut_and_says_so(study):
    results = [result(f"v{number}", "api", template=f"t{number}") for number in range(SHOWN_GROUPS + 5)]
    text = failures_text(run_failures(results, study.paths))
    assert "Failed generations: 25" in text
    assert "... and 5 more rows" in text
    assert text.count("data/gens/evaluation") == SHOWN_GROUPS


def test_a_cohorts_failures_come_from_its_metadata(study):
    fixtures.make(study.settings, generation("d1"), "text")
    fixtures.make(study.settings, generation("d2"), None, "truncated", error_message="cut\n  off")
    fixtures.make(study.settings, generation("v1"), None, "api")
    study.files("evaluation", "v2").folder.mkdir(parents=True)
    study.files("evaluation", "v2").metadata.write_text("[torn")
    failures = cohort_failures(study)
    assert [(failure.gen_id, failure.kind) for failure in failures] == [
        ("d2", "truncated"),
        ("v1", "api"),
        ("v2", "invalid"),
    ]
    assert failures[0].message == "cut off"


@pytest.mark.parametrize("has_record", [True, False])
def test_a_folder_in_the_place_of_a_text_is_to_be_moved_away(study, has_record):
    if has_record:
        fixtures.make(study.settings, generation("v1"), None)
    parsed = study.files("evaluation", "v1").parsed
    parsed.mkdir(parents=True)
    (failure,) = cohort_failures(study)
    assert (failure.gen_id, failure.kind) == ("v1", "storage")
    assert failure.message == f"{parsed.parent}: parsed.txt cannot be read (Is a directory): move it away"
    assert "repaired or moved away" in failure.cure


def test_failures_are_written_as_a_table(study, tmp_path):
    fixtures.make(study.settings, generation("v1"), None, "api", error_message='no, "no"')
    write_failures(tmp_path / "failures.csv", cohort_failures(study))
    with (tmp_path / "failures.csv").open(newline="") as stream:
        [row] = csv.DictReader(stream)
    assert row == {
        "kind": "api",
        "stage": "evaluation",
        "gen_id": "v1",
        "template_id": "novelty",
        "llm_model_id": "judge",
        "message": 'no, "no"',
        "look_at": "data/gens/evaluation/v1/metadata.json",
        "cure": CURES["api"],
    }


def test_the_script_lists_the_cohorts_failures(study, tmp_path, capsys):
    fixtures.make(study.settings, generation("v1"), None, "api")
    assert show_failures.main(["--directory", str(tmp_path), "--all"]) == 0
    printed = capsys.readouterr().out
    assert "Failed generations: 1" in printed
    assert "  api  evaluation  data/gens/evaluation/v1/metadata.json\n    what api means" in printed


def test_the_script_says_that_there_are_none(study, tmp_path, capsys):
    assert show_failures.main(["--directory", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "No generation of the cohort has failed.\n"


def test_the_script_names_faults_of_the_inputs(study, tmp_path, capsys):
    assert show_failures.main(["--directory", str(tmp_path), "--config", "k_max=none"]) == 1
    assert "k_max" in capsys.readouterr().err

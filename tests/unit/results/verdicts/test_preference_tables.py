"""The statistics of a cohort's verdicts as tables, and the program that writes them, from files on the disk."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import pytest
from pages_fixtures import make_reading_cohort
from score_fixtures import score_row
from verdict_fixtures import RUBRIC, STAGE, inspect, judge, judgement, make_duels, with_rows

import aggregate_preferences
from daydreaming.base.errors import InputError
from daydreaming.generation.inspection import Inspection
from daydreaming.generation.study import Study
from daydreaming.inputs.records import Catalogs, Model
from daydreaming.results.made_results import Result
from daydreaming.results.outdated_results import ResultsCheck
from daydreaming.results.scores import collect_scores
from daydreaming.results.statistics.preferences.table_names import TABLES
from daydreaming.results.verdicts.collecting import collect_verdicts, verdicts_of_now
from daydreaming.results.verdicts.preference_tables import (
    analyse_verdicts,
    mean_scores,
    own_models,
    table_files,
    write_preferences,
)


@pytest.fixture
def compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Study, Inspection]:
    """A cohort of 5 combos; two judges compared 4 essays of each in both orders, the last two judgements failed."""
    monkeypatch.chdir(tmp_path)
    return make_duels(make_reading_cohort(tmp_path, combos=5, replicates=1, sentences=8, hostile=""))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_table_is_written_with_the_question_of_each_row(compared):
    study, inspection = compared
    rows = collect_verdicts(study, inspection)
    preferences = analyse_verdicts(rows, collect_scores(study, inspection), study.catalogs)
    paths = write_preferences(study, rows, preferences)
    assert paths == [study.cohort_files.preferences, *table_files(study.cohort_files.reports)]
    verdicts, *tables = map(table, paths)
    assert len(verdicts) == 5 * 6 * 2 * 2
    assert sum(row["verdict"] == "" and row["error"] == "parse" for row in verdicts) == 2
    for name, found in zip(TABLES, tables, strict=True):
        assert found, name
        assert {(row["stage"], row["rubric"]) for row in found} == {(STAGE, RUBRIC)}, name
    by_name = dict(zip(TABLES, tables, strict=True))
    overall = {row["model"]: row for row in by_name["win_rates"] if not row["judge"] and not row["opponent"]}
    failed = sum(row["verdict"] == "" and row["model_a"] != row["model_b"] for row in verdicts)
    assert {int(row["n_failed"]) for row in overall.values()} == {failed}
    told = [row for row in verdicts if row["verdict"] and row["model_a"] != row["model_b"]]
    points = {"A": 1.0, "tie": 0.5, "B": 0.0}
    slow = sum(abs((row["model_a"] != "slow-writer") - points[row["verdict"]]) for row in told)
    assert float(overall["slow-writer"]["numerator"]) == slow
    assert float(overall["slow-writer"]["value"]) == pytest.approx(slow / len(told))
    assert int(next(row for row in by_name["agreement"])["n_without_score"]) == 0
    assert {row["judge"] for row in by_name["own_model"]} == {"slow-writer"}


def test_each_rubric_is_analysed_for_itself(compared):
    study, _ = compared
    pairs = [("e-developed-0-thread-quick-writer", "e-developed-0-thread-slow-writer")]
    other = [judgement("o1", *pairs[0], template_id="other"), judgement("o2", *pairs[0][::-1], template_id="other")]
    study = with_rows(study, other)
    template = replace(study.catalogs.templates[STAGE][RUBRIC], template_id="other")
    study.catalogs.templates[STAGE]["other"] = template
    for row in other:
        judge(study, row, "A")
    tables = analyse_verdicts(collect_verdicts(study, inspect(study)), [], study.catalogs).tables
    flips = tables["consistency"][tables["consistency"].figure == "flips with the order"]
    assert [(row.rubric, row.denominator) for row in flips[flips.judge == ""].itertuples()][-1] == ("other", 1)
    assert flips[(flips.rubric == RUBRIC) & (flips.judge == "")].denominator.item() == 59
    assert tables["agreement"].empty


def test_a_judgement_that_is_there_twice_is_named_by_its_row(compared):
    study, _ = compared
    first = next(one for one in study.membership.generations.values() if one.stage == STAGE)
    twin = replace(first, gen_id="twin")
    study = with_rows(study, [twin])
    judge(study, twin, "A")
    with pytest.raises(InputError, match="there twice") as error:
        analyse_verdicts(collect_verdicts(study, inspect(study)), [], study.catalogs)
    assert error.value.faults[0].row == 5 * 6 * 2 * 2 + 2


def test_scores_of_several_rubrics_count_after_the_mean_of_each_was_taken_off():
    rows = [
        score_row("v1", 2.0, parent_gen_id="e1", combo_id="k1"),
        score_row("v2", 4.0, parent_gen_id="e2", combo_id="k1"),
        score_row("v3", 9.0, parent_gen_id="e1", combo_id="k1", evaluation_template="other"),
        score_row("v4", 8.0, parent_gen_id="e2", combo_id="k1", evaluation_template="other"),
    ]
    assert mean_scores(rows[:2]) == {"e1": 2.0, "e2": 4.0}
    means = mean_scores(rows)
    assert means["e2"] - means["e1"] == pytest.approx(0.5)
    assert mean_scores([score_row("v1", None)]) == mean_scores([]) == {}


def test_a_judge_is_known_as_a_writer_of_another_id_by_what_is_sent():
    models = [Model("writes", "lab/one", "", "", True, False), Model("judges", "lab/one", "", "", False, True)]
    models.append(Model("other", "lab/two", "", "", True, True))
    found = own_models(Catalogs({}, {}, {one.id: one for one in models}))
    assert found == {"writes": ["writes", "judges"], "judges": ["writes", "judges"], "other": ["other"]}


@pytest.fixture
def program(compared, monkeypatch):
    """The program, on the cohort as the table of stages would load it."""
    study, _ = compared
    monkeypatch.setattr("daydreaming.generation.study.load_study", lambda settings: study)
    monkeypatch.setattr("daydreaming.generation.inspection.inspect_cohort", inspect)
    return lambda *arguments: aggregate_preferences.main(["--directory", ".", *arguments])


def test_the_program_writes_the_tables_and_says_what_is_in_them(compared, program, capsys):
    study, inspection = compared
    assert program() == 0
    printed = capsys.readouterr().out
    assert "Judgements of two texts: 120, with a verdict: 118\n  without a verdict, parse: 2" in printed
    assert "(parse): what parse means" in printed
    assert "slow-writer" in printed
    assert verdicts_of_now(study, inspection)
    check = ResultsCheck(study, inspection)
    assert not check.outdated(Result.PREFERENCES)
    strengths = study.cohort_files.reports / "preference_strengths.csv"
    assert all(math.isfinite(float(row["value"])) for row in table(strengths) if not row["note"])
    strengths.write_text("edited")
    assert strengths in ResultsCheck(study, inspection).outdated(Result.PREFERENCES)


def test_more_failures_than_allowed_write_nothing(compared, program, capsys):
    study, _ = compared
    assert program("--max-failed-fraction", "0.016") == 1
    assert "1.7% of the judgements have no verdict and 1.6% are allowed" in capsys.readouterr().err
    assert not study.cohort_files.preferences.exists()
    assert program("--max-failed-fraction", "0.02") == 0


def test_a_cohort_that_compares_nothing_is_told_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make_reading_cohort(tmp_path, combos=1, replicates=1, sentences=2)
    assert aggregate_preferences.main(["--directory", ".", "--config", "cohort=c1", "k_max=3"]) == 1
    assert "no row compares two texts" in capsys.readouterr().err

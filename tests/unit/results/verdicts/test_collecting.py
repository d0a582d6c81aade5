"""From the files of judgements of two texts to the table of verdicts: no failure becomes a tie, or any verdict."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
from score_fixtures import draft, essay, evaluation, make, membership, study_of
from verdict_fixtures import RUBRIC, STAGE, inspect, judge, judgement, with_rows

from daydreaming.base import atomic
from daydreaming.base.errors import InputError
from daydreaming.generation.study import Study
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.results.verdicts.collecting import collect_verdicts, verdicts_of_now
from daydreaming.results.verdicts.verdict_table import COLUMNS, VerdictRow, count_verdicts, verdicts_text

ESSAYS = [draft("d1"), draft("d2", llm_model_id="stylist"), essay("e1", "d1", llm_model_id=""), essay("e2", "d2")]
THERE, BACK = judgement("c1", "e1", "e2"), judgement("c2", "e2", "e1")


@pytest.fixture
def study(tmp_path, monkeypatch) -> Study:
    """A study of two essays, judged in both orders: the second one won, then there was a tie."""
    monkeypatch.chdir(tmp_path)
    plain = study_of(settings_from_config({"data_root": "data"}), membership(*ESSAYS, evaluation("v1", "e1")))
    for one in plain.membership.generations.values():
        make(plain.settings, one, "7.0" if one.stage == "evaluation" else f"The text {one.gen_id}.")
    study = with_rows(plain, [THERE, BACK])
    judge(study, THERE, "B\n")
    judge(study, BACK, "tie")
    return study


def rows(study: Study) -> list[VerdictRow]:
    return collect_verdicts(study, inspect(study))


def test_a_verdict_has_both_texts_with_their_writers_and_lengths(study):
    there, back = rows(study)
    assert there == VerdictRow(
        stage=STAGE,
        gen_id="c1",
        combo_id="k1",
        text_stage="essay",
        essay_a="e1",
        essay_b="e2",
        template_a="copied",
        template_b="copied",
        model_a="writer",
        model_b="writer",
        length_a=12,
        length_b=12,
        rubric=RUBRIC,
        judge="judge",
        order=1,
        replicate=1,
        cohort_id="c1",
        verdict="B",
        error="",
        adopted=True,
        path_a="data/gens/essay/e1/parsed.txt",
        path_b="data/gens/essay/e2/parsed.txt",
        judgement_path="data/gens/duel/c1/parsed.txt",
        metadata_path="data/gens/duel/c1/metadata.json",
        cost_usd=0.0031,
    )
    assert (back.essay_a, back.essay_b, back.order, back.verdict) == ("e2", "e1", 2, "tie")


def test_a_copy_is_its_drafts_models(study):
    changed = with_rows(study, [replace(ESSAYS[3], llm_model_id="")])
    make(changed.settings, replace(ESSAYS[3], llm_model_id=""), "The text e2.")
    assert [(row.model_a, row.model_b) for row in rows(changed)] == [("writer", "stylist"), ("stylist", "writer")]


def test_a_cohort_that_compares_nothing_has_no_verdicts_and_needs_no_table(study):
    plain = replace(study, membership=membership(*ESSAYS))
    assert verdicts_of_now(plain, inspect(plain)) == []


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (None, "parse", "what parse means"),
        ("", "invalid", "holds '' and not A, B or tie"),
        ("7.0", "invalid", "holds '7.0' and not A, B or tie"),
        ("a", "invalid", "holds 'a' and not A, B or tie"),
        ("A or B", "invalid", "holds 'A or B' and not A, B or tie"),
        ("Tie", "invalid", "holds 'Tie' and not A, B or tie"),
    ],
)
def test_what_is_no_verdict_is_a_failure_and_no_tie(study, text, error, message):
    judge(study, THERE, text, error="none" if text is not None else "parse")
    there, back = rows(study)
    assert (there.verdict, there.error, there.failed_gen_id) == (None, error, "c1")
    assert message in there.error_message
    assert there.look_at == f"data/gens/duel/c1/{'raw' if error == 'parse' else 'parsed'}.txt"
    assert back.verdict == "tie"


def test_a_judgement_that_was_not_made_is_missing(study):
    study.files(STAGE, "c1").parsed.unlink()
    study.files(STAGE, "c1").metadata.unlink()
    assert [(row.verdict, row.error) for row in rows(study)] == [(None, "missing"), ("tie", "")]


def test_a_verdict_that_was_given_to_an_essay_that_failed_since_is_none(study):
    make(study.settings, ESSAYS[3], None, error="truncated")
    for row in rows(study):
        assert (row.verdict, row.error, row.failed_gen_id) == (None, "parent", "e2")
        assert row.error_message == "its essay e2 failed (truncated): what truncated means"
        assert row.look_at == "data/gens/essay/e2/raw.txt"
        assert (row.length_a, row.length_b) == ((12, None) if row.gen_id == "c1" else (None, 12))


def test_a_verdict_file_that_changes_while_it_is_read_is_none(study):
    inspection = inspect(study)
    study.files(STAGE, "c1").parsed.write_text("A")
    assert [row.error for row in collect_verdicts(study, inspection)] == ["edited", ""]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (judgement("c3", "e1", "e1"), "compares 'e1' with itself"),
        (judgement("c3", "e1", "e3"), "which are of the combos 'k1' and 'k2'"),
    ],
)
def test_rows_that_compare_no_two_texts_of_one_combo_are_named(study, row, problem):
    other = [draft("d3", combo_id="k2"), essay("e3", "d3")]
    changed = with_rows(replace(study, combos={**study.combos, "k2": study.combos["k1"]}), [*other, row])
    with pytest.raises(InputError, match=problem) as error:
        rows(changed)
    assert error.value.faults[0].file == "data/cohorts/c1/membership.csv"
    assert "the duel 'c3'" in str(error.value)


def test_the_order_is_that_of_the_pairs_first_row_for_every_judge(study):
    more = [judgement(f"s{n}", *pair, llm_model_id="stylist") for n, pair in enumerate((("e2", "e1"), ("e1", "e2")))]
    found = {row.gen_id: row.order for row in rows(with_rows(study, more))}
    assert found == {"c1": 1, "c2": 2, "s0": 2, "s1": 1}


def test_the_table_has_an_empty_cell_for_a_failure_and_the_results_ask_for_the_table_of_now(study):
    judge(study, THERE, None)
    found = rows(study)
    [there, back] = csv.DictReader(verdicts_text(found).splitlines())
    assert tuple(there) == COLUMNS
    assert (there["verdict"], there["error"], back["verdict"], back["error"]) == ("", "parse", "tie", "")
    counts = count_verdicts(found)
    assert (counts.total, counts.told, counts.failed, counts.failed_fraction) == (2, 1, {"parse": 1}, 0.5)
    with pytest.raises(InputError, match=r"parsed_preferences\.csv: does not exist"):
        verdicts_of_now(study, inspect(study))
    atomic.write_text(study.cohort_files.preferences, verdicts_text(found))
    assert verdicts_of_now(study, inspect(study)) == found
    judge(study, THERE, "A")
    with pytest.raises(InputError, match="not what the generations say now"):
        verdicts_of_now(study, inspect(study))

"""Judges beside people: the figures of each pair, and that people's scores change nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from score_tables import by_template

from daydreaming import analyse

A = [4.0, 5.0, 7.0, 6.0, 3.0, 8.0]
B = [5.0, 5.5, 6.0, 6.5, 2.0, 9.0]


def cohort() -> pd.DataFrame:
    """Two judges of 12 essays; the first judge's id comes before `reader:`, the second one's after it."""
    return pd.concat(
        [
            by_template({"a": A, "b": B}, evaluation_llm_model="judge"),
            by_template({"a": B, "b": A}, evaluation_llm_model="strict"),
        ]
    )


def given(reader: str, change: float | list[float], **more: object) -> pd.DataFrame:
    """The first judge's scores of the essays by template a, changed, as a reader's."""
    scores = (np.array(A) + change).tolist()
    return by_template({"a": scores}, evaluation_llm_model=f"reader:{reader}", **more)


def row_of(table: pd.DataFrame, figure: str, judge: str, reader: str) -> pd.Series:
    own = table[(table.figure == figure) & (table.judge_a == judge) & (table.judge_b == f"reader:{reader}")]
    assert len(own) == 1
    return own.iloc[0]


def test_each_judge_stands_before_the_reader_whatever_its_name():
    found = analyse(cohort(), readers=given("ann", -1.0)).agreement
    first = row_of(found, "judge_a - judge_b", "judge", "ann")
    assert (first.value, first.n_essays, first.n_combos) == (pytest.approx(1.0), 6, 6)
    assert first.low <= 1.0 <= first.high
    second = row_of(found, "judge_a - judge_b", "strict", "ann")
    difference = np.array(B) - (np.array(A) - 1.0)
    assert second.value == pytest.approx(difference.mean())
    assert second.low < second.value < second.high
    assert row_of(found, "rank correlation", "judge", "ann").value == pytest.approx(1.0)


def test_people_change_no_figure_of_the_judges():
    alone, beside = analyse(cohort()), analyse(cohort(), readers=given("ann", [0.25, 1, -2, 0, 3, 0]))
    for name, table in alone.tables().items():
        pd.testing.assert_frame_equal(beside.tables()[name].head(len(table)), table)
    assert len(beside.contrasts) == len(alone.contrasts)
    assert set(beside.judges.judge) == {"judge", "strict", "reader:ann"}


def test_two_readers_are_compared_with_each_other_too():
    readers = pd.concat([given("ann", 0.0), given("ben", 0.5)])
    found = analyse(cohort(), readers=readers).agreement
    pairs = set(zip(found.judge_a, found.judge_b, strict=True))
    people = {("judge", "reader:ann"), ("judge", "reader:ben"), ("strict", "reader:ann"), ("strict", "reader:ben")}
    assert pairs == {("", ""), ("judge", "strict"), ("reader:ann", "reader:ben"), *people}


def test_an_impression_has_a_rank_correlation_alone_for_it_is_another_scale():
    found = analyse(cohort(), readers=given("ann", -1.0, evaluation_template="human")).agreement
    own = found[found.judge_b == "reader:ann"]
    assert set(own.figure) == {"rank correlation with the reader's own impression"}
    row = row_of(found, own.figure.iloc[0], "judge", "ann")
    assert (row.rubric, row.value, row.n_essays) == ("novelty", pytest.approx(1.0), 6)


def test_a_score_of_another_text_is_compared_with_nothing():
    stale = given("ann", 0.0).assign(score=None, error="stale")
    analysis = analyse(cohort(), readers=stale)
    assert not analysis.agreement.judge_b.str.startswith("reader:").any()
    failed = analysis.judges[analysis.judges.judge == "reader:ann"].n_failed
    assert set(failed) == {6}


def test_without_scores_of_people_nothing_is_added():
    empty = given("ann", 0.0).head(0)
    pd.testing.assert_frame_equal(analyse(cohort(), readers=empty).agreement, analyse(cohort()).agreement)

"""Tables that we write are safe to open in a spreadsheet, and read back as they were."""

import csv

import pytest
from score_fixtures import score_row

from daydreaming.base.errors import InputError
from daydreaming.results.score_table import read_scores, write_csv, write_scores

FORMULAS = ["=1+1", "+1 +1", "-1 -1 (an answer)", "@SUM(A1)", "\tx", "=cmd|' /C calc'!A0", "'=1", "''-1 x"]


@pytest.mark.parametrize("message", [*FORMULAS, "'quoted'", "plain = 1", "it's"])
def test_a_message_is_no_formula_and_is_read_back(tmp_path, message):
    path = tmp_path / "scores.csv"
    write_scores(path, [score_row("v1", None, error_message=message)])
    with path.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["error_message"][0] not in "=+-@\t"
    assert read_scores(path)[0].error_message == message


def test_numbers_and_ids_stay_as_they_are(tmp_path):
    path = tmp_path / "table.csv"
    write_csv(path, ["gen_id", "n", "mean", "nothing"], [["-gen-1", -3, -1.5, None]])
    assert path.read_text() == "gen_id,n,mean,nothing\n-gen-1,-3,-1.5,\n"
    scores = tmp_path / "scores.csv"
    write_scores(scores, [score_row("-v1", 7.0, parent_gen_id="-e1")])
    (row,) = read_scores(scores)
    assert (row.gen_id, row.parent_gen_id) == ("-v1", "-e1")


@pytest.mark.parametrize(
    ("score", "scale"), [(4.5, (1.0, 5.0)), (-2.0, (-5.0, 5.0)), (0.25, (0.0, 0.5)), (87.5, (0.0, 100.0))]
)
def test_a_score_is_read_back_on_its_own_scale(tmp_path, score, scale):
    path = tmp_path / "scores.csv"
    write_scores(path, [score_row("v1", score, score_min=scale[0], score_max=scale[1])])
    (row,) = read_scores(path)
    assert (row.score, row.scale) == (score, scale)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"score_min": 1.0, "score_max": 5.0}, "'7.0' is not a score from 1 to 5."),
        ({"score_min": 8.0}, "'7.0' is not a score from 8 to 10."),
        ({"score_min": 10.0, "score_max": 0.0}, "a scale from 10 to 0 is none."),
        ({"score_max": float("nan")}, "'nan' is not a number."),
    ],
    ids=str,
)
def test_a_score_off_its_scale_and_a_scale_that_is_none_are_faults(tmp_path, changes, said):
    path = tmp_path / "scores.csv"
    write_scores(path, [score_row("v1", 7.0, **changes)])
    with pytest.raises(InputError) as caught:
        read_scores(path)
    assert [fault.problem for fault in caught.value.faults] == [said]


def test_a_table_without_scales_is_on_the_usual_one(tmp_path):
    path = tmp_path / "scores.csv"
    write_scores(path, [score_row("v1", 7.0)])
    with path.open(newline="") as file:
        (row,) = csv.DictReader(file)
    kept = {name: cell for name, cell in row.items() if name not in ("score_min", "score_max")}
    write_csv(path, kept, [kept.values()])
    assert read_scores(path)[0].scale == (0.0, 10.0)

"""Tables that we write are safe to open in a spreadsheet, and read back as they were."""

import csv

import pytest
from score_fixtures import score_row

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

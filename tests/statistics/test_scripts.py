"""The two commands, and the door for the workflow."""

import csv

import pandas as pd
import pytest
from score_fixtures import score_row
from score_tables import by_template
from simulated_cohorts import Design, frame

import analyse
import design
from daydreaming.results.score_table import write_scores
from daydreaming.results.statistics.analysis import TABLES, analyse_rows

ROWS = [
    score_row(
        f"v{combo}-{template}",
        6.0 + combo % 3 + (template == "thread") * (1 + combo / 10),
        parent_gen_id=f"e{combo}-{template}",
        combo_id=f"k{combo}",
        draft_template=template,
    )
    for combo in range(6)
    for template in ("thread", "plain")
]


def test_the_tables_of_a_file_are_written_as_csv(tmp_path, capsys):
    write_scores(tmp_path / "parsed_scores.csv", ROWS)
    output = tmp_path / "new" / "reports"
    arguments = ["--parsed-scores", str(tmp_path / "parsed_scores.csv"), "--output", str(output)]
    assert analyse.main([*arguments, "--essay-usd", "0.1", "--evaluation-usd", "0.01"]) == 0
    assert capsys.readouterr().out.split() == [str(output / f"{name}.csv") for name in TABLES]
    with (output / "contrasts.csv").open(newline="") as stream:
        row = next(csv.DictReader(stream))
    assert (row["level_a"], row["level_b"], row["rubric"], row["n_combos"]) == ("plain", "thread", "", "6")
    assert float(row["difference"]) == pytest.approx(-1.25)
    assert "USD" in (output / "design.csv").read_text()


def test_the_workflows_door_writes_the_same(tmp_path):
    write_scores(tmp_path / "parsed_scores.csv", ROWS)
    analyse.main(["--parsed-scores", str(tmp_path / "parsed_scores.csv"), "--output", str(tmp_path / "a")])
    analyse_rows(ROWS).write(tmp_path / "b")
    for name in TABLES:
        assert (tmp_path / "a" / f"{name}.csv").read_bytes() == (tmp_path / "b" / f"{name}.csv").read_bytes(), name


def test_ids_that_pandas_takes_for_missing_are_names(tmp_path):
    cohort = frame(Design("any", 5), 1).replace({"draft_template": {"draft_template0": "NA", "draft_template1": "007"}})
    cohort.to_csv(tmp_path / "scores.csv", index=False)
    assert analyse.main(["--parsed-scores", str(tmp_path / "scores.csv"), "--output", str(tmp_path)]) == 0
    written = pd.read_csv(tmp_path / "contrasts.csv", dtype=str, keep_default_na=False)
    assert (written.level_a[0], written.level_b[0]) == ("007", "NA")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "it cannot be read"),
        ("", "it cannot be read"),
        ("gen_id,score\nv1,5\n", "column 'combo_id': the column is missing."),
    ],
)
def test_a_file_that_is_no_table_of_scores_is_named_and_nothing_is_written(tmp_path, capsys, text, told):
    path = tmp_path / "scores.csv"
    if text is not None:
        path.write_text(text)
    assert analyse.main(["--parsed-scores", str(path), "--output", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr().out
    assert f"{path}" in printed and told in printed
    assert not (tmp_path / "out").exists()


def test_a_score_outside_the_scale_of_the_file_is_named(tmp_path, capsys):
    write_scores(tmp_path / "scores.csv", ROWS)
    path = tmp_path / "scores.csv"
    path.write_text(path.read_text().replace(",6.0,", ",11.0,", 1))
    assert analyse.main(["--parsed-scores", str(path), "--output", str(tmp_path / "out")]) == 1
    assert "column 'score': '11.0' is not a score from 0 to 10." in capsys.readouterr().out


def test_scores_of_a_rubric_with_a_scale_of_its_own_are_read(tmp_path):
    scores = by_template({"thread": [80.0, 60.0, 70.0, 90.0]}).assign(score_min=0.0, score_max=100.0)
    scores.to_csv(tmp_path / "scores.csv", index=False)

    code = analyse.main(["--parsed-scores", str(tmp_path / "scores.csv"), "--output", str(tmp_path / "out")])

    assert code == 0
    levels = pd.read_csv(tmp_path / "out" / "levels.csv", keep_default_na=False)
    assert set(levels["mean"].astype(float)) == {75.0}


def test_a_folder_that_cannot_be_written_is_named(tmp_path, capsys):
    write_scores(tmp_path / "scores.csv", ROWS)
    (tmp_path / "out").write_text("a file")
    assert analyse.main(["--parsed-scores", str(tmp_path / "scores.csv"), "--output", str(tmp_path / "out")]) == 1
    assert "Choose another place with --output" in capsys.readouterr().out


def test_a_design_is_printed_before_there_is_a_cohort(capsys):
    assert design.main(["--combos", "10", "--judges", "3", "--essay-usd", "0.1", "--evaluation-usd", "0.01"]) == 0
    printed = capsys.readouterr().out
    # 10 combos x 2 templates, 3 judges: 20 essays, 60 evaluations, 2.60 USD.
    for figure in ("20", "60", "2.60", "±"):
        assert figure in printed

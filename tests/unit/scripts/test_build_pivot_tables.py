from score_fixtures import score_row

from build_pivot_tables import main
from daydreaming.results.score_table import write_scores

NAMES = {"pivot_mean.csv", "pivot_n.csv", "pivot_sum.csv", "pivot_n_failed.csv"}


def test_writes_beside_the_scores_or_where_it_is_told(tmp_path, capsys):
    scores = tmp_path / "results" / "parsed_scores.csv"
    write_scores(scores, [score_row("v1", 7.0), score_row("v2", None)])
    assert main(["--parsed-scores", str(scores)]) == 0
    assert {path.name for path in scores.parent.iterdir()} == NAMES | {"parsed_scores.csv"}
    printed = capsys.readouterr().out
    assert "1 essays, 1 pairs" in printed
    assert str(scores.parent / "pivot_mean.csv") in printed
    assert main(["--parsed-scores", str(scores), "--output-dir", str(tmp_path / "new")]) == 0
    assert {path.name for path in (tmp_path / "new").iterdir()} == NAMES


def test_faulty_scores_are_named_and_nothing_is_written(tmp_path, capsys):
    scores = tmp_path / "parsed_scores.csv"
    write_scores(scores, [score_row("v1", 7.0), score_row("v2", 12.0)])
    assert main(["--parsed-scores", str(scores)]) == 1
    assert f"{scores}, row 3, column 'score'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [scores]


def test_missing_scores(tmp_path, capsys):
    assert main(["--parsed-scores", str(tmp_path / "none.csv")]) == 1
    assert "none.csv" in capsys.readouterr().err


def test_an_output_folder_that_cannot_be_made(tmp_path, capsys):
    scores = tmp_path / "parsed_scores.csv"
    write_scores(scores, [score_row("v1", 7.0)])
    assert main(["--parsed-scores", str(scores), "--output-dir", str(scores / "below")]) == 1
    assert "--output-dir" in capsys.readouterr().err

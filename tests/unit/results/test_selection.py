"""Choosing essays from their ranking: ties, intervals, the file that a curated cohort is built from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from report_fixtures import make_cohort

from daydreaming.base.errors import InputError
from daydreaming.base.paths import DataPaths
from daydreaming.cohort.chains import selected_chains
from daydreaming.generation.study import Study
from daydreaming.results.score_table import ScoreRow, write_scores
from daydreaming.results.scores import collect_scores
from daydreaming.results.selection import select_essays, write_selection
from select_essays import main


def scored(
    essay: str, score: float | None, rubric: str = "novelty", judge: str = "judge", **changes: object
) -> ScoreRow:
    replicate = changes.pop("replicate", 1)
    values: dict[str, object] = {
        "gen_id": f"{essay}-{rubric}-{judge}-{replicate}",
        "parent_gen_id": essay,
        "combo_id": f"combo-of-{essay}",
        "draft_template": "thread",
        "generation_template": "developed",
        "generation_model": "writer",
        "evaluation_template": rubric,
        "evaluation_llm_model": judge,
        "replicate": replicate,
        "cohort_id": "c1",
        "score": score,
        "error": "" if score is not None else "parse",
    }
    return ScoreRow(**{**values, **changes})  # type: ignore[arg-type]


def chosen(rows: Sequence[ScoreRow], top: int, **how: object) -> list[str]:
    return [one.essay for one in select_essays(rows, top, **how).chosen]  # type: ignore[arg-type]


ROWS = [scored("a", 9.0), scored("b", 8.0), scored("c", 8.0), scored("d", 5.0), scored("e", None)]


def test_the_best_come_first_and_those_without_a_score_never():
    assert chosen(ROWS, 1) == ["a"]
    assert chosen(ROWS, 3) == ["a", "b", "c"]
    assert chosen(ROWS, 30) == ["a", "b", "c", "d"]


def test_essays_that_tie_with_the_last_one_are_all_chosen_or_none():
    assert chosen(ROWS, 2) == ["a", "b", "c"]
    assert "2 of them share the last rank, 2" in select_essays(ROWS, 2).text()
    assert chosen(ROWS, 2, split_ties=True) == ["a"]
    with pytest.raises(InputError, match="share the first rank"):
        select_essays([scored("a", 5.0), scored("b", 5.0)], 1, split_ties=True)


def test_by_one_rubric_and_one_judge():
    rows = [
        *(scored("a", 9.0), scored("b", 2.0)),
        *(scored("a", 1.0, rubric="rigour"), scored("b", 7.0, rubric="rigour")),
        *(scored("a", 2.0, judge="critic"), scored("b", 8.0, judge="critic")),
    ]
    assert chosen(rows, 1, rubric="novelty", judge="judge") == ["a"]
    assert chosen(rows, 1, rubric="rigour") == ["b"]
    assert chosen(rows, 1, judge="critic") == ["b"]
    assert "each one's mean taken off" in select_essays(rows, 1).text()


def test_over_all_judges_a_strict_one_takes_nobody_back():
    """`b` was seen by the lenient judge alone, and is below the mean there."""
    rows = [
        *(scored("a", 4.0, judge="strict"), scored("c", 2.0, judge="strict")),
        *(scored("a", 9.5, judge="lenient"), scored("b", 8.0, judge="lenient"), scored("c", 9.0, judge="lenient")),
    ]
    assert chosen(rows, 1) == ["a"]
    assert chosen(rows, 3)[-1] == "b"


def test_intervals_are_shown_where_judgements_were_repeated():
    rows = [scored(essay, score + by, replicate=by) for essay, score in (("a", 6.0), ("b", 5.5)) for by in (1, 2)]
    text = select_essays(rows, 1).text()
    assert " to " in text
    assert "1 that are not chosen may be as good" in text
    assert "No intervals" in select_essays(ROWS, 1).text()


def test_rubrics_of_different_scales_are_not_put_together():
    rows = [scored("a", 9.0), scored("a", 50.0, rubric="percent", score_max=100.0)]
    with pytest.raises(InputError, match="Choose one with --by"):
        select_essays(rows, 1)
    assert chosen(rows, 1, rubric="percent") == ["a"]


def test_a_rubric_or_judge_that_is_not_there():
    with pytest.raises(InputError, match="no rubric 'novelt' in the table"):
        select_essays(ROWS, 1, rubric="novelt")
    with pytest.raises(InputError, match="no judge 'someone' in the table"):
        select_essays(ROWS, 1, judge="someone")
    with pytest.raises(InputError, match="no essay has a score"):
        select_essays([scored("e", None)], 1)


def test_another_selection_is_not_replaced_unasked(tmp_path: Path):
    path = tmp_path / "selected.txt"
    assert write_selection(path, "a\n")
    assert not write_selection(path, "a\n")
    with pytest.raises(InputError, match="--force"):
        write_selection(path, "b\n")
    assert path.read_text() == "a\n"
    assert write_selection(path, "b\n", force=True)


TABLE = Path("scores.csv")
OF_TABLE = ("--directory", ".", "--parsed-scores", str(TABLE))


class TestScript:
    @pytest.fixture(autouse=True)
    def project(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "config.yaml").write_text("cohort: c1\n")
        write_scores(TABLE, ROWS)

    def test_a_table_of_scores_makes_the_selection(self, capsys: pytest.CaptureFixture[str]):
        assert main([*OF_TABLE, "--top", "2", "--by", "novelty"]) == 0
        text = Path("data/2_tasks/selected_essays.txt").read_text()
        assert [line.split()[0] for line in text.splitlines()[1:]] == ["a", "b", "c"]
        assert "3 of 4 essays with a score are chosen" in capsys.readouterr().out
        # What reads the file finds the ids: it misses their records here.
        with pytest.raises(InputError, match="'a'") as caught:
            selected_chains(DataPaths(Path("data")))
        assert [fault.row for fault in caught.value.faults] == [2, 3, 4]

    def test_a_dry_run_writes_nothing(self, capsys: pytest.CaptureFixture[str]):
        assert main([*OF_TABLE, "--dry-run"]) == 0
        assert not Path("data/2_tasks").exists()
        assert "Nothing was written" in capsys.readouterr().out

    def test_the_combos_of_the_essays_for_a_spec(self):
        combos = Path("data/cohorts/next/combos.csv")
        assert main([*OF_TABLE, "--top", "1", "--combos", str(combos)]) == 0
        assert combos.read_text() == "combo\ncombo-of-a\n"
        assert not Path("data/2_tasks").exists()


class TestScoresOfACohort:
    @pytest.fixture(autouse=True)
    def study(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
        monkeypatch.chdir(tmp_path)
        study = make_cohort(tmp_path)
        (tmp_path / "config.yaml").write_text("cohort: c1\nk_max: 2\n")
        write_scores(study.cohort_files.scores, collect_scores(study))
        return study

    def test_the_configured_cohorts_scores_make_the_selection(self, study: Study):
        assert main(["--directory", ".", "--top", "2", "--by", "novelty", "--ties", "none"]) == 0
        chosen = [line.split()[0] for line in study.paths.selected_essays.read_text().splitlines()[1:]]
        assert 1 <= len(chosen) <= 2
        assert set(chosen) <= {row.gen_id for row in study.membership.stage("essay")}

    def test_an_edited_table_chooses_nothing(self, study: Study, capsys: pytest.CaptureFixture[str]):
        text = study.cohort_files.scores.read_text()
        study.cohort_files.scores.write_text(text.replace("4.0", "9.0", 1))
        assert main(["--directory", ".", "--top", "2", "--by", "novelty"]) == 1
        assert "not what the generations say now" in capsys.readouterr().err
        assert not study.paths.selected_essays.exists()

    def test_scores_that_are_not_there(self, study: Study, capsys: pytest.CaptureFixture[str]):
        study.cohort_files.scores.unlink()
        assert main(["--directory", "."]) == 1
        assert "data/cohorts/c1/reports/parsed_scores.csv" in capsys.readouterr().err
        assert main(["--directory", ".", "--cohort", "other"]) == 1
        assert "data/cohorts/other/" in capsys.readouterr().err

import csv

from score_fixtures import score_row

from daydreaming.results.pivots import build_pivot, write_pivot

OTHER = {"evaluation_llm_model": "other"}
ROWS = [
    score_row("v1", 4.0),
    score_row("v2", 7.0),
    score_row("v3", None),
    score_row("v4", None, **OTHER),
    score_row("v5", 0.0, parent_gen_id="0012", combo_id="NA"),
]


def written(rows, folder) -> dict[str, list[list[str]]]:
    tables = {}
    for path in write_pivot(build_pivot(rows), folder):
        with path.open(encoding="utf-8", newline="") as file:
            tables[path.name] = list(csv.reader(file))
    return tables


def cells(table: list[list[str]]) -> list[list[str]]:
    return [row[5:] for row in table]


def test_a_row_for_each_essay_and_a_column_for_each_rubric_and_judge(tmp_path):
    tables = written(ROWS, tmp_path)
    assert set(tables) == {"pivot_mean.csv", "pivot_n.csv", "pivot_sum.csv", "pivot_n_failed.csv"}
    for table in tables.values():
        assert table[0] == [
            *("essay_gen_id", "combo_id", "draft_template", "generation_template", "generation_model"),
            *("novelty/judge", "novelty/other", "all"),
        ]
        assert [row[:5] for row in table[1:]] == [
            ["e1", "k1", "thread", "copied", "writer"],
            ["0012", "NA", "thread", "copied", "writer"],
        ]


def test_failures_are_counted_and_never_averaged(tmp_path):
    tables = written(ROWS, tmp_path)
    assert cells(tables["pivot_mean.csv"])[1:] == [["5.5", "", "5.5"], ["0.0", "", "0.0"]]
    assert cells(tables["pivot_sum.csv"])[1:] == [["11.0", "", "11.0"], ["0.0", "", "0.0"]]
    assert cells(tables["pivot_n.csv"])[1:] == [["2", "0", "2"], ["1", "0", "1"]]
    assert cells(tables["pivot_n_failed.csv"])[1:] == [["1", "1", "2"], ["0", "0", "0"]]


def test_an_evaluation_shared_by_cohorts_counts_once(tmp_path):
    rows = [score_row("v1", 4.0), score_row("v1", 4.0, cohort_id="c2"), score_row("v2", 8.0, cohort_id="c2")]
    assert cells(written(rows, tmp_path)["pivot_n.csv"])[1:] == [["2", "2"]]


STARS = {"evaluation_template": "stars", "score_min": 1.0, "score_max": 5.0}


def test_points_of_different_scales_are_not_added_up(tmp_path):
    rows = [score_row("v1", 8.0), score_row("v2", 4.0, **STARS), score_row("v3", None, **STARS)]
    tables = {name: cells(table)[1] for name, table in written(rows, tmp_path).items()}
    assert tables["pivot_mean.csv"] == ["8.0", "4.0", ""]
    assert tables["pivot_sum.csv"] == ["8.0", "4.0", ""]
    assert tables["pivot_n.csv"] == ["1", "1", "2"]
    assert tables["pivot_n_failed.csv"] == ["0", "1", "1"]


def test_one_scale_of_its_own_is_added_up(tmp_path):
    rows = [score_row("v1", 5.0, **STARS), score_row("v2", 4.0, evaluation_llm_model="other", **STARS)]
    assert cells(written(rows, tmp_path)["pivot_mean.csv"])[1] == ["5.0", "4.0", "4.5"]


def test_rubrics_and_judges_keep_apart(tmp_path):
    rows = [score_row("v1", 1.0), score_row("v2", 2.0, evaluation_template="depth"), score_row("v3", 6.0, **OTHER)]
    table = cells(written(rows, tmp_path)["pivot_mean.csv"])
    assert table == [["novelty/judge", "depth/judge", "novelty/other", "all"], ["1.0", "2.0", "6.0", "3.0"]]

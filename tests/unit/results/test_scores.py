from dataclasses import replace

import pytest
from score_fixtures import draft, essay, evaluation, make, membership, score_row, study_of

from daydreaming.base.errors import InputError
from daydreaming.generation.adoption import adopt
from daydreaming.generation.inspection import inspect_cohort
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.inputs.records import Catalogs, Model, Scale
from daydreaming.results.score_table import ScoreRow, parse_score, read_scores, write_scores
from daydreaming.results.scores import collect_scores, count_scores, embedded_models, score_summary
from daydreaming.results.statistics.analysis import analyse_rows

DRAFT, ESSAY, EVALUATION = draft("d1"), essay("e1", "d1", llm_model_id=""), evaluation("v1", "e1")
COHORT = membership(DRAFT, ESSAY, EVALUATION)


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return settings_from_config({"data_root": "data"})


@pytest.fixture
def made(settings):
    """Settings of a project where every generation of the cohort has been made, with a score of 7."""
    make(settings, DRAFT, "A draft.")
    make(settings, ESSAY, "An essay.")
    make(settings, EVALUATION, "7.0\n")
    return settings


def only_row(settings, cohort=COHORT) -> ScoreRow:
    (row,) = collect_scores(study_of(settings, cohort))
    return row


def test_a_scored_evaluation_has_its_whole_chain(made):
    assert only_row(made) == ScoreRow(
        gen_id="v1",
        parent_gen_id="e1",
        combo_id="k1",
        draft_template="thread",
        generation_template="copied",
        generation_model="writer",
        evaluation_template="novelty",
        evaluation_llm_model="judge",
        replicate=1,
        cohort_id="c1",
        score=7.0,
        error="",
        essay_path="data/gens/essay/e1/parsed.txt",
        evaluation_path="data/gens/evaluation/v1/parsed.txt",
        metadata_path="data/gens/evaluation/v1/metadata.json",
        adopted=True,
        essay_chars=9,
        essay_cost_usd=0.0,
        stage="evaluation",
        text_stage="essay",
    )


def test_the_model_is_the_essays_where_it_has_one(made):
    own = essay("e1", "d1", llm_model_id="stylist")
    assert only_row(made, membership(DRAFT, own, EVALUATION)).generation_model == "stylist"


def test_a_score_of_zero_is_a_score(made):
    make(made, EVALUATION, "0.0")
    assert (only_row(made).score, only_row(made).error) == (0.0, "")


def test_a_failed_evaluation_has_its_kind(made):
    make(made, EVALUATION, None, error="parse", error_message="no score\nin   sight")
    row = only_row(made)
    assert (row.score, row.error, row.failed_gen_id) == (None, "parse", "v1")
    assert row.error_message == "no score in sight"
    assert row.look_at == "data/gens/evaluation/v1/raw.txt"


def test_a_score_that_no_run_made_beside_a_failure_waits_for_the_user(made):
    make(made, EVALUATION, "7.0", error="parse")
    row = only_row(made)
    assert (row.score, row.error, row.failed_gen_id) == (None, "waiting", "v1")
    assert row.error_message == "it failed last time (parse), and there is a text"


def test_a_failure_without_a_reply_points_to_its_metadata(made):
    make(made, EVALUATION, None, error="timeout")
    assert only_row(made).look_at == "data/gens/evaluation/v1/metadata.json"


@pytest.mark.parametrize("failed", [DRAFT, ESSAY], ids=["draft", "essay"])
def test_a_failed_ancestor_is_the_reason(settings, failed):
    make(settings, DRAFT, "A draft.")
    make(settings, failed, None, error="rate_limit")
    row = only_row(settings)
    assert (row.score, row.error, row.failed_gen_id) == (None, "parent", failed.gen_id)
    assert "(rate_limit): what rate_limit means" in row.error_message
    assert row.look_at == f"data/gens/{failed.stage}/{failed.gen_id}/metadata.json"


def test_a_score_of_an_essay_that_has_failed_since_does_not_count(made):
    make(made, ESSAY, None, error="api")
    assert (only_row(made).score, only_row(made).error) == (None, "parent")


def test_nothing_there_is_missing_and_names_what_comes_first(settings):
    row = only_row(settings)
    assert (row.score, row.error, row.failed_gen_id) == (None, "missing", "d1")
    make(settings, DRAFT, "A draft.")
    make(settings, ESSAY, "An essay.")
    row = only_row(settings)
    assert (row.error, row.failed_gen_id, row.look_at) == ("missing", "v1", "data/gens/evaluation/v1/parsed.txt")


def test_a_deleted_parsed_file_is_missing(made):
    made.paths.generation("evaluation", "v1").parsed.unlink()
    assert (only_row(made).score, only_row(made).error) == (None, "missing")


@pytest.mark.parametrize("text", ["", "seven", "11.0", "-1.0", "nan", "1e0", "7.0\n8.0", "7,5", "٣", "7.0 of 10"])
def test_what_is_no_score_is_invalid_and_never_a_number(made, text):
    make(made, EVALUATION, text)
    row = only_row(made)
    assert (row.score, row.error, row.look_at) == (None, "invalid", "data/gens/evaluation/v1/parsed.txt")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"stage": "evaluation"}', b"\xff", b'{"error": null}']
)
def test_a_record_that_does_not_say_how_it_went_gives_no_score(made, content):
    made.paths.generation("evaluation", "v1").metadata.write_bytes(content)
    row = only_row(made)
    assert (row.score, row.error) == (None, "waiting")
    assert "delete metadata.json to adopt it" in row.error_message
    assert row.look_at == "data/gens/evaluation/v1/metadata.json"


def test_a_score_without_a_record_counts(made):
    made.paths.generation("evaluation", "v1").metadata.unlink()
    assert only_row(made).score == 7.0


@pytest.mark.parametrize(
    ("key", "value"),
    [("template_id", "older"), ("parent_gen_id", "e9"), ("llm_model_id", "other"), ("replicate", 2)],
)
def test_files_of_another_row_that_no_run_made_are_a_conflict(made, key, value):
    make(made, EVALUATION, "7.0", **{key: value})
    row = only_row(made)
    assert (row.score, row.error) == (None, "conflict")
    assert key in row.error_message


def test_one_row_for_every_evaluation_in_the_order_of_the_membership(made):
    more = [evaluation(f"v{number}", "e1") for number in (9, 2, 5)]
    rows = collect_scores(study_of(made, membership(DRAFT, ESSAY, *more, EVALUATION)))
    assert [(row.gen_id, row.score) for row in rows] == [("v9", None), ("v2", None), ("v5", None), ("v1", 7.0)]


def test_counts():
    rows = [score_row("v1", 0.0), score_row("v2", None), score_row("v3", None), score_row("v4", None, error="parse")]
    counts = count_scores(rows)
    assert (counts.total, counts.scored, dict(counts.unscored)) == (4, 1, {"api": 2, "parse": 1})
    assert counts.unscored_fraction == 0.75
    assert count_scores([]).unscored_fraction == 0


def test_summary_averages_scores_alone():
    rows = [
        score_row("v1", 4.0),
        score_row("v2", 5.0),
        score_row("v3", None),
        score_row("v4", None, evaluation_llm_model="other"),
        score_row("v1", 4.0, cohort_id="c2"),
    ]
    first, second = score_summary(rows)
    assert (first.evaluation_llm_model, first.n, first.n_failed, first.mean) == ("judge", 2, 1, 4.5)
    assert (second.evaluation_llm_model, second.n, second.n_failed, second.mean) == ("other", 0, 1, None)


def test_embedded_models_by_their_endpoint_or_the_default():
    def model(model_id: str, endpoint: str | None) -> Model:
        return Model(model_id, "m", "p", "d", True, True, endpoint=endpoint)

    models = {one.id: one for one in (model("small", None), model("named", "embedded"), model("paid", "openrouter"))}
    catalogs = Catalogs(concepts={}, templates={}, models=models)
    assert embedded_models(settings_from_config({"default_endpoint": "embedded"}), catalogs) == {"small", "named"}
    assert embedded_models(settings_from_config({}), catalogs) == {"named"}


def test_the_table_comes_back_as_it_was(tmp_path):
    rows = [
        score_row("0012", 14 / 3, parent_gen_id="1e5", combo_id="NA", generation_model="null", replicate=3),
        score_row("five", 5.0, score_min=1.0, score_max=5.0, adopted=True),
        score_row("nan", None, error="parse", error_message='a "quoted", reason', look_at="data/x"),
        score_row("paid", 5.0, essay_chars=26, essay_cost_usd=1e-06, evaluation_cost_usd=0.25),
    ]
    write_scores(tmp_path / "new" / "scores.csv", rows)
    assert read_scores(tmp_path / "new" / "scores.csv") == rows


def test_lengths_and_costs_stand_beside_the_scores(made):
    make(made, ESSAY, "An essay of 26 characters.")
    make(made, EVALUATION, "7.0", cost_usd=0.25)
    row = only_row(made)
    # The essay is a copy: it cost nothing.
    assert (row.essay_chars, row.essay_cost_usd, row.evaluation_cost_usd) == (26, 0.0, 0.25)
    made.paths.generation("essay", "e1").parsed.unlink()
    assert only_row(made).essay_chars is None


def test_faulty_tables_are_refused_with_every_fault(tmp_path):
    path = tmp_path / "scores.csv"
    rows = [score_row("a", 11.0), score_row("b", 5.0), score_row("c", 5.0, error="api"), score_row("d", None, error="")]
    write_scores(path, rows)
    with pytest.raises(InputError) as caught:
        read_scores(path)
    assert [(fault.file, fault.row) for fault in caught.value.faults] == [
        (str(path), 2),
        (str(path), 4),
        (str(path), 5),
    ]
    assert "aggregate_scores.py" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "score"), [("7.0", 7.0), (" 10 \n", 10.0), ("0", 0.0), ("10.01", None), ("1_0", None)]
)
def test_parse_score(text, score):
    assert parse_score(text) == score


@pytest.mark.parametrize(("text", "score"), [("1", 1.0), ("5.0", 5.0), ("0.9", None), ("5.1", None), ("-1", None)])
def test_a_score_is_on_its_rubric_s_scale(text, score):
    assert parse_score(text, Scale(1, 5)) == score
    assert parse_score("-3.5", Scale(-5, 5)) == -3.5


@pytest.mark.parametrize(("parsed", "score", "error"), [("4.5", 4.5, ""), ("7.0", None, "invalid")])
def test_a_row_is_on_the_scale_of_its_rubric(made, parsed, score, error):
    make(made, EVALUATION, parsed)
    study = study_of(made, COHORT)
    rubrics = study.catalogs.templates["evaluation"]
    rubrics["novelty"] = replace(rubrics["novelty"], score_min=1.0, score_max=5.0)
    (row,) = collect_scores(study)
    assert (row.score, row.error, row.scale) == (score, error, (1.0, 5.0))
    if error:
        assert row.error_message == "parsed.txt holds '7.0' and not a number from 1 to 5"


def test_a_score_is_left_out_where_the_text_is_not_the_one_that_was_written(made):
    study = study_of(made, COHORT)
    adopt(study, inspect_cohort(study))
    assert (only_row(made).score, only_row(made).adopted) == (7.0, True)
    made.paths.generation("evaluation", "v1").parsed.write_text("9.9")
    row = only_row(made)
    assert (row.score, row.error, row.look_at) == (None, "edited", "data/gens/evaluation/v1/parsed.txt")
    assert "not the text that was written" in row.error_message


def test_a_score_of_an_edited_essay_is_left_out(made):
    study = study_of(made, COHORT)
    adopt(study, inspect_cohort(study))
    made.paths.generation("essay", "e1").parsed.write_text("Another essay.")
    row = only_row(made)
    assert (row.score, row.error, row.failed_gen_id) == (None, "parent", "e1")
    assert "(edited)" in row.error_message
    assert row.essay_chars is None


def test_an_adopted_score_whose_parent_changed_waits_for_the_user(made):
    study = study_of(made, COHORT)
    adopt(study, inspect_cohort(study))
    make(made, ESSAY, "Another essay.")
    adopt(study, inspect_cohort(study))
    row = only_row(made)
    assert (row.score, row.error, row.failed_gen_id) == (None, "waiting", "v1")
    assert row.error_message == "the text of its parent, essay e1, changed"


def test_a_score_of_an_adopted_draft_that_waits_waits_too(made):
    study = study_of(made, COHORT)
    adopt(study, inspect_cohort(study))
    study = study_of(made, COHORT)
    drafts = study.catalogs.templates["draft"]
    drafts["thread"] = replace(drafts["thread"], content="Write more.")
    (row,) = collect_scores(study)
    assert (row.score, row.error, row.failed_gen_id) == (None, "waiting", "d1")
    assert row.error_message.startswith("its draft d1 is waiting for you: ")
    assert "thread" in row.error_message


def test_judgements_of_two_stages_that_share_an_id_and_a_rubric_both_count():
    rows = [score_row("v1", 3.0, stage="evaluation"), score_row("v1", 9.0, stage="second_look")]
    [summary] = score_summary(rows)
    assert (summary.n, summary.mean) == (2, 6.0)
    ranking = analyse_rows(rows).ranking
    assert ranking[ranking.kind == "essay"][["mean", "n_scores"]].to_numpy().tolist() == [[6.0, 2]]

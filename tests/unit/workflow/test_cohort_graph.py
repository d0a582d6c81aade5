"""What Snakemake is told of a cohort: what a run has to look at, what that is made from, and what is newer than it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from plan_fixtures import PlannedStudy, made_in_process

from daydreaming.base.errors import InputError
from daydreaming.generation.inspection import inspect_cohort
from daydreaming.results.made_results import Result, record_made, record_scores, source_digest
from daydreaming.results.pivots import build_pivot, write_pivot
from daydreaming.results.score_table import write_scores
from daydreaming.results.scores import collect_scores
from daydreaming.workflow.cohort_graph import PIVOTS, PREFERENCES, RENEWED, STATISTICS, WAITING, CohortGraph
from provider import Provider
from studies import Choice
from studies import Study as Folder

# A graph's temporary folder goes with the graph.
pytestmark = pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning")

AN_HOUR_NS = 3_600_000_000_000
STAGES = ("draft", "essay", "evaluation")
TWO_COMBOS = Choice(essays=("copied", "developed"), combos=(("sleep", "tides"), ("sleep", "maps")))
COMPARED = Choice(
    essays=("copied", "developed"),
    config={"stages": {"comparison": {"parent": "essay", "makes": "preference"}}},
    added={"comparison": ("better",)},
)


def with_tables(folder: Folder) -> Folder:
    """Write the table of scores and the pivot tables of a study, which is the current folder."""
    study = PlannedStudy(folder).loaded()
    rows = collect_scores(study)
    write_scores(study.cohort_files.scores, rows)
    write_pivot(build_pivot(rows), study.cohort_files.reports)
    record_scores(study, source_digest(study, inspect_cohort(study)), rows)
    return folder


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory, server: Provider) -> Folder:
    folder = made_in_process(tmp_path_factory.mktemp("made") / "study", server, TWO_COMBOS)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder.folder)
        return with_tables(folder)


@pytest.fixture
def made(made_once: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A copy of a study of two combos, two essays of each, that was made to its end, with its tables of scores."""
    folder = made_once.copy(tmp_path / "study")
    monkeypatch.chdir(folder.folder)
    return folder


@pytest.fixture
def compared(tmp_path: Path, server: Provider, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A study whose two essays are compared, of which nothing is made."""
    folder = Folder.create(tmp_path / "compared", server, COMPARED)
    folder.build()
    monkeypatch.chdir(folder.folder)
    return folder


def graph_of(folder: Folder, told: list[str] | None = None, **options: bool) -> CohortGraph:
    return CohortGraph(PlannedStudy(folder).loaded(), tell=[].append if told is None else told.append, **options)


def texts_of(folder: Folder, *stages: str) -> list[str]:
    return [text(folder, stage, row.gen_id) for stage in stages for row in folder.rows(stage)]


def text(folder: Folder, stage: str, gen_id: str) -> str:
    return PlannedStudy(folder).loaded().paths.parsed_text(stage, gen_id)


def table(folder: Folder) -> str:
    return str(PlannedStudy(folder).loaded().cohort_files.membership)


def is_newer(path: str, others: Iterable[str | Path]) -> bool:
    return Path(path).stat().st_mtime_ns > max(os.lstat(other).st_mtime_ns for other in others)


def test_of_what_is_current_nothing_is_in_the_graph_but_the_table_that_names_it(made: Folder):
    graph = graph_of(made)
    assert graph.texts(*STAGES) == graph.texts("draft") == [table(made)]
    assert not any(graph.is_open(key) or graph.is_shown(key) for key in graph.study.membership.generations)
    assert graph.evaluations_to_score() == []


@pytest.mark.parametrize("option", ["shows_all", "is_of_job"])
def test_all_is_in_a_graph_that_shows_all_by_the_texts_that_no_other_is_made_from(made: Folder, option: str):
    graph = graph_of(made, **{option: True})
    assert graph.texts(*STAGES) == [table(made), *texts_of(made, "evaluation")]
    assert graph.texts("draft", "essay") == [table(made), *texts_of(made, "essay")]
    assert graph.texts("draft") == [table(made), *texts_of(made, "draft")]
    assert graph.evaluations_to_score() == texts_of(made, "evaluation")


def test_what_is_open_comes_with_what_is_made_from_it(made: Folder):
    essay = made.rows("essay", "developed")[0]
    made.files(essay).parsed.unlink()
    (evaluation,) = (row for row in made.rows("evaluation") if row.parent_gen_id == essay.gen_id)
    graph = graph_of(made)
    assert graph.texts(*STAGES) == [table(made), text(made, "evaluation", evaluation.gen_id)]
    assert graph.texts("essay") == [table(made), text(made, "essay", essay.gen_id)]
    assert graph.texts("draft") == [table(made)]
    assert graph.evaluations_to_score() == [text(made, "evaluation", evaluation.gen_id)]
    # The time of a parent counts where a run may make it: of one that is current, the time says nothing.
    parents, _ = graph.made_from("evaluation", evaluation.gen_id)
    assert parents[:1] == [text(made, "essay", essay.gen_id)]
    assert graph.made_from("essay", essay.gen_id)[0] == []
    shown, _ = graph_of(made, shows_all=True).made_from("essay", essay.gen_id)
    assert shown == [text(made, "draft", essay.parent_gen_id)]
    assert graph.planned == [("evaluation", evaluation.gen_id), ("essay", essay.gen_id)]


def test_the_texts_of_template_and_concepts_are_what_a_generation_is_made_from(made: Folder):
    graph = graph_of(made)
    draft, essay = made.rows("draft")[0], made.rows("essay", "copied")[0]
    _, others = graph.made_from("draft", draft.gen_id)
    assert [Path(other).name for other in others] == ["thread.txt", "sleep.txt", "tides.txt"]
    _, others = graph.made_from("essay", essay.gen_id)
    assert [Path(other).name for other in others] == ["copied.txt"]


def test_what_is_to_be_made_again_has_a_source_that_is_newer_than_it_whatever_its_time(made: Folder):
    row = made.rows("draft")[0]
    file, template = made.files(row).parsed, made.template("draft", row.template_id)
    template.write_text(template.read_text() + "More.\n")
    graph = graph_of(made)
    ((renewed,), _) = graph.made_from("draft", row.gen_id)
    assert (Path(renewed).name, is_newer(renewed, [file])) == (RENEWED, True)
    assert made.folder not in Path(renewed).parents
    assert Path(renewed).stat().st_mtime_ns <= time.time_ns()
    for moment in (Path(renewed).stat().st_mtime_ns, time.time_ns() + AN_HOUR_NS):
        os.utime(file, ns=(moment, moment))
        ((renewed,), _) = graph.made_from("draft", row.gen_id)
        assert is_newer(renewed, [file])
    other = made.rows("draft")[1]
    assert is_newer(graph.made_from("draft", other.gen_id)[0][0], [file, made.files(other).parsed])
    assert graph_of(made, is_of_job=True).made_from("draft", row.gen_id)[0] == []
    file.unlink()
    assert graph_of(made).made_from("draft", row.gen_id)[0] == []
    file.symlink_to("nowhere")
    assert len(graph_of(made).made_from("draft", row.gen_id)[0]) == 1


def test_what_is_current_has_no_newer_source_in_a_graph_that_shows_all(made: Folder):
    row = made.rows("draft")[0]
    assert graph_of(made, shows_all=True).made_from("draft", row.gen_id)[0] == []


def adopted_and_changed(folder: Folder, row: object) -> None:
    """Let a text be one that no run of ours made, of a row that is not that of the table."""
    files = folder.files(row)
    files.metadata.write_text(f'{{"stage": "draft", "gen_id": "{row.gen_id}", "template_id": "another"}}')


def test_what_waits_for_the_user_says_so_by_the_name_of_its_source(made: Folder):
    row = made.rows("draft")[0]
    adopted_and_changed(made, row)
    graph = graph_of(made)
    assert graph.inspection.finding(("draft", row.gen_id)).waits
    ((waiting,), _) = graph.made_from("draft", row.gen_id)
    assert (Path(waiting).name, is_newer(waiting, [made.files(row).parsed])) == (WAITING, True)


def test_results_that_are_outdated_have_a_source_that_is_newer_than_they_are(made: Folder):
    files = PlannedStudy(made).loaded().cohort_files
    assert [graph_of(made).renewed_results(result) for result in ("scores", "pivots", "statistics")] == [[], [], []]
    pivots = [files.reports / f"{name}.csv" for name in PIVOTS]
    for path in pivots:
        path.write_text("edited\n")
    os.utime(pivots[1], ns=(time.time_ns() + AN_HOUR_NS,) * 2)
    graph = graph_of(made)
    (renewed,) = graph.renewed_results("pivots")
    assert is_newer(renewed, pivots)
    assert graph.renewed_results("scores") == []
    assert graph_of(made, is_of_job=True).renewed_results("pivots") == []
    for path in pivots:
        path.unlink()
    assert graph_of(made).renewed_results("pivots") == []


def test_a_run_gives_what_is_from_the_future_a_time_of_now(made: Folder):
    files, future = PlannedStudy(made).loaded().cohort_files, time.time() + 3600
    draft, other = made.rows("draft")
    later = [made.files(draft).parsed, files.scores, files.reports / "pivot_mean.csv"]
    past = made.files(other).parsed.stat().st_mtime_ns
    for path in later:
        os.utime(path, (future, future))
    graph_of(made).bring_times_back()
    assert all(path.stat().st_mtime <= time.time() for path in later)
    assert made.files(other).parsed.stat().st_mtime_ns == past


def test_texts_that_are_newer_than_the_table_are_behind_it(made: Folder):
    evaluation, *_ = made.rows("evaluation")
    scores = PlannedStudy(made).loaded().cohort_files.scores
    for row in (evaluation, made.rows("essay")[0]):
        os.utime(made.files(row).parsed, ns=(scores.stat().st_mtime_ns + 1,) * 2)
    assert graph_of(made).evaluations_to_score() == [text(made, "evaluation", evaluation.gen_id)]
    os.utime(made.files(evaluation).parsed, ns=(scores.stat().st_mtime_ns,) * 2)
    assert graph_of(made).evaluations_to_score() == []
    scores.unlink()
    assert graph_of(made).evaluations_to_score() == []


def reports(folder: Folder, *names: str) -> list[str]:
    return [str(PlannedStudy(folder).loaded().cohort_files.reports / name) for name in names]


def test_each_target_has_its_files_and_those_that_they_are_made_from(made: Folder):
    graph, files = graph_of(made), PlannedStudy(made).loaded().cohort_files
    tables = reports(made, "parsed_scores.csv", *(f"{name}.csv" for name in PIVOTS))
    assert graph.score_files() == [table(made), *tables]
    more = reports(made, *(f"{name}.csv" for name in STATISTICS), "report.html", "plots", "read/index.html")
    assert graph.result_files() == graph.all_files() == [table(made), *tables, *more]
    exported = [str(path) for path in (files.parquet, files.sqlite, files.datasette)]
    assert graph.exported_files() == [table(made), *tables, *exported]
    assert graph.bundled_files() == [*graph.result_files(), str(files.bundle)]
    assert (graph.preference_table(), graph.comparisons_to_gather()) == ([], [])


def test_texts_are_asked_for_with_their_table(made: Folder):
    made.files(made.rows("evaluation")[0]).parsed.unlink()
    assert graph_of(made).score_files()[:2] == [table(made), *graph_of(made).evaluations_to_score()]


def test_where_texts_are_compared_their_verdicts_are_among_the_results(compared: Folder):
    graph = graph_of(compared)
    preferences = reports(compared, *(f"{name}.csv" for name in PREFERENCES))
    assert graph.preference_table() == reports(compared, "parsed_preferences.csv")
    assert graph.score_files()[-len(preferences) - 1 :] == [*graph.preference_table(), *preferences]
    assert graph.comparisons_to_gather() == texts_of(compared, "comparison")
    assert graph.evaluations_to_score() == texts_of(compared, "evaluation")


def test_a_study_without_rubrics_has_a_table_of_scores_and_no_pivots(compared: Folder):
    compared.configure(stages={"evaluation": None})
    compared.build(force=True)
    names = [Path(path).name for path in graph_of(compared).score_files()]
    assert "parsed_scores.csv" in names
    assert not {f"{name}.csv" for name in PIVOTS}.intersection(names)


def test_there_are_no_scores_of_a_slice(made: Folder):
    study = PlannedStudy(made).loaded(slice="1/2")
    with pytest.raises(InputError, match=r"of the whole cohort\. With `slice`, ask for drafts"):
        CohortGraph(study).score_files()


def write_export(folder: Folder) -> Path:
    study = PlannedStudy(folder).loaded()
    path = study.cohort_files.parquet
    path.parent.mkdir()
    path.write_text("rows")
    record_made(study, Result.EXPORT, source_digest(study, inspect_cohort(study)), [path])
    return path


def told_of(folder: Folder, **options: bool) -> list[str]:
    told: list[str] = []
    graph = graph_of(folder, told, **options)
    graph.all_files()
    graph.all_files()
    return told


def test_a_run_of_all_tells_once_of_an_export_that_it_leaves_behind(made: Folder):
    assert told_of(made) == []
    path = write_export(made)
    assert told_of(made) == []
    path.write_text("edited")
    (told,) = told_of(made)
    assert told == f"The export {path} is not of the texts of now. To make it again: `snakemake export`."
    bundle = path.with_suffix(".zip")
    bundle.write_text("a bundle of which nothing is recorded")
    assert told_of(made)[1:] == [
        told.replace(f"export {path}", f"bundle {bundle}").replace("snakemake export", "snakemake bundle")
    ]
    assert told_of(made, is_of_job=True) == []


def test_what_a_run_makes_leaves_an_export_behind_but_not_what_waits(made: Folder):
    path = write_export(made)
    made.files(made.rows("evaluation")[0]).parsed.unlink()
    (told,) = told_of(made)
    assert told.startswith(f"The export {path} may not be of the texts that this run makes.")


def test_of_what_waits_nothing_is_made(made: Folder):
    evaluation = made.rows("evaluation")[0]
    made.files(evaluation).metadata.write_text('{"template_id": "another"}')
    write_export(made)
    graph = graph_of(made)
    assert [graph.inspection.finding(key).waits for key in graph.inspection.open] == [True]
    assert told_of(made) == []

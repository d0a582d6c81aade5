"""The report of a cohort: what it says, and that the same data give the same page."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import score_fixtures as fixtures
from report_fixtures import make_cohort
from report_page_fixtures import Page, report

from daydreaming.generation.study import Study, load_study
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.results.cohort_statistics import analyse_cohort
from daydreaming.results.report.charts import Interval, draw_bars
from daydreaming.results.report.page import write_report
from daydreaming.results.report.parts import Part, Section
from daydreaming.results.report.plots import write_plots
from daydreaming.results.scores import collect_scores


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_says_what_the_cohort_is_and_what_its_scores_are(folder):
    study = make_cohort(folder)
    page = report(study)
    rows = collect_scores(study)
    assert "4 combos, 8 drafts, 16 essays, 64 evaluations, 64 with a score." in page.text
    assert "Made 2026-01-01 00:00 UTC to 2026-01-01 00:43 UTC." in page.text
    assert "By novelty, slow-writer is ahead of quick-writer by" in page.text
    assert "draft template: cannot be told from this cohort" in page.text
    assert page.source.count("<svg") > 20
    contrasts = analyse_cohort(study, rows).contrasts
    told = contrasts.query("factor == 'generation_model' and rubric == 'novelty' and judge == ''")
    shown = next(row for row in page.rows if row[:3] == ["novelty", "quick-writer", "slow-writer"])
    assert shown[3] == f"{told.difference.iloc[0]:.2f}"
    assert ["slow-writer", "lab/slow", "openrouter", "lab/slow-writer-2026-01 (12 of its replies)"] in page.rows
    assert ["evaluation", "soundness", "strict-judge", "16"] in page.rows
    for banner in ("no signal", "no score.", "There are no scores"):
        assert banner not in page.text
    assert "Failures" not in page.text


def test_scores_of_texts_that_no_run_made_are_counted(folder):
    study = judged_five_times(folder)
    rows = collect_scores(study)
    assert "5 scores of 5 adopted." in report(study).text
    ours = [replace(row, adopted=number < 3) for number, row in enumerate(rows)]
    assert "3 scores of 5 adopted." in Page(write_report(study, ours)).text
    none = [replace(row, adopted=False) for row in rows]
    assert "adopted" not in Page(write_report(study, none)).text


def test_evaluations_that_are_waiting_for_you_are_counted(folder):
    study = judged_five_times(folder)
    page = report(study)
    assert "waiting for you" not in page.text
    row = study.membership.stage("evaluation")[0]
    study.files("evaluation", row.gen_id).metadata.write_text('{"template_id": "novelty", "error": "api"}')
    page = report(study)
    assert "1 evaluation of 5 waiting for you." in page.text
    assert "Put back what has changed, or set remake_adopted" in page.text


def test_the_same_data_give_the_same_page(folder):
    study = make_cohort(folder, failures=3)
    first, second = report(study).source, report(study).source
    assert first == second
    code = (
        "from daydreaming.results.report.page import write_report\n"
        "from daydreaming.results.scores import collect_scores\n"
        "from daydreaming.generation.study import load_study; study = load_study({'cohort': 'c1', 'k_max': 2})\n"
        "write_report(study, collect_scores(study))"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=folder, env={"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "5"}
    )
    assert study.cohort_files.report.read_text(encoding="utf-8") == first


def test_failures_stand_beside_every_mean_and_are_told_with_their_files(folder):
    page = report(make_cohort(folder, failures=5))
    assert "5 of 64 evaluations (7.8%) have no score." in page.text
    kinds = {row[1]: row for row in page.rows if row[1:2] in (["parse"], ["refused"])}
    assert set(kinds) == {"parse", "refused"}
    assert "retry_replies: {refused: 1}" in page.text
    assert "gens/evaluation/v-soundness-strict-judge-e-copied-maps-sleep-slow-writer/raw.txt" in page.text


def test_scores_of_the_embedded_model_are_said_to_carry_no_signal(folder):
    assert "These scores carry no signal." in report(make_cohort(folder, endpoint="embedded")).text


def test_a_cohort_without_a_score_says_so_and_why(folder):
    page = report(make_cohort(folder, failures=64, endpoint="embedded"))
    assert "There are no scores: none of 64 evaluations has one." in page.text
    assert "<svg" not in page.source and "<script" not in page.source
    assert "script-src 'none'" in page.source
    assert "no signal" not in page.text
    assert ["32", "refused"] in [row[:2] for row in page.rows]


def small_study(folder: Path, *generations, scores: dict[str, str] | None = None) -> Study:
    fixtures.write_project(folder, list(generations))
    study = load_study(settings_from_config({"cohort": fixtures.COHORT, "k_max": 1}))
    for one in generations:
        if one.stage != "evaluation" or one.gen_id in (scores or {}):
            fixtures.make(study.settings, one, (scores or {}).get(one.gen_id, "text"))
    return study


def judged_five_times(folder: Path) -> Study:
    """One essay with five scores: few charts, which are what a report takes long to make."""
    judgements = [fixtures.evaluation(f"v{number}", "e1", replicate=number) for number in range(1, 6)]
    chain = fixtures.draft("d1"), fixtures.essay("e1", "d1"), *judgements
    return small_study(folder, *chain, scores={one.gen_id: "7.0" for one in judgements})


def test_one_evaluation_is_enough_for_a_report(folder):
    chain = fixtures.draft("d1"), fixtures.essay("e1", "d1"), fixtures.evaluation("v1", "e1")
    page = report(small_study(folder, *chain, scores={"v1": "7.0"}))
    assert "1 combo, 1 draft, 1 essay, 1 evaluation, 1 with a score." in page.text
    assert "cannot be told from this cohort" in page.text
    assert ["1", "thread, copied, writer", "7.00"] in [row[:3] for row in page.rows]
    assert "The cohort's journal is empty" in page.text


def test_a_cohort_that_is_not_made_yet_has_a_report(folder):
    chain = fixtures.draft("d1"), fixtures.essay("e1", "d1"), fixtures.evaluation("v1", "e1")
    page = report(small_study(folder, *chain))
    assert "none of 1 evaluation has one" in page.text
    assert ["1", "missing"] in [row[:2] for row in page.rows]


def test_a_cohort_of_drafts_alone_has_a_report(folder):
    page = report(small_study(folder, fixtures.draft("d1")))
    assert "The cohort has no evaluations, and so there are no scores." in page.text


def test_each_chart_is_a_file_and_those_of_charts_that_are_no_more_go(folder):
    study = make_cohort(folder)
    plots = study.cohort_files.plots
    page = report(study)
    drawn = sorted(plots.glob("*/*.svg"))
    assert len(drawn) == page.source.count("<figure") > 10
    assert plots / "contrasts/differences-between-generation-models.svg" in drawn
    for path in drawn:
        title = ElementTree.parse(path).getroot().find("{http://www.w3.org/2000/svg}title")
        assert title is not None and title.text
    (plots / "contrasts/old.svg").touch()
    (plots / "of-another.txt").touch()
    report(study)
    assert sorted(plots.glob("*/*.svg")) == drawn and (plots / "of-another.txt").exists()


def test_charts_of_names_that_differ_in_signs_alone_are_files_of_their_own(tmp_path):
    parts = [Part("", draw_bars(f"by {name}", "points", [Interval("a", 1.0)]), None) for name in ("a.b", "a-b", "a_b")]
    write_plots(tmp_path, [Section("any", "", "", parts)])
    assert {path.name for path in tmp_path.glob("*/*")} == {"by-a-b.svg", "by-a-b-2.svg", "by-a-b-3.svg"}

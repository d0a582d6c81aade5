"""What the report says of judges who compared two texts."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from pages_fixtures import make_reading_cohort
from verdict_fixtures import RUBRIC, STAGE, inspect, judge, make_duels, without

from daydreaming.generation.inspection import Inspection
from daydreaming.generation.study import Study
from daydreaming.results.report.page import write_report
from daydreaming.results.report.plots import plot_files
from daydreaming.results.report.preferences import preference_section
from daydreaming.results.scores import collect_scores
from daydreaming.results.verdicts.collecting import collect_verdicts
from daydreaming.results.verdicts.preference_tables import analyse_verdicts
from daydreaming.results.verdicts.verdict_table import VerdictRow


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Study, Inspection, list[VerdictRow]]:
    """A cohort of 5 combos; two judges compared 4 essays of each in both orders, two judgements failed."""
    folder = tmp_path_factory.mktemp("compared")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        study, inspection = make_duels(make_reading_cohort(folder, combos=5, replicates=1, sentences=8, hostile=""))
        return folder, study, inspection, collect_verdicts(study, inspection)


@pytest.fixture
def in_folder(compared, monkeypatch):
    monkeypatch.chdir(compared[0])
    return compared[1:]


def words(path: Path) -> str:
    page = re.sub(r"<(script|style|svg)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)))


def test_verdicts_stand_in_sentences_charts_and_tables_beside_what_failed(in_folder):
    study, inspection, verdicts = in_folder
    path = write_report(study, [], inspection, verdicts)
    text, page = words(path), path.read_text(encoding="utf-8")
    tables = analyse_verdicts(verdicts, [], study.catalogs).tables
    flips = tables["consistency"][(tables["consistency"].figure == "flips with the order")].iloc[0]
    assert (
        f"{flips.numerator:.0f} of 59 pairs ({100 * flips.value:.1f}%, 95% interval {100 * flips.low:.1f}% to" in text
    )
    difference = tables["differences"].iloc[0]
    by = f"by {-difference.difference:.2f} in log-odds (95% interval {-difference.high:.2f} to {-difference.low:.2f}"
    assert f"By {RUBRIC}, slow-writer is preferred to quick-writer {by}, 5 combos)" in text
    assert "2 of 120 comparisons of two texts (1.7%) have no verdict." in text
    assert "parse (2)" in text
    assert "The cohort has no evaluations." in text
    assert "carry no signal" not in text
    assert {plot.stem for plot in plot_files(study.cohort_files.plots) if plot.parent.name == "preferences"} == {
        "strengths-of-models",
        "differences-of-strengths",
        "win-rates",
        "order-ties-and-circles",
        "the-longer-text",
        "a-judge-s-own-texts",
    }
    assert 'href="preference_win_rates.csv"' in page


def test_pairs_whose_verdicts_contradict_each_other_lead_to_the_two_essays(in_folder):
    study, inspection, verdicts = in_folder
    page = write_report(study, [], inspection, verdicts).read_text(encoding="utf-8")
    pairs = re.findall(r'href="read/compare\.html#essays=([\w.-]+),([\w.-]+)"', page)
    assert 0 < len(pairs) <= 10
    for one, other in pairs:
        own = [row for row in verdicts if {row.essay_a, row.essay_b} == {one, other}]
        winners = {row.essay_a if row.verdict == "A" else row.essay_b for row in own if row.verdict in ("A", "B")}
        assert winners == {one, other}


def test_the_report_of_a_cohort_that_compares_nothing_has_none_of_it(in_folder):
    study, inspection, _ = in_folder
    text = words(write_report(study, [], inspection))
    assert "two texts" not in text.lower()
    assert "preference" not in text


def test_verdicts_without_any_model_ahead_are_not_said_to_have_one(in_folder):
    study, inspection, verdicts = in_folder
    tied = [replace(row, verdict=row.verdict and "tie") for row in verdicts]
    text = words(write_report(study, [], inspection, tied))
    assert "strengths of models cannot be told from this cohort, because all verdicts are ties" in text
    assert "is preferred to" not in text
    assert "0 of 59 pairs (0.0%" in text


def test_stages_that_ask_by_the_same_rubric_have_parts_with_names_of_their_own(in_folder):
    study, _, verdicts = in_folder
    both = [*verdicts, *(replace(row, stage="rematch") for row in verdicts)]
    titles = [part.title for part in preference_section(study, both, analyse_verdicts(both, [], study.catalogs)).parts]
    assert len(set(titles)) == len(titles)
    assert {f"Win rates: {RUBRIC} ({stage})" for stage in (STAGE, "rematch")} < set(titles)


def test_verdicts_of_the_embedded_model_carry_no_signal(in_folder):
    study, inspection, verdicts = in_folder
    models = {name: replace(one, endpoint="embedded") for name, one in study.catalogs.models.items()}
    embedded = replace(study, catalogs=replace(study.catalogs, models=models))
    assert "These verdicts carry no signal." in words(write_report(embedded, [], inspection, verdicts))


def test_verdicts_stand_behind_the_leaderboard_of_scores_and_agree_with_them_or_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plain = make_reading_cohort(tmp_path, combos=2, replicates=1, sentences=4, hostile="")
    one_judge = without(plain, lambda row: row.stage == "evaluation" and not row.gen_id.startswith("v1-novelty-judge-"))
    study, _ = make_duels(one_judge, failures=0)
    broken = next(one for one in study.membership.generations.values() if one.stage == STAGE)
    judge(study, broken, None, error="refused")
    inspection = inspect(study)
    path = write_report(study, collect_scores(study, inspection), inspection, collect_verdicts(study, inspection))
    sections = re.findall(r'<h2 id="(\w+)"', path.read_text(encoding="utf-8"))
    assert sections[:4] == ["answer", "contrasts", "leaderboard", "preferences"]
    text = words(path)
    assert "Agreement of verdicts with scores" in text
    assert "1 of 48 comparisons of two texts (2.1%) have no verdict" in text
    assert f"data/gens/{STAGE}/{broken.gen_id}/raw.txt".removeprefix("data/") in text

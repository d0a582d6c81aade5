"""The report of a cohort: what it says, what it loads (nothing), and that the same data give the same page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
import score_fixtures as fixtures
from report_fixtures import make_cohort

from daydreaming.base.visible_text import visible
from daydreaming.generation.study import Study, load_study
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.ledger.journal import Budget, Journal
from daydreaming.results.cohort_statistics import analyse_cohort
from daydreaming.results.pages.folder import write_reading_pages
from daydreaming.results.report.charts import Interval, draw_bars
from daydreaming.results.report.page import write_report
from daydreaming.results.report.parts import Part, Section
from daydreaming.results.report.plots import write_plots
from daydreaming.results.report.sections import BEST_ESSAYS
from daydreaming.results.report.spending import read_spending
from daydreaming.results.scores import collect_scores
from daydreaming.results.statistics.table_names import TABLES

NOT_CLOSED = {"meta", "br"}


class Page(HTMLParser):
    """A page as a reader sees it: its words, its links, its tables; fails where elements do not close."""

    def __init__(self, path: Path):
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.links: list[str] = []
        self.words: list[str] = []
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self.feed(self.source)
        self.close()
        assert self._open == []

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        if tag not in NOT_CLOSED:
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.links += [value for name, value in attributes if name in ("href", "src")]

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if {"style", "script"} & set(self._open):
            return
        self.words.append(data)
        if self._open and {"td", "th"} & set(self._open):
            self.rows[-1][-1] = " ".join(f"{self.rows[-1][-1]} {data}".split())


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def report(study: Study) -> Page:
    return Page(write_report(study, collect_scores(study)))


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
    study = make_cohort(folder)
    rows = collect_scores(study)
    assert "64 scores of 64 adopted." in report(study).text
    ours = [replace(row, adopted=number < 3) for number, row in enumerate(rows)]
    assert "3 scores of 64 adopted." in Page(write_report(study, ours)).text
    none = [replace(row, adopted=False) for row in rows]
    assert "adopted" not in Page(write_report(study, none)).text


def test_evaluations_that_are_waiting_for_you_are_counted(folder):
    study = make_cohort(folder)
    page = report(study)
    assert "waiting for you" not in page.text
    row = study.membership.stage("evaluation")[0]
    study.files("evaluation", row.gen_id).metadata.write_text('{"template_id": "novelty", "error": "api"}')
    page = report(study)
    assert "1 evaluation of 64 waiting for you." in page.text
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


def test_the_page_loads_nothing_and_its_links_lead_to_files(folder):
    study = make_cohort(folder, failures=3)
    page = report(study)
    for name in ("parsed_scores", "pivot_mean", "pivot_n", "pivot_sum", "pivot_n_failed", *TABLES):
        (study.cohort_files.reports / f"{name}.csv").touch()
    for row in study.membership.stage("evaluation"):
        study.files("evaluation", row.gen_id).raw.touch()
    write_reading_pages(study, collect_scores(study))
    without_script = re.sub(r"<script>.*?</script>", "", page.source, flags=re.DOTALL)
    assert not re.search(r"<script [^>]*src|<link|<img|@import|url\((?!#)", without_script)
    assert len(page.links) > 15
    essays = [link for link in page.links if link.startswith("read/essays/")]
    assert len(essays) == 4 * BEST_ESSAYS and "read/index.html" in page.links
    for link in page.links:
        target = link.removeprefix("#")
        if link.startswith("#"):
            assert f'id="{target}"' in page.source
        else:
            assert (study.cohort_files.reports / link).is_file(), link
    assert str(folder) not in page.source


def test_texts_of_models_are_not_taken_for_markup(folder):
    page = report(make_cohort(folder))
    assert "&lt;b&gt;" in page.source
    assert "What if <b>copied</b> were one & the same?" in page.text


def test_a_name_ends_no_script(folder):
    page = report(make_cohort(folder))
    charts = [json.loads(one) for one in re.findall(r'"application/json">(.*?)</script>', page.source)]
    assert len(charts) == page.source.count("<figure") and all(set(one) == {"narrow", "wide"} for one in charts)
    hostile = draw_bars("any", "points", [Interval("</script><script>alert(1)</script>", 1.0)])
    assert "<" not in hostile.specifications
    assert "</script><script>alert(1)</script>" in str(json.loads(hostile.specifications))


def test_characters_that_cannot_be_seen_are_marked(folder):
    study = make_cohort(folder)
    for row in study.membership.stage("essay"):
        study.files("essay", row.gen_id).parsed.write_text("\x1b[31mNUL\x00 and \u202egnirts")
    source = report(study).source
    assert "\u241b[31mNUL\u2400 and [U+202E]gnirts" in source
    assert not set("\x00\x1b\u202e") & set(source)
    assert visible("\x1b[31mNUL\x00 and \u202eg\n") == "\u241b[31mNUL\u2400 and [U+202E]g\n"


def test_the_policy_allows_the_pages_own_style_and_nothing_else(folder):
    source = report(make_cohort(folder)).source
    [style], [script] = (re.findall(f"<{tag}>(.*?)</{tag}>", source, re.DOTALL) for tag in ("style", "script"))
    style_digest, script_digest = (b64encode(sha256(text.encode()).digest()).decode() for text in (style, script))
    allowed = f"script-src 'sha256-{script_digest}'; style-src 'sha256-{style_digest}'"
    assert f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'" in source
    assert not re.search(r"<[^>]* (style|on[a-z]+)=", source.replace(script, ""))
    assert source.count("<main>") == source.count("</main>") == 1
    assert source.count('class="scroll"') == source.count('class="scroll" tabindex="0" role="region" aria-label=')


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


def test_the_whole_life_of_the_journal_is_counted(folder):
    path = folder / "journal.jsonl"
    who = {"stage": "draft", "llm_model_id": "writer", "gen_id": "d1", "template_id": "thread"}
    for run in ("run-1", "run-2"):
        journal = Journal(path, Budget(), run, lambda _: None)
        call = journal.start_call(0.5, request_sha256="0" * 64, **who)
        journal.end_call(call, cost_usd=0.25, prompt_tokens=10, completion_tokens=5, perhaps_billed=True)
        call = journal.start_call(0.5, request_sha256="1" * 64, **who)
        journal.end_call(call, kind="timeout", status=None, perhaps_billed=True)
        journal.write("generation", result="reused", saved_usd=0.125, **who)
        journal.close()
    spending = read_spending(path)
    total = spending.total
    assert (spending.runs, total.calls, total.failed_calls, spending.reuses) == (2, 4, 2, 2)
    assert (total.cost_usd, total.perhaps_usd, total.saved_usd, total.prompt_tokens) == (0.5, 1.0, 0.25, 20)
    assert spending.parts["draft", "writer"].calls == 4
    assert spending.first_at <= spending.last_at


def test_what_a_run_says_after_its_report_changes_no_report(folder):
    path = folder / "journal.jsonl"
    journal = Journal(path, Budget(), "run-1", lambda _: None)
    call = journal.start_call(None, stage="draft", llm_model_id="writer", gen_id="d1", template_id="thread")
    journal.end_call(call, cost_usd=0.25, prompt_tokens=10, completion_tokens=5, perhaps_billed=True)
    journal.close()
    before = read_spending(path)
    for run in ("run-1", "run-2"):  # the second one made nothing but results
        journal = Journal(path, Budget(), run, lambda _: None)
        journal.write("run_ended", token="0")
        journal.close()
    after = read_spending(path)
    assert (after.runs, after.last_at) == (before.runs, before.last_at)


def test_calls_and_cost_are_told(folder):
    page = report(make_cohort(folder))
    assert ["all", "", "80", "0", "32,000", "12,000", "0.1600 USD"] in page.rows
    assert ["essay", "slow-writer", "4", "0", "1,600", "600", "0.008000 USD"] in page.rows


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

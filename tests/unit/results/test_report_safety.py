"""What the page of a report loads (nothing), and that what others wrote cannot harm a reader."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from report_fixtures import make_cohort
from report_page_fixtures import report

from daydreaming.base.visible_text import visible
from daydreaming.results.pages.folder import write_reading_pages
from daydreaming.results.report.charts import Interval, draw_bars
from daydreaming.results.report.sections import BEST_ESSAYS
from daydreaming.results.scores import collect_scores
from daydreaming.results.statistics.table_names import TABLES


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


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

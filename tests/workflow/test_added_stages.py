"""Studies of other shapes: a critique and a revision, a second round of judgements, essays without a draft."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from daydreaming.results.score_table import read_scores
from provider import Provider
from provider.rules import Answer, Rule, When
from studies import Choice, Study

STAGES = {
    "critique": {"parent": "essay"},
    "revision": {"parent": "critique", "sees": ["essay"]},
    "second_evaluation": {"parent": "revision", "makes": "score", "templates": "evaluation_templates.csv"},
}
WITH_REVISION = Choice(
    essays=("developed",),
    combos=(("sleep", "tides"), ("sleep", "maps"), ("tides", "maps"), ("sleep", "tides", "maps")),
    config={"stages": STAGES},
    added={"critique": ("weak",), "revision": ("tighten",)},
)
SPEC = """
axes:
  combo: [sleep_tides, sleep_maps]
  critique_llm: [writer]
  revision_template: [tighten]
  revision_replicate: 2
  second_evaluation_template: [novelty]
"""


@pytest.fixture(scope="module")
def revised(tmp_path_factory: pytest.TempPathFactory, session_provider: Provider) -> Study:
    """A study with critiques, revisions and two rounds of judgements, made to its end. For reading only."""
    study = Study.create(tmp_path_factory.mktemp("revised") / "study", session_provider, WITH_REVISION)
    study.build()
    study.run("-j8", "all")
    return study


@pytest.fixture
def copied(revised: Study, tmp_path: Path, provider: Provider) -> Study:
    """A copy of the study with revisions, to be changed."""
    return revised.copy(tmp_path / "study")


def table(study: Study, name: str) -> list[dict[str, str]]:
    with study.paths.cohort("c1").reports.joinpath(name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_all_stages_are_made_and_a_second_run_has_nothing_to_do(revised: Study):
    counts = Counter(path.split("/")[1] for path in revised.parsed_texts())
    assert counts == dict.fromkeys(("draft", "essay", "evaluation", *STAGES), 4)
    assert revised.run("-j8", "all").did_nothing


def test_a_revision_sees_its_essay_and_its_critique(revised: Study):
    for revision in revised.rows("revision"):
        (critique,) = [row for row in revised.rows("critique") if row.gen_id == revision.parent_gen_id]
        (essay,) = [row for row in revised.rows("essay") if row.gen_id == critique.parent_gen_id]
        prompt = revised.files(revision).prompt.read_text()
        assert revised.files(essay).parsed.read_text().strip() in prompt
        assert revised.files(critique).parsed.read_text().strip() in prompt


def test_scores_of_both_rounds_stand_in_one_table_told_apart(revised: Study):
    rows = read_scores(revised.paths.cohort("c1").scores)
    assert Counter((row.stage, row.text_stage, row.generation_template) for row in rows) == {
        ("evaluation", "essay", "developed"): 4,
        ("second_evaluation", "revision", "revision:tighten"): 4,
    }
    assert {row.evaluation_template for row in rows} == {"novelty"}
    chains = {row.gen_id: row.parent_gen_id for row in (*revised.rows("critique"), *revised.rows("revision"))}
    for row in rows:
        assert row.made_from == (chains[chains[row.parent_gen_id]] if row.text_stage == "revision" else "")
    revisions = {row.gen_id for row in revised.rows("revision")}
    assert {row.parent_gen_id for row in rows if row.text_stage == "revision"} == revisions


def test_the_statistics_compare_revisions_with_essays_within_combos(revised: Study):
    scores: dict[str, dict[str, float]] = {}
    for row in read_scores(revised.paths.cohort("c1").scores):
        assert row.score is not None
        scores.setdefault(row.combo_id, {})[row.text_stage] = row.score
    differences = [one["essay"] - one["revision"] for one in scores.values()]
    (contrast,) = [
        row
        for row in table(revised, "contrasts.csv")
        if row["factor"] == "generation_template" and row["rubric"] and not row["judge"]
    ]
    assert {contrast["level_a"], contrast["level_b"]} == {"developed", "revision:tighten"}
    sign = 1 if contrast["level_a"] == "developed" else -1
    assert float(contrast["difference"]) == pytest.approx(sign * sum(differences) / len(differences))
    assert contrast["n_combos"] == "4"


def test_report_and_pages_show_the_added_texts(revised: Study):
    reports = revised.paths.cohort("c1").reports
    report = (reports / "report.html").read_text(encoding="utf-8")
    assert "4 critiques, 4 revisions, 4 second evaluations" in report
    assert "revision:tighten" in report
    assert "text from critique, sees essay" in report
    assert "what was made from a judged text, such as a revision, shares its accidents and is left out" in report
    revision = revised.rows("revision")[0]
    (critique,) = [row for row in revised.rows("critique") if row.gen_id == revision.parent_gen_id]
    page = (reports / f"read/essays/{revision.gen_id}.html").read_text(encoding="utf-8")
    beginning = revised.files(critique).parsed.read_text().splitlines()[0]
    assert beginning in page
    assert "What the revision changed in the essay" in page
    of_essay = (reports / f"read/essays/{critique.parent_gen_id}.html").read_text(encoding="utf-8")
    assert beginning in of_essay
    assert f"{critique.parent_gen_id},{revision.gen_id}" in of_essay


def test_a_target_makes_its_stage_and_what_that_needs(tmp_path: Path, provider: Provider):
    study = Study.create(tmp_path / "study", provider, WITH_REVISION)
    study.build()
    assert set(study.run("-j8", "critiques").asked) == {"draft thread", "essay developed", "critique weak"}
    plan = study.script("plan.py", "revisions").output
    assert "revision" in plan
    assert "evaluation" not in plan.partition("Prompt tokens")[0].partition("stage")[2]


def test_what_a_stage_sees_makes_it_again_though_its_parent_says_the_same(tmp_path: Path, provider: Provider):
    """The critique has the same words whatever the essay is: the revision must not stay as it is."""
    study = Study.create(tmp_path / "study", provider, WITH_REVISION)
    study.build()
    provider.script(
        [Rule("critiques", Answer(message={"content": "Too long."}), When(prompt_contains="critique weak"))]
    )
    study.run("-j8")
    before = [study.metadata(row)["further_sha256"] for row in study.rows("revision")]
    study.edit("1_raw/generation_templates/essay/developed.txt", "essay developed", "essay developed\nBe brief.")
    run = study.run("-j8")
    assert run.asked["revision tighten"] == 4
    after = [study.metadata(row)["further_sha256"] for row in study.rows("revision")]
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert study.run("-j8").did_nothing


def test_a_failed_critique_leaves_its_revision_without_a_score(copied: Study, provider: Provider):
    copied.edit("1_raw/generation_templates/critique/weak.txt", "Say what is weak", "Say what may be weak")
    provider.script([Rule("critiques", Answer(message={"content": ""}), When(prompt_contains="critique weak"))])
    copied.run("-j8", code=1)
    copied.script("aggregate_scores.py", "--output", "scores.csv", "--max-failed-fraction", "1")
    rows = read_scores(copied.folder / "scores.csv")
    assert Counter((row.stage, row.error) for row in rows) == {
        ("evaluation", ""): 4,
        ("second_evaluation", "parent"): 4,
    }
    assert all("critique" in row.error_message for row in rows if row.error)


def test_a_spec_has_the_axes_of_added_stages(tmp_path: Path, provider: Provider):
    study = Study.create(tmp_path / "study", provider, WITH_REVISION)
    study.write("cohorts/c1/spec.yaml", SPEC)
    study.build()
    counts = {stage: len(study.rows(stage)) for stage in ("draft", "essay", "evaluation", *STAGES)}
    assert counts == {
        **{"draft": 2, "essay": 2, "evaluation": 2, "critique": 2},
        **{"revision": 4, "second_evaluation": 4},
    }
    assert {row.llm_model_id for row in study.rows("revision")} == {"writer"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("critic_llm: [writer]", "Did you mean"),
        ("critique_template: [strong]", "there is no critique template 'strong'"),
    ],
)
def test_axes_and_levels_of_added_stages_are_checked(tmp_path: Path, provider: Provider, change: str, words: str):
    study = Study.create(tmp_path / "study", provider, WITH_REVISION)
    study.write("cohorts/c1/spec.yaml", f"axes:\n  {change}\n")
    assert words in study.script("build_membership.py", code=1).output


def test_essays_straight_from_the_concepts(tmp_path: Path, provider: Provider):
    config: dict[str, Any] = {"stages": {"draft": None, "essay": {"parent": "combos"}}}
    study = Study.create(tmp_path / "study", provider, Choice(essays=("plain",), combos=None, config=config))
    study.write(
        "1_raw/generation_templates/essay/plain.txt", "essay plain\n{% for c in concepts %}{{ c.name }}\n{% endfor %}"
    )
    study.build()
    assert study.run("-j8", "all", "export").asked == {"essay plain": 3, "evaluation novelty": 3}
    rows = read_scores(study.paths.cohort("c1").scores)
    assert {row.draft_template for row in rows} == {"(none)"}
    assert all(row.score is not None for row in rows)
    (row, *_) = study.rows("essay")
    page = (study.paths.cohort("c1").reports / f"read/essays/{row.gen_id}.html").read_text(encoding="utf-8")
    assert "Draft" not in page.partition("<main")[2]


def test_essays_with_and_without_a_draft_in_one_study(tmp_path: Path, provider: Provider):
    stages = {
        "story": {"parent": "combos"},
        "story_evaluation": {"parent": "story", "makes": "score", "templates": "evaluation_templates.csv"},
    }
    choice = Choice(essays=("developed",), combos=None, config={"stages": stages}, added={"story": ("plain",)})
    study = Study.create(tmp_path / "study", provider, choice)
    study.build()
    study.run("-j8", "all", "export")
    rows = read_scores(study.paths.cohort("c1").scores)
    assert Counter((row.draft_template, row.generation_template) for row in rows) == {
        ("thread", "developed"): 3,
        ("(none)", "story:plain"): 3,
    }

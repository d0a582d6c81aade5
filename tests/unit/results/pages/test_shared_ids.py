"""Generations of different stages that have the same id, on the pages: none is taken for the other."""

from __future__ import annotations

from pathlib import Path

import pytest
import score_fixtures as fixtures

from daydreaming.generation.inspection import inspect_cohort
from daydreaming.generation.study import Study, load_study
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.results.pages.essay_plans import EssayPlan, plan_essays
from daydreaming.results.pages.places import find_places
from daydreaming.results.scores import collect_scores

STAGES = {"notes": {"parent": "draft"}, "second_look": {"parent": "essay", "makes": "score"}}
ROWS = [
    fixtures.draft("same"),
    fixtures.draft("d"),
    fixtures.essay("same", "d"),
    fixtures.essay("e", "same"),
    fixtures.evaluation("v", "same"),
    fixtures.generation("notes", "n", "same"),
    fixtures.generation("second_look", "v", "same", llm_model_id="judge"),
]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.chdir(tmp_path)
    fixtures.write_project(tmp_path, ROWS)
    folder = tmp_path / "data/1_raw"
    folder.joinpath("notes_templates.csv").write_text(
        "template_id,generator,parser,content,active\nt,llm,,Note {{ draft_block }},true\n"
    )
    folder.joinpath("second_look_templates.csv").write_text(
        "template_id,generator,parser,content,active\nt,llm,in_last_line,Judge {{ response }},true\n"
    )
    settings = settings_from_config({"cohort": fixtures.COHORT, "k_max": 1, "stages": STAGES})
    for one in ROWS:
        parsed = {"evaluation": "3.0", "second_look": "9.0"}.get(one.stage, f"The {one.stage}.")
        fixtures.make(settings, one, parsed)
    return load_study(settings)


def plans(study: Study) -> dict[str, EssayPlan]:
    rows = collect_scores(study)
    return {one.gen_id: one for one in plan_essays(study, rows, inspect_cohort(study), find_places(rows))}


def test_each_judgement_has_its_own_score(study):
    shown = plans(study)["same"].evaluations
    assert [(one.stage, one.score) for one in shown] == [("evaluation", 3.0), ("second_look", 9.0)]


def test_what_was_made_from_a_draft_is_not_on_the_page_of_an_essay_with_its_id(study):
    assert [plan.after for plan in plans(study).values()] == [(), ()]


def test_a_draft_without_a_page_is_no_essay_to_compare_with(study):
    for plan in plans(study).values():
        assert not [one.words for one in plan.beside if one.words.startswith("its ")]

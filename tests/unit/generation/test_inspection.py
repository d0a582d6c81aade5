"""A look at all generations of a cohort."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import score_fixtures as fixtures

from daydreaming.generation.adoption import adopt
from daydreaming.generation.currency import State
from daydreaming.generation.inspection import changed_inputs, conflict_faults, inspect_cohort
from daydreaming.generation.study import Study, load_study
from daydreaming.inputs.configuration import settings_from_config

CHAIN = fixtures.draft("d1"), fixtures.essay("e1", "d1"), fixtures.evaluation("v1", "e1")
DRAFT, ESSAY, EVALUATION = (("draft", "d1"), ("essay", "e1"), ("evaluation", "v1"))


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A draft, its copy and an evaluation, all found and made by no run of ours."""
    monkeypatch.chdir(tmp_path)
    fixtures.write_project(tmp_path, list(CHAIN))
    made = load()
    for one in CHAIN:
        fixtures.make(made.settings, one, "7.0" if one.stage == "evaluation" else "A text.")
    return made


def load(**config: object) -> Study:
    return load_study(settings_from_config({"cohort": fixtures.COHORT, "k_max": 1, **config}))


def test_what_was_found_is_adopted_and_closed(study: Study):
    inspection = inspect_cohort(study)
    assert dict(inspection.counts()) == {State.ADOPTED: 3}
    assert (inspection.open, inspection.to_adopt) == (frozenset(), [DRAFT, ESSAY, EVALUATION])
    assert inspection.changed_at_ns(DRAFT) == study.files(*DRAFT).parsed.stat().st_mtime_ns


def test_a_look_writes_nothing_and_an_adoption_is_written_once(study: Study):
    files = sorted(path for path in study.paths.root.rglob("*") if path.is_file())
    before = [path.read_bytes() for path in files]
    inspection = inspect_cohort(study)
    assert [path.read_bytes() for path in files] == before
    assert adopt(study, inspection) == 3
    record = json.loads(study.files(*EVALUATION).metadata.read_text())
    assert (record["adopted"], record["llm_model_id"], record["error"]) == (True, "judge", "none")
    kept = sorted(study.paths.replies.glob("adopted/*/*/*.json"))
    assert [path.parent.name for path in kept] == ["d1", "e1", "v1"]
    again = inspect_cohort(study)
    assert (again.to_adopt, again.counts()) == ([], inspection.counts())
    assert adopt(study, again) == 0


def test_what_follows_something_open_is_open_though_nothing_of_its_own_has_changed(study: Study):
    adopt(study, inspect_cohort(study))
    study.files(*DRAFT).metadata.write_text("{")
    inspection = inspect_cohort(study)
    assert [inspection.state(key) for key in (DRAFT, ESSAY, EVALUATION)] == [
        State.WAITING,
        State.ADOPTED,
        State.ADOPTED,
    ]
    assert inspection.open == {DRAFT, ESSAY, EVALUATION}


def test_a_conflict_is_a_fault_that_names_file_and_both_rows(study: Study):
    fixtures.make(study.settings, CHAIN[2], "7.0", llm_model_id="another")
    (fault,) = conflict_faults(study, inspect_cohort(study))
    assert fault.file == "data/gens/evaluation/v1/metadata.json"
    assert "'another'" in fault.problem
    assert "'judge'" in fault.problem
    assert adopt(study, inspect_cohort(study)) == 2


def test_the_combo_of_a_chain_is_compared_too(study: Study):
    fixtures.make(study.settings, CHAIN[2], "7.0", combo_id="k9")
    assert inspect_cohort(study).state(EVALUATION) is State.CONFLICT
    fixtures.make(study.settings, CHAIN[2], "7.0", combo_id="k1")
    assert inspect_cohort(study).state(EVALUATION) is State.ADOPTED


def test_the_user_may_have_adopted_texts_made_again(study: Study):
    adopt(study, inspect_cohort(study))
    inspection = inspect_cohort(load(remake_adopted=True))
    assert dict(inspection.counts()) == {State.OUT_OF_DATE: 3}
    assert inspection.reason(DRAFT) == "remake_adopted is true (adopted)"


def test_inputs_that_changed_since_the_study_was_loaded_are_named(study: Study):
    path = Path("data/1_raw/concepts/descriptions-paragraph/sleep.txt")
    inspect_cohort(study)
    assert changed_inputs(study) == []
    path.write_text("Sleep is work.\n")
    assert changed_inputs(study) == [str(path)]
    path.unlink()
    (problem,) = changed_inputs(study)
    assert str(path) in problem

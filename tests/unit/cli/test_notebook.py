"""What a notebook begins with: the configuration counts, and what is given over it."""

from __future__ import annotations

from pathlib import Path

import pytest
import score_fixtures as fixtures

import daydreaming
from daydreaming.base.errors import InputError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    draft = fixtures.draft("d1")
    fixtures.write_project(tmp_path / "project", [draft, fixtures.essay("e1", "d1"), fixtures.evaluation("v1", "e1")])
    return tmp_path / "project"


def test_the_configured_cohort_is_loaded_where_none_is_named(project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(project)
    assert repr(daydreaming.load()) == "Cohort c1: 1 drafts, 1 essays, 1 evaluations"
    assert daydreaming.load().evaluations["state"].tolist() == ["missing"]


def test_what_is_given_counts_and_the_folder_stays_as_it_was(project: Path, monkeypatch: pytest.MonkeyPatch):
    fixtures.write_table(project, "other", [fixtures.draft("d9")])
    monkeypatch.chdir(project.parent)
    other = daydreaming.load("other", "project", data_root=str(project / "data"))
    assert other.drafts["gen_id"].tolist() == ["d9"]
    assert len(other.essays) == len(other.evaluations) == len(other.chains) == 0
    assert Path.cwd() == project.parent


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("nobody",), "nobody"), (("c1", "no-folder"), "no-folder")],
    ids=["no such cohort", "no such folder"],
)
def test_what_is_not_there_is_a_fault_and_the_folder_stays_as_it_was(
    arguments: tuple, told: str, project: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(project)
    with pytest.raises(InputError, match=told):
        daydreaming.load(*arguments)
    with pytest.raises(InputError, match="no_such_key"):
        daydreaming.load("c1", no_such_key=1)
    assert Path.cwd() == project


def test_the_package_has_no_other_names():
    with pytest.raises(AttributeError, match="nothing"):
        daydreaming.nothing  # noqa: B018

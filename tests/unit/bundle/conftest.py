"""One cohort that is made and packed once, and read, or copied, by the tests of this folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from bundle_fixtures import bundled, make_results
from export_fixtures import loaded, made_cohort

from daydreaming.bundle.manifest import Scope
from provider import Provider
from studies import Study as Folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """A cohort with all its results. For reading only: see `copied`."""
    folder = tmp_path_factory.mktemp("bundles") / "study"
    folder.mkdir()
    with Provider() as provider, contextlib.chdir(folder):
        study = made_cohort(folder, provider)
        make_results(loaded(study))
        yield study


@pytest.fixture(scope="session")
def bundle(finished: Folder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cohort in one file. For reading only."""
    with contextlib.chdir(finished.folder):
        return bundled(finished, tmp_path_factory.mktemp("bundle") / "c1.zip").path


@pytest.fixture
def reduced(finished: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[Scope, Path]:
    """The cohort in one file, with less in it."""
    monkeypatch.chdir(finished.folder)
    scopes = (Scope.WITHOUT_PROMPTS, Scope.ONLY_SCORES)
    return {scope: bundled(finished, tmp_path / f"{scope}.zip", scope).path for scope in scopes}


@pytest.fixture
def copied(finished: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A copy of the cohort, to be changed; its folder is the current one."""
    study = finished.copy(tmp_path / "study")
    monkeypatch.chdir(study.folder)
    return study

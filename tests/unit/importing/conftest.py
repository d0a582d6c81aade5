from __future__ import annotations

from pathlib import Path

import pytest
from importing_fixtures import SOURCE
from inputs_fixtures import make_project

from studies.original import EARLIER, NOW, Original, write_original


@pytest.fixture(params=[NOW, EARLIER])
def original(request: pytest.FixtureRequest, project: None) -> Original:
    """A folder in each dialect."""
    return write_original(SOURCE, request.param)


@pytest.fixture
def latest(project: None) -> Original:
    """A folder in the last dialect."""
    return write_original(SOURCE, NOW)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project whose inputs are fine, as the current folder."""
    make_project(tmp_path, monkeypatch)

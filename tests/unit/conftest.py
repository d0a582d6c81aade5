"""Fixtures of the tests in which generations are really made; a module that needs another provider defines its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from runner_fixtures import Project

from provider import Provider


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    """One scripted provider for the tests of a module."""
    with Provider() as server:
        yield server


@pytest.fixture
def provider(server: Provider) -> Provider:
    """The module's provider, which has heard nothing and replies as it does by default."""
    server.script([])
    server.reset_ledger()
    return server


@pytest.fixture
def project(tmp_path: Path, provider: Provider) -> Project:
    """A data folder and a runner on it."""
    return Project(tmp_path, provider)

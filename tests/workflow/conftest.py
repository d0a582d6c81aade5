"""What the workflow tests share: one provider, and studies that are made once and read, or copied, by many tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provider import Provider
from studies import Choice, Study

TWO_OF_EACH = Choice(
    drafts=("thread", "contrast"),
    essays=("copied", "developed"),
    evaluations=("novelty", "soundness"),
    combos=(("sleep", "tides"), ("sleep", "maps")),
)


@pytest.fixture(scope="session")
def session_provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture
def provider(session_provider: Provider) -> Iterator[Provider]:
    """The provider without a script; what a test scripts ends with it."""
    yield session_provider
    session_provider.script([])


@pytest.fixture
def make_study(tmp_path: Path, provider: Provider) -> Callable[..., Study]:
    """Makes a study with its membership; the arguments are those of `Choice`."""

    def make(**choice) -> Study:
        study = Study.create(tmp_path / "study", provider, Choice(**choice))
        study.build()
        return study

    return make


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, session_provider: Provider) -> Study:
    """A study of two templates at each stage and two combos, made to its end. For reading only: see `copied`."""
    study = Study.create(tmp_path_factory.mktemp("finished") / "study", session_provider, TWO_OF_EACH)
    study.build()
    study.run("-j4", "all")
    return study


@pytest.fixture
def copied(finished: Study, tmp_path: Path, provider: Provider) -> Study:
    """A copy of the finished study, to be changed."""
    return finished.copy(tmp_path / "study")

"""The process that makes generations, started while Snakemake still builds its graph."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from provider_fixtures import wait_until

from snakemake_executor_plugin_daydreaming import ExecutorSettings
from snakemake_executor_plugin_daydreaming.commands import StageCommand

OF_RUN = ("--directory", ".")
OF_GENERATION = (*OF_RUN, "--stage", "draft", "--gen-id=1")


@pytest.fixture
def program(tmp_path: Path) -> tuple[str, str]:
    """Serves nothing, and says that it runs."""
    path = tmp_path / "serve.py"
    path.write_text(
        f"from pathlib import Path\nimport time\nPath({str(tmp_path / 'runs')!r}).touch()\ntime.sleep(600)\n"
    )
    return sys.executable, str(path)


@pytest.fixture
def settings(program: tuple[str, str], tmp_path: Path) -> ExecutorSettings:
    made = ExecutorSettings()
    made.start_ahead([*program, *OF_RUN], 4)
    wait_until((tmp_path / "runs").exists)
    return made


def test_it_is_handed_over_once(settings: ExecutorSettings, program: tuple[str, str]):
    command = StageCommand(program, OF_GENERATION)
    started = settings.take_started(command)
    assert started is not None and started.process.poll() is None
    assert started.calls_in_flight == 4
    assert settings.take_started(command) is None
    assert started.process.poll() is None, "who took it ends it"
    started.end()


@pytest.mark.parametrize(
    "other",
    [
        lambda program: None,
        lambda program: StageCommand((program[0], "other.py"), OF_GENERATION),
        lambda program: StageCommand(program, ("--directory", "elsewhere", "--stage", "draft", "--gen-id=1")),
    ],
    ids=["nothing to make", "another program", "another folder"],
)
def test_one_that_does_not_fit_ends(
    other: Callable[[tuple[str, str]], StageCommand | None], settings: ExecutorSettings, program: tuple[str, str]
):
    process = settings._started.process
    assert settings.take_started(other(program)) is None
    assert process.poll() is not None
    assert settings.take_started(StageCommand(program, OF_GENERATION)) is None


def test_one_that_nobody_takes_ends_with_its_settings(settings: ExecutorSettings, program: tuple[str, str]):
    first = settings._started.process
    settings.start_ahead([*program, *OF_RUN], 4)
    assert first.poll() is not None, "a second one replaces it"
    other = ExecutorSettings()
    other.start_ahead([*program, *OF_RUN], 4)
    process = other._started.process
    del other
    assert process.poll() is not None
    settings.take_started(None)

"""The package that `pip wheel .` makes works outside of the clone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from daydreaming.inputs.stages import DEFAULT_STAGES
from provider import Provider
from studies import Study
from studies.study import PROJECT, environment

PIP = (sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "--no-input")
NOT_SOURCE = shutil.ignore_patterns("__pycache__", "*.egg-info")
PACKAGES = ("daydreaming", "snakemake_executor_plugin_daydreaming", "snakemake_logger_plugin_daydreaming")
LIBRARY_FOLDER = "import daydreaming; print(daydreaming.__path__[0])"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the source, so that nothing is left behind in the clone."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source)
    for name in ("scripts", "schemas"):
        shutil.copytree(PROJECT / name, source / name, symlinks=True, ignore=NOT_SOURCE)
    subprocess.run([*PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", source / "dist", source], check=True)
    (built,) = (source / "dist").iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs Python on the installed wheel, with the programs of scripts/ but without the clone's library beside them."""
    folder = tmp_path_factory.mktemp("elsewhere")
    subprocess.run([*PIP, "install", "--no-deps", "--no-index", "--target", folder / "site", wheel], check=True)
    (folder / "programs").mkdir()
    for program in (PROJECT / "scripts").glob("*.py"):
        shutil.copy(program, folder / "programs")

    def run(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        variables = {**environment(), "PYTHONPATH": str(folder / "site")}
        done = subprocess.run(command, cwd=folder / "programs", env=variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert run("-c", LIBRARY_FOLDER).strip() == str(folder / "site" / "daydreaming")
    return run


def test_it_holds_every_file_of_the_packages_and_nothing_else(wheel: Path):
    folders = [PROJECT / "scripts" / name for name in PACKAGES]
    files = {file for folder in folders for file in folder.rglob("*") if file.is_file()}
    files |= {PROJECT / "scripts" / "daydreaming" / "schemas" / file.name for file in (PROJECT / "schemas").iterdir()}
    expected = {str(file.relative_to(PROJECT / "scripts")) for file in files if file.parent.name != "__pycache__"}
    held = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == expected


def test_a_study_is_made_with_it(installed: Callable[..., str], provider: Provider, tmp_path: Path):
    study, scores = Study.create(tmp_path / "study", provider), tmp_path / "scores.csv"
    of_the_study = ("--directory", str(study.folder))
    installed("validate_inputs.py", *of_the_study)
    installed("build_membership.py", *of_the_study)
    rows = [study.row(stage) for stage in DEFAULT_STAGES.names]
    for row in rows:
        installed("run_stage.py", *of_the_study, "--stage", row.stage, "--gen-id", row.gen_id)
    assert set(study.parsed_texts()) == {f"gens/{row.stage}/{row.gen_id}/parsed.txt" for row in rows}
    installed("aggregate_scores.py", *of_the_study, "--output", str(scores))
    assert len(scores.read_text(encoding="utf-8").splitlines()) == 2

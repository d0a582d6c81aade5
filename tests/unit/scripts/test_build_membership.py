from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from inputs_fixtures import RAW, make_project, write

from build_membership import main


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project folder that is not the current one."""
    folder = tmp_path / "my project"
    folder.mkdir()
    make_project(folder, monkeypatch)
    write("config.yaml", "cohort: first\n")
    monkeypatch.chdir(tmp_path)
    yield folder
    # main() goes to the project folder for good, as a program may.
    os.chdir(tmp_path)


def test_builds_the_cohort_and_says_what_and_where(project: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--directory", str(project)]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    words = [line.split() for line in output.out.splitlines()]
    assert ["cohort", "first", "(cartesian)"] in words
    assert ["drafts", "3"] in words
    assert ["essays", "6"] in words
    assert ["evaluations", "6"] in words
    assert ["table", "data/cohorts/first/membership.csv"] in words
    assert "15 rows come" in output.out
    assert (project / "data/cohorts/first/manifest.json").is_file()


def test_says_that_nothing_changed(project: Path, capsys: pytest.CaptureFixture[str]):
    main(["--directory", str(project)])
    capsys.readouterr()
    assert main(["--directory", str(project)]) == 0
    assert "The table has not changed." in capsys.readouterr().out


def test_refuses_to_lose_rows_without_force(project: Path, capsys: pytest.CaptureFixture[str]):
    main(["--directory", str(project)])
    capsys.readouterr()
    assert main(["--directory", str(project), "--config", "k_max=1"]) == 1
    output = capsys.readouterr()
    assert "--force" in output.err
    assert output.out == ""
    assert main(["--directory", str(project), "--force", "--config", "k_max=1"]) == 0
    assert "15 rows go" in capsys.readouterr().out


def test_reports_bad_inputs(project: Path, capsys: pytest.CaptureFixture[str]):
    (project / RAW / "llm_models.csv").write_text("id,model\nwriter,acme/writer\n")
    assert main(["--directory", str(project)]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert "llm_models.csv, row 1, column 'for_generation'" in output.err
    assert not (project / "data/cohorts").exists()


def test_a_folder_that_cannot_be_written_is_a_clear_error(project: Path, capsys: pytest.CaptureFixture[str]):
    write(project / "data/cohorts", "a file where the folder should be")
    assert main(["--directory", str(project)]) == 1
    assert "data/cohorts" in capsys.readouterr().err


def test_wrong_usage_is_exit_code_2(project: Path):
    with pytest.raises(SystemExit, match="2"):
        main(["--directory", str(project), "--no-such-option"])

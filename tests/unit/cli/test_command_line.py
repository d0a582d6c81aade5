from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from daydreaming.base.errors import InputError
from daydreaming.cli.command_line import PROJECT, add_project_arguments, load_project
from daydreaming.inputs.settings import Settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to call from, and a project in it; the test's current folder is restored afterwards."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "project").mkdir()
    return tmp_path


def load(*words: str) -> Settings:
    parser = argparse.ArgumentParser()
    add_project_arguments(parser)
    return load_project(parser.parse_args(["--directory", "project", *words]))


def faults_of(*words: str) -> str:
    with pytest.raises(InputError) as caught:
        load(*words)
    return str(caught.value)


def test_goes_to_the_project_and_reads_its_configuration(elsewhere: Path):
    (elsewhere / "project" / "config.yaml").write_text("cohort: mine\nk_max: 3\n", encoding="utf-8-sig")
    settings = load()
    assert (settings.cohort, settings.k_max) == ("mine", 3)
    assert Path.cwd() == elsewhere / "project"


def test_a_project_without_a_configuration_has_the_one_that_comes_with_the_workflow():
    assert load().cohort == "demo"


def test_the_default_project_is_this_one():
    parser = argparse.ArgumentParser()
    add_project_arguments(parser)
    assert parser.parse_args([]).directory == PROJECT
    assert (PROJECT / "Snakefile").is_file()


def test_later_files_win_and_the_command_line_wins_over_all(elsewhere: Path):
    (elsewhere / "project" / "config.yaml").write_text("cohort: one\nk_max: 1\nreplicates: {draft: 4}\nbudget_calls: 9")
    (elsewhere / "a.yaml").write_text("cohort: two\nk_max: 2\nreplicates: {essay: 5}\n")
    (elsewhere / "b.yaml").write_text("cohort: three\n")
    settings = load("--configfile", "a.yaml", "b.yaml", "--config", "budget_calls=1")
    assert (settings.cohort, settings.k_max, settings.budget_calls) == ("three", 2, 1)
    assert settings.replicates == {"draft": 4, "essay": 5, "evaluation": 1}


def test_values_are_read_as_yaml():
    settings = load("--config", "offline=true", "cohort=null", "stages={draft: {seed: 4}}", "budget_usd=")
    assert (settings.offline, settings.cohort, settings.budget_usd) == (True, None, None)
    assert settings.stages["draft"].seed == 4


def test_no_setting_of_a_repeated_option_is_lost(elsewhere: Path):
    for name, key in (("a", "k_max: 4"), ("b", "budget_calls: 7")):
        (elsewhere / f"{name}.yaml").write_text(key)
    files = ("--configfile", "a.yaml", "--configfile", "b.yaml")
    settings = load(*files, "--config", "offline=true", "--config", "cohort=c")
    assert (settings.k_max, settings.budget_calls, settings.offline, settings.cohort) == (4, 7, True, "c")


@pytest.mark.parametrize(
    ("content", "words"),
    [("a: [", "it cannot be read"), ("- a\n", "it holds no settings"), ("cohort: caf\xe9", "it cannot be read")],
)
def test_a_configuration_that_is_none_is_named(elsewhere: Path, content: str, words: str):
    (elsewhere / "bad.yaml").write_text(content, encoding="latin-1")
    message = faults_of("--configfile", "bad.yaml")
    assert "bad.yaml" in message
    assert words in message


def test_an_empty_configuration_is_one(elsewhere: Path):
    (elsewhere / "project" / "config.yaml").write_text("# nothing yet\n")
    assert load().cohort is None


def test_missing_places_are_named():
    assert "gone.yaml" in faults_of("--configfile", "gone.yaml")
    assert "nowhere: there is no such folder." in faults_of("--directory", "nowhere")


@pytest.mark.parametrize(("pair", "words"), [("offline", "is not KEY=VALUE"), ("k_max=[1", "cannot be read")])
def test_settings_on_the_command_line_are_checked(pair: str, words: str):
    message = faults_of("--config", pair)
    assert pair in message
    assert words in message

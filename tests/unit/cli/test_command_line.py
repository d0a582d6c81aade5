from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from daydreaming.base.errors import FailureKind, Fault, GenerationError, InputError
from daydreaming.cli.command_line import PROJECT, add_project_arguments, load_project, run, write_configuration
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.stages import DEFAULT_STAGES


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to call from, and a project in it; the test's current folder is restored afterwards."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "project").mkdir()
    return tmp_path


def load(*words: str) -> Settings:
    parser = argparse.ArgumentParser()
    add_project_arguments(parser)
    with contextlib.chdir(Path.cwd()):
        settings = load_project(parser.parse_args(["--directory", "project", *words]))
        assert Path.cwd() == Path("..", "project").resolve()
    return settings


def faults_of(*words: str) -> str:
    with pytest.raises(InputError) as caught:
        load(*words)
    return str(caught.value)


def test_goes_to_the_project_and_reads_its_configuration(elsewhere: Path):
    (elsewhere / "project" / "config.yaml").write_text("cohort: mine\nk_max: 3\n", encoding="utf-8-sig")
    settings = load()
    assert (settings.cohort, settings.k_max) == ("mine", 3)


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


def test_a_configuration_that_is_handed_on_is_read_and_nothing_else(elsewhere: Path):
    config = {"cohort": "handed", "k_max": "3", "stages": {"draft": {"extra_body": {"a": 1}}}}
    file = write_configuration(config, elsewhere / "made" / "here")
    (elsewhere / "project" / "config.yaml").write_text("cohort: edited since\n")
    settings = load("--configuration", str(file))
    assert settings == settings_from_config(config)
    assert load("--configuration", str(file), "--config", "offline=true").offline


def test_a_configuration_is_written_once_and_anew_where_it_is_damaged(elsewhere: Path):
    file = write_configuration({"cohort": "a"}, elsewhere)
    before = file.stat()
    assert write_configuration({"cohort": "a"}, elsewhere) == file
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert write_configuration({"cohort": "b"}, elsewhere) != file
    good = file.read_bytes()
    file.write_bytes(good[:-3])
    assert write_configuration({"cohort": "a"}, elsewhere).read_bytes() == good


def test_a_faulty_configuration_is_not_handed_on(elsewhere: Path):
    with pytest.raises(InputError, match="k_max"):
        write_configuration({"k_max": 0}, elsewhere / "made")
    assert not (elsewhere / "made").exists()


def test_stages_come_in_the_order_in_which_they_were_handed_on(elsewhere: Path):
    """Else a program would see other tables than the workflow, and each run would make its results again."""
    stages = {name: {"parent": "essay"} for name in ("second_look", "critique", "first_look")}
    file = write_configuration({"cohort": "a", "stages": stages}, elsewhere)
    assert load("--configuration", str(file)).stage_table.names == (*DEFAULT_STAGES.names, *stages)
    turned = dict(reversed(stages.items()))
    assert write_configuration({"cohort": "a", "stages": turned}, elsewhere) != file
    assert write_configuration({"stages": stages, "cohort": "a"}, elsewhere) == file


def test_a_configuration_that_is_not_what_its_name_says_is_a_fault(elsewhere: Path):
    file = write_configuration({"cohort": "a"}, elsewhere)
    file.write_bytes(file.read_bytes().replace(b"a", b"b"))
    assert "the digest of" in faults_of("--configuration", str(file))
    assert "cannot be read" in faults_of("--configuration", "gone.json")
    other = write_configuration({"cohort": "c"}, elsewhere)
    (elsewhere / "more.yaml").write_text("k_max: 3")
    assert "--configfile" in faults_of("--configuration", str(other), "--configfile", "more.yaml")


def test_without_the_clone_the_current_folder_is_the_project(elsewhere: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("daydreaming.cli.command_line.PROJECT", elsewhere / "site-packages")
    monkeypatch.chdir(elsewhere / "project")
    parser = argparse.ArgumentParser()
    add_project_arguments(parser)
    arguments = parser.parse_args([])
    assert arguments.directory.resolve() == elsewhere / "project"
    assert load_project(arguments) == settings_from_config({})


def ended_with(error: BaseException) -> int:
    def work(_: argparse.Namespace) -> int:
        raise error

    return run(argparse.ArgumentParser(), work, [])


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InputError(Fault("a.csv", "is empty.", "Fill it.")), 1, "a.csv: is empty. Fill it."),
        (GenerationError(FailureKind.PARSE, "No score."), 1, "[parse] No score."),
        (FileNotFoundError(2, "No such file or directory", "b.csv"), 1, "b.csv: cannot be read or written"),
        (KeyError("sk-secret"), 1, "KeyError in test_command_line.py, line"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_end_in_words_on_standard_error(
    error: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str]
):
    assert ended_with(error) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert words in printed.err
    assert "Traceback" not in printed.err
    assert "sk-secret" not in printed.err


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_goes_away_ends_a_script_in_silence(lines: int):
    """One line stays in the buffer until the end, many lines break the pipe in the middle."""
    code = (
        "import argparse, sys, time; from daydreaming.cli.command_line import run\n"
        "def work(_):\n"
        "    sys.stdin.readline()\n"
        f"    for number in range({lines}): print(number)\n"
        "    return 0\n"
        "raise SystemExit(run(argparse.ArgumentParser(), work, []))"
    )
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen([sys.executable, "-c", code], **pipes)
    process.stdout.close()
    process.stdin.write(b"go on\n")
    process.stdin.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


@pytest.mark.parametrize("script", sorted(path.name for path in (PROJECT / "scripts").glob("*.py")))
def test_help_imports_nothing_heavy(script: str):
    code = f"import sys; sys.argv = ['x', '--help']; import {script.removesuffix('.py')} as script\n" + (
        "try: script.main()\nexcept SystemExit: pass\n"
        "heavy = {'pandas', 'openai', 'scipy', 'snakemake', 'rich', 'pydantic', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT / "scripts", capture_output=True, text=True)
    assert done.stderr == "[]\n"
    assert "usage:" in done.stdout

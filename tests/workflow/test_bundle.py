"""A study in one file: packed, opened in another folder, and made again there from its replies without a call."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studies import Study
from studies.study import PROJECT

OFFLINE = ("snakemake", "--config", "offline=true")
WITHOUT_KEYS = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}


@pytest.fixture
def bundle(copied: Study) -> Path:
    """The finished study in one file."""
    target = copied.paths.cohort("c1").bundle
    assert not target.exists()
    assert copied.run("bundle").calls == ()
    return target


def opened(study: Study, bundle: Path, folder: Path) -> Study:
    """The bundle in a new folder."""
    told = study.command("python", str(PROJECT / "scripts" / "open_bundle.py"), str(bundle), str(folder))
    assert f"cd {folder} && snakemake --config offline=true" in told.output
    return Study(folder, study.provider)


@pytest.mark.full_set
def test_the_bundle_is_a_target_of_its_own_and_made_anew_when_a_text_changes(copied: Study, bundle: Path):
    before = bundle.read_bytes()
    assert copied.run("bundle").did_nothing
    bundle.write_bytes(before[:-1] + b"x")
    assert copied.run("bundle").calls == ()
    assert bundle.read_bytes() == before

    copied.edit(copied.template("evaluation", "novelty"), "End with", "Be strict. End with")
    assert copied.run("bundle").asked == {"evaluation novelty": 8}
    assert bundle.read_bytes() != before


def test_an_opened_bundle_makes_every_table_and_page_again_without_a_call(copied: Study, bundle: Path, tmp_path: Path):
    again = opened(copied, bundle, tmp_path / "opened")
    run = again.command(*OFFLINE, env=WITHOUT_KEYS)
    assert run.calls == ()
    assert run.outcomes == {}  # every text is current as it is
    line = [line for line in run.output.splitlines() if line.startswith("The same, byte for byte: ")]
    assert len(line) == 1
    assert "28 texts (28 read again from their replies)" in line[0]
    reports, before = again.paths.cohort("c1").reports, copied.paths.cohort("c1").reports
    files = {path.relative_to(before) for path in before.rglob("*.*") if path.is_file()}
    assert files == {path.relative_to(reports) for path in reports.rglob("*.*") if path.is_file()}


@pytest.mark.full_set
def test_the_texts_themselves_are_made_again_from_the_replies(copied: Study, bundle: Path, tmp_path: Path):
    again = opened(copied, bundle, tmp_path / "opened")
    for path in again.paths.gens.glob("*/*/parsed.txt"):
        path.unlink()
    remade = again.command(*OFFLINE, env=WITHOUT_KEYS)
    assert remade.calls == ()
    assert sum(remade.outcomes.values()) == 28
    assert again.parsed_texts() == copied.parsed_texts()


def test_the_check_says_what_differs(copied: Study, bundle: Path, tmp_path: Path):
    again = opened(copied, bundle, tmp_path / "opened")
    again.edit(again.template("evaluation", "novelty"), "End with", "Be strict. End with")
    check = ("python", str(PROJECT / "scripts" / "open_bundle.py"), "--check", ".")
    told = again.command(*check, code=1).output
    assert told.startswith("Not the same: 8 prompts, ")
    failed = again.snakemake(*OFFLINE[1:], code=1)
    assert failed.calls == ()
    assert "offline" in failed.output
    # A run that fails says it as well: what is missing, and what differs.
    assert "Not the same: " in failed.output


def test_the_same_study_in_another_place_gives_the_same_bytes(copied: Study, tmp_path: Path):
    # Started, for a forked program has the locale, the order of sets and the umask of the one that it was forked from.
    program = ("python", str(PROJECT / "scripts" / "bundle.py"), "--directory", ".", "--output")
    before = copied.command(*program, str(tmp_path / "here.zip"), env={"LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"})
    assert "28 generations" in before.output
    elsewhere = copied.copy(tmp_path / "another place" / "ä")
    for number, path in enumerate(sorted(elsewhere.folder.rglob("*"), reverse=True)):
        os.utime(path, (1_600_000_000 + number, 1_600_000_000 + number))
    other = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    usual = os.umask(0o077)
    try:
        elsewhere.command(*program, str(tmp_path / "there.zip"), env=other)
    finally:
        os.umask(usual)
    assert (tmp_path / "there.zip").read_bytes() == (tmp_path / "here.zip").read_bytes()


def test_the_programs_pack_less_and_say_what_is_wrong(copied: Study, tmp_path: Path):
    told = copied.script("bundle.py", "--only-scores").output
    reduced = copied.paths.cohort("c1").export / "c1-only-scores.zip"
    assert str(reduced.relative_to(copied.folder)) in told
    program = str(PROJECT / "scripts" / "open_bundle.py")
    folder = tmp_path / "opened"
    assert "--check" in copied.command("python", program, str(reduced), str(folder)).output
    assert copied.command("python", program, "--check", str(folder)).output.startswith("The same, byte for byte: ")

    copied.paths.cohort("c1").report.unlink()
    assert "Make it first: `snakemake -j8 report`" in copied.script("bundle.py", code=1).output
    assert "it needs a bundle and a folder" in copied.command("python", program, code=1).output

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from core_fixtures import python, set_age

from daydreaming.base.temporary_files import abandoned_files, remove_abandoned_files, temporary_name

WRITES = """
import sys
from pathlib import Path
from daydreaming.base.temporary_files import temporary_name
file = Path(sys.argv[1]) / temporary_name("parsed.txt")
file.write_text("half a te")
print(file, flush=True)
input()
"""
MINUTE = 60
ALWAYS = 48 * 60 * MINUTE


@pytest.fixture
def left_behind(tmp_path: Path) -> Path:
    """The temporary file of a process that has ended since."""
    writer = python(WRITES, tmp_path)
    file = Path(writer.stdout.readline().strip())
    writer.communicate("\n")
    return file


def test_what_a_dead_process_left_is_abandoned_after_a_while(left_behind: Path):
    set_age(left_behind, 9 * MINUTE)
    assert abandoned_files(left_behind.parent) == []
    set_age(left_behind, 11 * MINUTE)
    assert abandoned_files(left_behind.parent) == [left_behind]


def test_what_a_living_process_writes_is_not_however_long_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    writer = python(WRITES, tmp_path)
    file = Path(writer.stdout.readline().strip())
    later = time.time() + ALWAYS
    monkeypatch.setattr(time, "time", lambda: later)
    assert abandoned_files(tmp_path) == []
    writer.communicate("\n")
    assert abandoned_files(tmp_path) == [file]


def test_a_number_that_was_given_to_another_process_since_protects_nothing(tmp_path: Path):
    own = tmp_path / temporary_name("raw.txt")
    own.touch()
    set_age(own, ALWAYS)  # long before this process began
    assert abandoned_files(tmp_path) == [own]


def test_what_was_written_before_its_process_began_is_of_an_earlier_one(tmp_path: Path):
    writer = python(WRITES, tmp_path)
    file = Path(writer.stdout.readline().strip())
    set_age(file, 11 * MINUTE)
    assert abandoned_files(tmp_path) == [file]
    writer.communicate("\n")


def test_a_process_of_another_machine_is_given_a_day(tmp_path: Path):
    other = tmp_path / f".raw.txt.another-machine.{os.getpid()}.1.tmp"
    other.touch()
    set_age(other, 23.9 * 60 * MINUTE)
    assert abandoned_files(tmp_path) == []
    set_age(other, 24.1 * 60 * MINUTE)
    assert abandoned_files(tmp_path) == [other]


@pytest.mark.parametrize("name", ["parsed.txt", "notes.tmp", ".hidden.tmp", ".raw.txt.12.34.tmp.txt"])
def test_files_of_others_are_left_alone(name: str, tmp_path: Path):
    (tmp_path / name).touch()
    set_age(tmp_path / name, ALWAYS)
    assert abandoned_files(tmp_path) == []


def test_there_are_none_where_there_is_no_folder(tmp_path: Path):
    assert abandoned_files(tmp_path / "nowhere") == []


def test_only_what_is_abandoned_is_removed(left_behind: Path):
    set_age(left_behind, ALWAYS)
    result, own = left_behind.with_name("parsed.txt"), left_behind.with_name(temporary_name("raw.txt"))
    for file in (result, own):
        file.touch()
    remove_abandoned_files(left_behind.parent)
    assert set(left_behind.parent.iterdir()) == {result, own}

import os
from pathlib import Path

import pytest
from core_fixtures import set_age

from daydreaming.base.unchanged_files import UnchangedFiles

LONG_AGO_S = 1000


class Reading:
    """Counts how often a file is read."""

    def __init__(self, path: Path):
        self.path = path
        self.times = 0
        self.files: UnchangedFiles[str] = UnchangedFiles()

    def __call__(self) -> str:
        self.times += 1
        return self.path.read_text()

    def content(self) -> str:
        return self.files.content(self.path, self)


@pytest.fixture
def old_file(tmp_path: Path) -> Reading:
    path = tmp_path / "template.txt"
    path.write_text("one")
    set_age(path, LONG_AGO_S)
    return Reading(path)


def test_a_file_that_stays_the_same_is_read_once(old_file: Reading):
    assert [old_file.content() for _ in range(5)] == ["one"] * 5
    assert old_file.times == 1


def test_a_changed_file_is_read_again(old_file: Reading):
    old_file.content()
    old_file.path.write_text("two")
    assert old_file.content() == "two"


def test_another_file_in_its_place_is_read_even_if_time_and_size_are_the_same(old_file: Reading):
    old_file.content()
    before = old_file.path.stat()
    other = old_file.path.with_name("other")
    other.write_text("two")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(old_file.path)
    assert old_file.content() == "two"


def test_a_file_that_was_changed_just_now_is_read_until_it_has_settled(old_file: Reading):
    old_file.path.write_text("new")
    set_age(old_file.path, -60)  # just now, for as long as the test takes
    assert [old_file.content() for _ in range(3)] == ["new"] * 3
    assert old_file.times == 3
    set_age(old_file.path, LONG_AGO_S)
    assert [old_file.content() for _ in range(3)] == ["new"] * 3
    assert old_file.times == 4


def test_what_is_wrong_with_a_file_is_told_by_who_reads_it(old_file: Reading):
    old_file.content()
    old_file.path.unlink()
    with pytest.raises(FileNotFoundError):
        old_file.content()

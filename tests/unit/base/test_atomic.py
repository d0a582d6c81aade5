from __future__ import annotations

import os
from pathlib import Path

import pytest

from daydreaming.base import atomic
from daydreaming.base.temporary_files import temporary_name


def test_makes_the_folder_and_keeps_line_ends(tmp_path: Path):
    path = tmp_path / "new" / "a.txt"
    atomic.write_text(path, "é\r\nb\n")
    assert path.read_bytes() == "é\r\nb\n".encode()


def test_a_lone_surrogate_reaches_the_disk(tmp_path: Path):
    atomic.write_text(tmp_path / "a.txt", "lone \ud800")
    assert (tmp_path / "a.txt").read_bytes() == b"lone \xed\xa0\x80"


def test_a_file_is_written_in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sources, replace = [], os.replace

    def watched(source: str, target: Path) -> None:
        sources.append(Path(source).resolve().parent)
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    monkeypatch.chdir(tmp_path)
    atomic.write_text(Path("a.txt"), "a")
    atomic.write_text(tmp_path / "below" / "b.txt", "b")
    assert sources == [tmp_path, tmp_path / "below"]


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_no_file_stays_open(tmp_path: Path):
    before = open_files()
    for number in range(3):
        atomic.write_text(tmp_path / f"{number}.txt", "text")
    assert open_files() == before


@pytest.mark.parametrize("durable", [True, False])
def test_leaves_the_old_text_and_no_litter_when_the_disk_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool
):
    path = tmp_path / "a.txt"
    atomic.write_text(path, "old")

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        atomic.write_text(path, "new", durable=durable)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


class Disk:
    """What survives a power loss: the content of files and the names in folders, as far as they were synchronized.

    Stands between the code and the real system calls, which are made as well.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.events: list[tuple[str, int]] = []
        fsync, replace, mkdir = os.fsync, os.replace, os.mkdir

        def watched_fsync(descriptor: int) -> None:
            fsync(descriptor)
            self.events.append(("synchronized", os.fstat(descriptor).st_ino))

        def watched_replace(source: str, target: Path) -> None:
            replace(source, target)
            self.events.append(("named", target.stat().st_ino))

        def watched_mkdir(folder: Path, mode: int = 0o777) -> None:
            mkdir(folder, mode)
            self.events.append(("named", folder.stat().st_ino))

        monkeypatch.setattr(os, "fsync", watched_fsync)
        monkeypatch.setattr(os, "replace", watched_replace)
        monkeypatch.setattr(os, "mkdir", watched_mkdir)

    def survives(self, path: Path) -> bool:
        """Whether the content was synchronized before the file got its name, and the name after that."""
        named, content = (self.events.index((what, path.stat().st_ino)) for what in ("named", "synchronized"))
        return content < named and self.name_survives(path)

    def name_survives(self, path: Path) -> bool:
        named = self.events.index(("named", path.stat().st_ino))
        return ("synchronized", path.parent.stat().st_ino) in self.events[named:]


def test_a_durable_text_survives_a_power_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    disk, path = Disk(monkeypatch), tmp_path / "a.txt"
    atomic.write_text(path, "paid for")
    assert disk.survives(path)
    atomic.write_bytes(tmp_path / "b.txt", b"paid for")
    assert disk.survives(tmp_path / "b.txt")


def test_what_another_library_writes_survives_a_power_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    disk, path = Disk(monkeypatch), tmp_path / "new" / "table"
    with atomic.replacing(path) as temporary:
        temporary.write_bytes(b"rows")
    assert disk.survives(path)
    assert disk.name_survives(tmp_path / "new")


def test_folders_that_a_durable_text_needs_survive_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    disk, path = Disk(monkeypatch), tmp_path / "one" / "two" / "a.txt"
    atomic.write_text(path, "paid for")
    assert disk.survives(path)
    assert disk.name_survives(tmp_path / "one" / "two")
    assert disk.name_survives(tmp_path / "one")


def test_what_can_be_made_again_costs_no_synchronized_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    disk, path = Disk(monkeypatch), tmp_path / "a.txt"
    atomic.write_text(path, "derived", durable=False)
    assert not disk.name_survives(path)
    assert disk.events[0] == ("synchronized", path.stat().st_ino)


def test_a_file_that_another_library_writes_is_replaced_at_the_end_or_not_at_all(tmp_path: Path):
    path = tmp_path / "new" / "table"
    with atomic.replacing(path) as temporary:
        temporary.write_bytes(b"first")
        assert not path.exists()
    assert path.read_bytes() == b"first"
    with pytest.raises(ValueError, match="broken"), atomic.replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise ValueError("broken")
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]


def test_what_a_killed_process_of_the_same_number_left_is_not_written_on(tmp_path: Path):
    for name in ("table", "a.txt"):
        (tmp_path / temporary_name(name)).write_bytes(b"half of an earlier one")
    atomic.write_text(tmp_path / "a.txt", "whole")
    assert (tmp_path / "a.txt").read_text() == "whole"
    with atomic.replacing(tmp_path / "table") as temporary:
        assert temporary.name == temporary_name("table")
        assert not temporary.exists()
        temporary.write_bytes(b"whole")
    assert (tmp_path / "table").read_bytes() == b"whole"

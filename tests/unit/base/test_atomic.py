from __future__ import annotations

import os
from pathlib import Path

import pytest

from daydreaming.base import atomic


def test_makes_the_folder_and_keeps_line_ends(tmp_path: Path):
    path = tmp_path / "new" / "a.txt"
    atomic.write_text(path, "é\r\nb\n")
    assert path.read_bytes() == "é\r\nb\n".encode()


def test_leaves_the_old_text_and_no_litter_when_the_disk_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.txt"
    atomic.write_text(path, "old")

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        atomic.write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]

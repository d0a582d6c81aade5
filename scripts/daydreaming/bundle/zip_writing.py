"""A zip file whose bytes depend on nothing but what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

# The first moment that a zip file can name.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_FILE_OF_ALL = 0o100644 << 16
_FOLDER_OF_ALL = 0o40755 << 16 | 0x10  # the bit by which MS-DOS knows a folder
_UNIX = 3


class ZipWriter:
    """Writes files in the order in which they are given."""

    def __init__(self, path: Path):
        self._zip = ZipFile(path, "w", ZIP_DEFLATED)

    def __enter__(self) -> ZipWriter:
        self._zip.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()

    def add_folder(self, name: str) -> None:
        """Write an entry for a folder, whose name ends with a slash: a crate that names a folder has to have one."""
        entry = ZipInfo(name, _MOMENT)
        entry.create_system, entry.external_attr = _UNIX, _FOLDER_OF_ALL
        self._zip.writestr(entry, b"")

    def add(self, name: str, content: bytes) -> None:
        """Write a file."""
        self._zip.writestr(_entry(name), content)

    @contextmanager
    def stream(self, name: str) -> Iterator[IO[bytes]]:
        """Write a file piece by piece."""
        with self._zip.open(_entry(name), "w", force_zip64=True) as stream:
            yield stream


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, _MOMENT)
    entry.compress_type, entry.create_system, entry.external_attr = ZIP_DEFLATED, _UNIX, _FILE_OF_ALL
    return entry

"""A zip file from a stranger, read with distrust: nothing is unpacked before the list of its files was checked."""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.visible_text import visible
from daydreaming.bundle.places import is_plain_name

_CURE = "Do not use this bundle; ask whoever sent it for another one."
_KNOWN_METHODS = (ZIP_STORED, ZIP_DEFLATED)
_DAMAGE = (BadZipFile, OSError, EOFError, NotImplementedError, ValueError, zlib.error)
_IS_ENCRYPTED = 0x1
_LISTED = b"PK\x01\x02"  # begins what the list of a zip file says of one file
# Small files of one letter are packed as tightly as a bomb.
_RATIO_COUNTS_FROM = 4_000_000
_BLOCK = 1 << 20
_HEADER_BYTES = 30  # of each file, at least


@dataclass(frozen=True, slots=True)
class Limits:
    """What an opened bundle may come to: bytes of all files, of one file, of either for each packed byte; files."""

    total_bytes: int = 20_000_000_000
    file_bytes: int = 1_000_000_000
    ratio: int = 200
    files: int = 250_000

    def of(self, packed_bytes: int) -> int:
        """The most bytes that may come out of so many packed ones."""
        return min(self.total_bytes, max(_RATIO_COUNTS_FROM, packed_bytes * self.ratio))


class Archive:
    """The files of a bundle, by name. Use it in a `with` statement. Raises InputError for all that is wrong."""

    def __init__(self, path: Path, limits: Limits):
        self._path, self._limits = path, limits
        self.packed_bytes = path.stat().st_size
        if _listed_files(path) > limits.files:
            raise self.fault(f"it holds more than {limits.files:,} files.")
        try:
            self._zip = ZipFile(path)
        except (BadZipFile, NotImplementedError, ValueError) as error:
            raise self.fault(f"it is no zip file that can be read ({error}).", "Get it again.") from None
        try:
            self.entries: Mapping[str, ZipInfo] = self._checked()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()

    def read(self, name: str, most_bytes: int | None = None) -> bytes:
        """The content of a file. Raises InputError for one that is not there, too large, or damaged."""
        entry = self._entry(name)
        if most_bytes is not None and entry.file_size > most_bytes:
            raise self.fault(f"{visible(name)} in it is larger than {most_bytes:,} bytes.")
        try:
            return self._zip.read(entry)
        except _DAMAGE as error:
            raise self.fault(f"{visible(name)} in it is damaged ({error}).", "Get it again.") from None

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a file. Raises as `read`."""
        entry = self._entry(name)
        longest = self._limits.file_bytes
        try:
            with self._zip.open(entry) as stream:
                while line := stream.readline(longest):
                    if len(line) >= longest:
                        raise self.fault(f"{visible(name)} in it has a line of more than {longest:,} bytes.")
                    yield line
        except _DAMAGE as error:
            raise self.fault(f"{visible(name)} in it is damaged ({error}).", "Get it again.") from None

    def fault(self, problem: str, cure: str = _CURE) -> InputError:
        """What is wrong with the bundle, as an error to raise."""
        return InputError(Fault(str(self._path), problem, cure))

    def _entry(self, name: str) -> ZipInfo:
        if name not in self.entries:
            raise self.fault(f"there is no {visible(name)} in it: it is no bundle of a study.", "Give a bundle.")
        return self.entries[name]

    def _checked(self) -> dict[str, ZipInfo]:
        """The files by name. What is said of sizes here holds: no more than that is ever unpacked of a file."""
        entries: dict[str, ZipInfo] = {}
        names: set[str] = set()
        packed = unpacked = 0
        for entry in self._zip.infolist():
            self._check_entry(entry)
            if entry.is_dir():
                continue  # folders are made where files need them
            # On some systems two names that differ in case are one.
            if entry.filename.casefold() in names:
                raise self.fault(f"{visible(entry.filename)} is in it twice.")
            names.add(entry.filename.casefold())
            packed += entry.compress_size + _HEADER_BYTES
            unpacked += entry.file_size
            entries[entry.filename] = entry
        if packed > self.packed_bytes:
            raise self.fault("files in it share their bytes, as in a bomb.")
        if unpacked > self._limits.of(self.packed_bytes):
            raise self.fault(f"it would come to {unpacked:,} bytes from {self.packed_bytes:,}, as a bomb does.")
        return entries

    def _check_entry(self, entry: ZipInfo) -> None:
        name = visible(entry.orig_filename)[:200]
        # Python cuts a name at a NUL; other programs do not.
        if entry.filename != entry.orig_filename or not is_plain_name(entry.filename.removesuffix("/")):
            raise self.fault(f"it holds a file that would lie outside of the folder, or be hidden: {name!r}.")
        # Not all programs that make zip files name a kind.
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG):
            raise self.fault(f"{name} in it is no ordinary file (a link, a device).")
        if entry.flag_bits & _IS_ENCRYPTED or entry.compress_type not in _KNOWN_METHODS:
            raise self.fault(f"{name} in it is packed in a way that bundles are not.")
        if entry.file_size > self._limits.of(entry.compress_size):
            raise self.fault(f"{name} in it would come to {entry.file_size:,} bytes, as a bomb does.")


def _listed_files(path: Path) -> int:
    """How many files a zip file may list, counted before a library makes an object of each."""
    found, before = 0, b""
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            found += (before + block).count(_LISTED)
            before = block[1 - len(_LISTED) :]
    return found

"""Opening a bundle: a folder in which the workflow that is installed here makes its results again.

Nothing of a bundle is run: its rules stay in it, its settings make no call, and of its files only texts are written.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

import msgspec

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.identifiers import is_valid_id
from daydreaming.base.temporary_files import temporary_name
from daydreaming.base.visible_text import visible
from daydreaming.bundle.archive import Archive, Limits
from daydreaming.bundle.configuration import commands_of, opened_configuration
from daydreaming.bundle.manifest import CONFIGURATION, CRATE, FORMAT, GENERATIONS, MANIFEST, Manifest, Scope
from daydreaming.bundle.pieces import StoredFile, TooLargeError, restored
from daydreaming.bundle.places import Place, is_plain_name, place_of

# What an opened folder keeps of its bundle, to be compared with what is made of it.
KEPT = "bundle"
DIGESTS = "texts.json"
_MOST_MANIFEST_BYTES = 500_000_000
_PROFILE = "profiles/default/config.yaml"
# The tables of bundles whose texts are not there to make them again from.
_TABLES = ".csv"


@dataclass(frozen=True, slots=True)
class Opened:
    """What came out of a bundle. `commands` are those of its settings, which nothing runs while calls are off."""

    folder: Path
    manifest: Manifest
    files: int
    bytes: int
    commands: Sequence[str]


def open_bundle(bundle: Path, folder: Path, project: Path, limits: Limits | None = None) -> Opened:
    """Unpack a bundle into a folder, which must not exist or be empty. `project` is the workflow that is to work on it.

    Raises InputError for whatever is wrong with the bundle, and where the folder is not empty; OSError when the disk
    refuses. Then there is no folder, or it is empty as before.
    """
    limits = limits or Limits()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(Fault(str(folder), "there is something already.", "Give a folder that does not exist."))
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(temporary_name(folder.name))
    with Archive(bundle, limits) as archive:
        manifest = _manifest(archive)
        temporary.mkdir()
        try:
            opening = _Opening(archive, manifest, temporary, limits)
            opening.write_all()
            if manifest.scope is Scope.ALL:
                _write_workflow(temporary, project)
            temporary.rename(folder)  # replaces an empty folder
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return Opened(folder, manifest, opening.files, opening.bytes, opening.commands)


class _Opening:
    """The writing of one bundle's files to a folder that nobody else uses."""

    def __init__(self, archive: Archive, manifest: Manifest, folder: Path, limits: Limits):
        self.files = self.bytes = 0
        self.commands: Sequence[str] = ()
        self._archive, self._manifest, self._folder = archive, manifest, folder
        self._most_bytes, self._most_of_file = limits.of(archive.packed_bytes), limits.file_bytes
        self._written: dict[str, str] = {}  # the first file of each content
        self._names: set[str] = set()
        self._text_of = lru_cache(maxsize=256)(self._read_text)

    def write_all(self) -> None:
        manifest, archive = self._manifest, self._archive
        settings = opened_configuration(archive.read(CONFIGURATION).decode("utf-8", "replace"), manifest.cohort)
        self._write(CONFIGURATION, settings.encode())
        self.commands = commands_of(settings)
        for name, sha256 in manifest.inputs.items():
            self._write_of_study(Place.INPUT, name, archive.read(name), sha256)
        digests = dict(self._generations()) if manifest.generations else {}
        if manifest.scope is not Scope.ALL:
            for name, sha256 in manifest.results.items():
                if PurePosixPath(name).suffix == _TABLES:
                    self._write_of_study(Place.RESULT, name, archive.read(name), sha256)
        for name in (MANIFEST, CRATE):
            self._write(f"{KEPT}/{name}", archive.read(name))
        self._write(f"{KEPT}/{DIGESTS}", msgspec.json.encode(digests))

    def _generations(self) -> Iterator[tuple[str, str]]:
        """Write the files of the generations; yield the name and the digest of each text."""
        decoder, number = msgspec.json.Decoder(StoredFile), 0
        for number, line in enumerate(self._archive.lines(GENERATIONS), start=1):
            if number > self._manifest.generations:
                raise self._archive.fault(f"{GENERATIONS} in it has more lines than it says.")
            try:
                stored = decoder.decode(line)
                content = restored(stored, self._text_of, self._most_of_file)
            except TooLargeError:
                problem = f"{GENERATIONS} in it, line {number}, would come to more than {self._most_of_file:,} bytes."
                raise self._archive.fault(problem) from None
            except (msgspec.MsgspecError, KeyError, ValueError, RecursionError) as error:
                problem = f"{GENERATIONS} in it, line {number}, cannot be read ({type(error).__name__}: {error})."
                raise self._archive.fault(problem, "Get it again.") from None
            self._write_of_study(Place.GENERATION, stored.name, content, None)
            self._written.setdefault(stored.sha256, stored.name)
            if stored.name.endswith(".txt"):
                yield stored.name, stored.sha256
        if number < self._manifest.generations:
            raise self._archive.fault(f"{GENERATIONS} in it has fewer lines than it says.", "Get it again.")

    def _write_of_study(self, place: Place, name: str, content: bytes, sha256: str | None) -> None:
        if place_of(name, self._manifest.cohort) is not place:
            raise self._archive.fault(f"a study has no file at {visible(name)[:200]!r}.")
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise self._archive.fault(f"{name} in it is not the file that {MANIFEST} names.", "Get it again.")
        self._write(name, content)

    def _write(self, name: str, content: bytes) -> None:
        if name.casefold() in self._names:
            raise self._archive.fault(f"{visible(name)[:200]} is in it twice.")
        self._names.add(name.casefold())
        self.files, self.bytes = self.files + 1, self.bytes + len(content)
        if self.bytes > self._most_bytes:
            raise self._archive.fault(f"it comes to more than {self._most_bytes:,} bytes, as a bomb does.")
        path = f"{self._folder}/{name}"
        try:
            stream = open(path, "xb")  # noqa: PTH123, SIM115  (there are many)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
            stream = open(path, "xb")  # noqa: PTH123, SIM115
        with stream:
            stream.write(content)

    def _read_text(self, sha256: str) -> str:
        return (self._folder / self._written[sha256]).read_bytes().decode("utf-8")


def read_manifest(content: bytes, place: str) -> Manifest:
    """The manifest of a bundle. Raises InputError for one that cannot be read, or is of a later format."""
    cure = "Give a bundle that scripts/bundle.py has written."
    try:
        form = msgspec.json.decode(content, type=dict[str, object]).get("format")
        if form != FORMAT:
            newer = f"it is of format {form!r}, and this version reads format {FORMAT}."
            raise InputError(Fault(place, newer, "Open it with the version that its README.md names."))
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(Fault(place, f"it cannot be read ({error}).", cure)) from None
    if not is_valid_id(manifest.cohort) or not is_plain_name(manifest.cohort):
        raise InputError(Fault(place, f"{visible(manifest.cohort)[:200]!r} is no name of a cohort.", cure))
    # They are looked for when the folder is compared.
    for name in manifest.results:
        if place_of(name, manifest.cohort) is not Place.RESULT:
            raise InputError(Fault(place, f"a study has no result at {visible(name)[:200]!r}.", cure))
    return manifest


def _manifest(archive: Archive) -> Manifest:
    return read_manifest(archive.read(MANIFEST, _MOST_MANIFEST_BYTES), f"{MANIFEST} of the bundle")


def _write_workflow(folder: Path, project: Path) -> None:
    """The Snakefile and the profile of an opened folder: ours, for the workflow that lies in `project`."""
    snakefile = (Path(__file__).parent / "opened.smk").read_text(encoding="utf-8")
    (folder / "Snakefile").write_text(snakefile.replace('"PROJECT"', repr(str(project))), encoding="utf-8")
    profile = folder / _PROFILE
    profile.parent.mkdir(parents=True)
    shutil.copyfile(project / _PROFILE, profile)

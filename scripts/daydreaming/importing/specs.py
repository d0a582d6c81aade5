"""The specs of a source folder's cohorts, each with the files that it names: their texts, and whether they come."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daydreaming.base.errors import Fault, InputError
from daydreaming.importing.catalog_entries import NewFile, file_in_the_way
from daydreaming.importing.source import SourceFolder
from daydreaming.inputs.cohort_spec.models import FILE
from daydreaming.inputs.cohort_spec.spec_files import spec_file
from daydreaming.inputs.cohort_spec.yaml_lines import read_document
from daydreaming.inputs.settings import Settings

_PLACES = ("spec/config.yaml", "spec.yaml")
COHORTS = "cohorts"


@dataclass(frozen=True)
class SourceSpec:
    """A spec of the source: its file there, and its text with those of the files it names, by path below the data.

    The spec itself comes last: where it is, all that it names is.
    """

    cohort_id: str
    file: Path
    texts: Mapping[Path, str]


def find_spec(folder: Path) -> Path | None:
    """The file of a cohort's spec, None if it has none that is read here. Raises InputError where it has two."""
    there = [folder / place for place in _PLACES if (folder / place).is_file()]
    if len(there) > 1:
        raise InputError(Fault(str(there[1]), f"the cohort has another spec, {there[0]}.", "Keep one of the two."))
    return there[0] if there else None


def read_spec(source: SourceFolder, cohort_id: str, file: Path, trial: Path) -> SourceSpec:
    """Read a spec and what it names, and write them below the folder `trial`, as they lie below the source's data.

    A file that it names and that is not there is said where the spec is read. Raises InputError.
    """
    own = file.relative_to(source.root)
    texts = {own: source.text(file)}
    _write(trial / own, texts[own])
    for name in _names(read_document(trial / own).value):
        place = Path(os.path.normpath(file.parent / name))
        if not place.is_file():
            continue
        if not place.is_relative_to(source.root / COHORTS):
            problem = f"the file {name!r} that it names lies outside of {source.root / COHORTS}."
            raise InputError(Fault(str(file), problem, "Put a copy of it beside the spec, and name that."))
        texts[place.relative_to(source.root)] = source.text(place)
        _write(trial / place.relative_to(source.root), texts[place.relative_to(source.root)])
    return SourceSpec(cohort_id, file, {path: texts[path] for path in reversed(texts)})


def spec_here(settings: Settings, spec: SourceSpec) -> Path | None:
    """The spec that the cohort has here and that is another one than that of the source, None if there is none.

    Raises InputError where there are two.
    """
    own = spec_file(settings.paths.cohort(spec.cohort_id))
    if own is None:
        return None
    homes = {settings.paths.root / path: text for path, text in spec.texts.items()}
    same = own in homes and all(home.is_file() and not file_in_the_way(home, text) for home, text in homes.items())
    return None if same else own


def files_of(source: SourceFolder, settings: Settings, spec: SourceSpec) -> Sequence[NewFile]:
    """The files of a spec that are not here yet. Raises InputError for one that has another in its way."""
    files = [NewFile(settings.paths.root / path, text) for path, text in spec.texts.items()]
    faults = [
        Fault(
            str(file.path),
            f"has another text than {source.root / path}.",
            "Rename one of them, and name it so in the spec; nothing here is overwritten.",
        )
        for path, file in zip(spec.texts, files, strict=True)
        if file_in_the_way(file.path, file.text)
    ]
    if faults:
        raise InputError(faults)
    return [file for file in files if not file.path.exists()]


def _names(value: Any) -> Iterator[str]:
    """The files that a spec names, in the order of its lines."""
    if isinstance(value, str) and value.startswith(FILE):
        yield value.removeprefix(FILE).strip()
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _names(one)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")

"""Whether a generation of a source folder is here already, or another one has its name."""

from __future__ import annotations

import hashlib
from enum import Enum
from pathlib import Path

from daydreaming.base.paths import DataPaths
from daydreaming.generation.adopted_texts import AdoptedTexts
from daydreaming.importing.generations import SourceGeneration
from daydreaming.importing.source import SourceFolder
from daydreaming.ledger.metadata import read_metadata


class Place(Enum):
    """What lies where a generation would be written."""

    FREE = "nothing"
    HERE = "the same generation"
    TAKEN = "another generation"


def mark_of(source: SourceFolder, generation: SourceGeneration) -> str:
    """What the record of a generation says of where it came from."""
    return (source.root / "gens" / generation.stage / generation.gen_id).as_posix()


def place_of(paths: DataPaths, source: SourceFolder, generation: SourceGeneration) -> Place:
    """Say what lies in the folder of a generation. Raises OSError.

    One that came before is here also when it was made again since: the user said so then, and its texts are kept.
    """
    files = paths.generation(*generation.key)
    if not files.folder.exists() or not any(files.folder.iterdir()):
        return Place.FREE
    parsed, raw = generation.texts.get("parsed.txt"), generation.texts.get("raw.txt")
    if parsed is not None and _sha256(files.parsed) == parsed:
        return Place.HERE
    if parsed is None and _sha256(files.raw) == raw:
        return Place.HERE
    came_before = read_metadata(files.metadata).metadata.imported_from == mark_of(source, generation)
    was_kept = parsed is not None and AdoptedTexts(paths, generation.key).parsed_with(parsed) is not None
    return Place.HERE if came_before or was_kept else Place.TAKEN


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None

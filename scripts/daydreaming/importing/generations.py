"""The generations of a source folder as they lie there, in both dialects of their records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daydreaming.base.errors import Fault, InputError
from daydreaming.importing.source import SourceFolder
from daydreaming.inputs.stages import DEFAULT_STAGES
from daydreaming.inputs.tables import identifier_problem
from daydreaming.ledger.metadata import Metadata, Origin, parse_metadata

Key = tuple[str, str]
TEXTS = ("prompt.txt", "raw.txt", "parsed.txt")
_IDENTITY = ("stage", "gen_id", "template_id", "parent_gen_id", "combo_id", "llm_model_id", "model_id", "replicate")
# What the record of the call says besides, where a generation has one of its own for it.
_OF_THE_CALL = ("finish_reason", "usage", "duration_s", "truncated")


@dataclass(frozen=True)
class SourceGeneration:
    """A generation of the source: its record (`values` as they stand there), and the SHA-256 of each text in UTF-8.

    Without a metadata.json `values` is empty. Empty texts are none.
    """

    stage: str
    gen_id: str
    folder: Path
    values: Mapping[str, Any]
    record: Metadata
    texts: Mapping[str, str]

    @property
    def key(self) -> Key:
        """Stage and gen_id."""
        return self.stage, self.gen_id

    @property
    def cohorts(self) -> frozenset[str]:
        """The cohorts that its record names."""
        named = (self.values.get(name) for name in ("cohort_id", "origin_cohort_id"))
        return frozenset(name for name in named if isinstance(name, str))

    @property
    def is_copy(self) -> bool | None:
        """Whether it was copied; None where neither its record says so nor a model or a reply of its own."""
        if self.values.get("skip_llm") is True or self.record.mode == "copy":
            return True
        stated = "skip_llm" in self.values or self.record.mode or self.record.catalog_model
        return False if stated or "raw.txt" in self.texts else None

    @property
    def is_cut_off(self) -> bool:
        """Whether its record says that the reply has no end."""
        return self.record.finish_reason == "length" or self.values.get("truncated") is True

    @property
    def has_text(self) -> bool:
        """Whether there is a text to bring in: a parsed one, or a whole reply to read it from."""
        if self.record.failed:
            return False
        return "parsed.txt" in self.texts or ("raw.txt" in self.texts and not self.is_cut_off)


@dataclass
class SourceGenerations:
    """What was found, what cannot be used and why, and the faults of its files."""

    found: dict[Key, SourceGeneration] = field(default_factory=dict)
    left_out: dict[Key, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read_generations(source: SourceFolder) -> SourceGenerations:
    """Look at every generation of a source folder. Raises OSError for a folder that cannot be listed."""
    reading = SourceGenerations()
    for stage in DEFAULT_STAGES.names:
        for folder in _folders(source.root / "gens" / stage):
            key = (stage, folder.name)
            if problem := identifier_problem(folder.name):
                reading.left_out[key] = problem.rstrip(".")
                continue
            try:
                reading.found[key] = _read(source, stage, folder)
            except _UnusableError as error:
                reading.left_out[key] = str(error)
            except InputError as error:
                reading.left_out[key] = "a file of it cannot be read"
                reading.faults += error.faults
    return reading


class _UnusableError(Exception):
    """A generation that nobody can say of what it was made from."""


def _folders(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if path.is_dir())


def _read(source: SourceFolder, stage: str, folder: Path) -> SourceGeneration:
    path = folder / "metadata.json"
    values: dict[str, Any] = {}
    record = Metadata()
    if path.exists():
        values = {**_json(source, folder / "raw_metadata.json", _OF_THE_CALL), **_json(source, path)}
        values.pop("version", None)  # of whatever; here it is the version of our own records
        record = _record(values)
        if (record.stage or stage, record.gen_id or folder.name) != (stage, folder.name):
            raise _UnusableError(f"its metadata.json is that of {record.stage} {record.gen_id}")
    texts = {}
    for name in TEXTS:
        if (folder / name).exists():
            content = source.content(folder / name)
            if content.strip():
                texts[name] = hashlib.sha256(content).hexdigest()
    if not values and not texts:
        raise _UnusableError("its folder has neither a metadata.json nor a text")
    return SourceGeneration(stage, folder.name, folder, values, record, texts)


def _json(source: SourceFolder, path: Path, only: tuple[str, ...] = ()) -> dict[str, Any]:
    """The values of a record, or those of them that are asked for."""
    if only and not path.exists():
        return {}
    try:
        values = json.loads(source.text(path))
    except (ValueError, RecursionError) as error:
        raise _UnusableError(f"its {path.name} is damaged ({error})") from error
    if not isinstance(values, dict):
        raise _UnusableError(f"its {path.name} holds no record")
    return {name: value for name, value in values.items() if not only or name in only}


def _record(values: Mapping[str, Any]) -> Metadata:
    """What a record says, as far as its values are understood."""
    if values.get("fingerprint"):
        raise _UnusableError("a run of this workflow made it: bring its data/gens and data/replies together instead")
    # The name of the template is what makes a JSON object a record; a row of a table may say it as well.
    reading = parse_metadata(json.dumps({"template_id": None, **values}).encode())
    if reading.origin is not Origin.FOREIGN:
        raise _UnusableError(f"its record cannot be used ({reading.problem})")
    unclear = [name for name in _IDENTITY if name in reading.not_understood]
    if unclear:
        raise _UnusableError(f"its metadata.json has a {' and a '.join(unclear)} of a type that is not understood")
    return reading.metadata


def check_text(source: SourceFolder, generation: SourceGeneration, name: str) -> bytes:
    """Return a text as it is to be written. Raises InputError if it is not the one that was looked at."""
    path = generation.folder / name
    content = source.content(path)
    if hashlib.sha256(content).hexdigest() != generation.texts[name]:
        raise InputError(Fault(str(path), "changed while the folder was brought in.", "Start again."))
    return content

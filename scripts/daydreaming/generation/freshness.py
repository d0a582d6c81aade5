"""Which generations are certainly up to date, so that Snakemake need not be asked about them.

Building Snakemake's graph costs more than half a millisecond a job, and the commonest run has nothing to do. A record
says for each generation what it was made from and what came out, all by content: its specification, its parent's text,
its own text. A generation that still matches its record, and whose parent does, is certain. Everything else is left to
Snakemake. The check is stricter than Snakemake's own: what it calls certain, Snakemake would not make again.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from daydreaming.base.atomic import write_bytes
from daydreaming.base.locks import locked_file
from daydreaming.generation.study import Study
from daydreaming.inputs.records import Generation

# Snakemake compares larger files by time, not by content.
LARGEST_CERTAIN_BYTES = 1_000_000
DIGEST_CHARACTERS = 16

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Made:
    """What a generation was made from, and what came out: digests of its specification and of two texts."""

    specification: str
    parent: str
    parsed: str


class FreshnessRecord:
    """The record of a data root: lines of JSON, appended as generations are made; the last line of each counts."""

    def __init__(self, path: Path):
        self._path = path
        self._descriptor: int | None = None
        self._guard = threading.Lock()

    def load(self) -> dict[Key, Made]:
        """Read the record; a line that a crash tore is as if it were not there."""
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        made = {}
        for line in lines:
            try:
                stage, gen_id, *digests = orjson.loads(line)
                made[stage, gen_id] = Made(*digests)
            except (ValueError, TypeError):
                continue
        if len(lines) > 2 * len(made) + 1000:
            write_bytes(self._path, b"".join(_line(key, value) for key, value in made.items()))
        return made

    def append(self, made: Mapping[Key, Made]) -> None:
        """Add generations. Under a lock: on NFS, two machines that append to a file may write to the same place."""
        with self._guard:
            if self._descriptor is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            with locked_file(self._descriptor):
                os.write(self._descriptor, b"".join(_line(key, value) for key, value in made.items()))

    def close(self) -> None:
        """Close the file."""
        with self._guard:
            if self._descriptor is not None:
                os.close(self._descriptor)
            self._descriptor = None


@dataclass(frozen=True)
class Inspection:
    """What a look at all generations of a cohort found, at one moment before Snakemake looks."""

    certain: frozenset[Key]
    found: Mapping[Key, Made] = field(repr=False)
    changed_at_ns: Mapping[Key, int] = field(repr=False)

    def confirmed(self, keys: Iterable[Key]) -> dict[Key, Made]:
        """What was found of generations that Snakemake has since called up to date, to be recorded."""
        return {key: self.found[key] for key in keys if key in self.found and key not in self.certain}


def inspect_cohort(study: Study, record: Mapping[Key, Made]) -> Inspection:
    """Look at the text of every generation of a study's cohort and compare it with the record."""
    texts: dict[Key, tuple[str, int]] = {}
    found: dict[Key, Made] = {}
    certain: set[Key] = set()
    # Parents come before their children: drafts, essays, evaluations.
    for stage in ("draft", "essay", "evaluation"):
        for generation in study.membership.stage(stage):
            key = (stage, generation.gen_id)
            text = _digest_of_file(study.paths.parsed_text(*key))
            parent = _parent_key(generation)
            if text is None or (parent is not None and parent not in texts):
                continue
            texts[key] = text
            parent_digest = texts[parent][0] if parent else ""
            found[key] = Made(text_digest(study.specification(*key).fingerprint().encode()), parent_digest, text[0])
            if found[key] == record.get(key) and (parent is None or parent in certain):
                certain.add(key)
    return Inspection(frozenset(certain), found, {key: changed_at for key, (_, changed_at) in texts.items()})


def text_digest(content: bytes) -> str:
    """A short name of a content."""
    return hashlib.sha256(content).hexdigest()[:DIGEST_CHARACTERS]


def _parent_key(generation: Generation) -> Key | None:
    parents = {"essay": "draft", "evaluation": "essay"}
    return (parents[generation.stage], generation.parent_gen_id) if generation.stage in parents else None


def _digest_of_file(path: str) -> tuple[str, int] | None:
    """The digest of a text and when it was changed (nanoseconds); None where there is none, or one too large."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        content = os.read(descriptor, LARGEST_CERTAIN_BYTES + 1)
        if len(content) > LARGEST_CERTAIN_BYTES:
            return None
        return text_digest(content), os.fstat(descriptor).st_mtime_ns
    finally:
        os.close(descriptor)


def _line(key: Key, made: Made) -> bytes:
    return orjson.dumps([*key, made.specification, made.parent, made.parsed]) + b"\n"

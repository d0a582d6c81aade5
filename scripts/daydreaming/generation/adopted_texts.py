"""Texts that have no stored reply of ours, kept among the replies before anything replaces them."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from daydreaming.base.atomic import write_bytes
from daydreaming.base.paths import DataPaths, GenerationFiles
from daydreaming.generation.specification import Key

VERSION = 1


class AdoptedTexts:
    """`data/replies/adopted/<stage>/<gen_id>/<sha256>.json`: the files of a generation as they were found.

    A file is named by the texts that it holds, and is written once. Nothing in it is changed or deleted.
    """

    def __init__(self, paths: DataPaths, key: Key):
        self._key = key
        self._folder = paths.adopted_texts / key[0] / key[1]

    def keep(self, files: GenerationFiles) -> Path:
        """Keep what lies in the folder of a generation. Raises OSError when the disk refuses."""
        contents = {path.name: _bytes(path) for path in (files.prompt, files.raw, files.parsed, files.metadata)}
        path = self._folder / f"{_name(contents['raw.txt'], contents['parsed.txt'])}.json"
        if not path.exists():
            values = {
                "version": VERSION,
                "stage": self._key[0],
                "gen_id": self._key[1],
                "adopted_at": time.time(),
                "files": {name: _as_json(content) for name, content in contents.items() if content is not None},
            }
            write_bytes(path, orjson.dumps(values, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return path

    def parsed_with(self, sha256: str) -> bytes | None:
        """Return the kept parsed.txt that has this SHA-256; None if none is kept."""
        for content in self._kept("parsed.txt"):
            if hashlib.sha256(content).hexdigest() == sha256:
                return content
        return None

    def _kept(self, name: str) -> Iterator[bytes]:
        for path in sorted(self._folder.glob("*.json")):
            try:
                content = _from_json(orjson.loads(path.read_bytes())["files"].get(name))
            except (OSError, ValueError, TypeError, KeyError, AttributeError):
                continue
            if content is not None:
                yield content


def _name(raw: bytes | None, parsed: bytes | None) -> str:
    digest = hashlib.sha256()
    for content in (raw, parsed):
        digest.update(b"-" if content is None else hashlib.sha256(content).digest())
    return digest.hexdigest()


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _as_json(content: bytes) -> dict[str, str]:
    try:
        return {"text": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode("ascii")}


def _from_json(value: Any) -> bytes | None:
    if value is None:
        return None
    if isinstance(value.get("text"), str):
        return bytes(value["text"], "utf-8")
    return base64.b64decode(value["base64"])

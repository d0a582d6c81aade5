"""A small state that several processes share: a JSON object in a file."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from daydreaming.base.locks import locked_file

STATE_BYTES = 4096


class SharedState:
    """A small JSON object in a file that several processes read and change."""

    def __init__(self, path: Path):
        self._path = path
        self._descriptor: int | None = None
        self._seen: tuple[bytes, dict[str, Any]] = (b"", {})
        # The lock of the file is one for all threads of a process.
        self._guard = threading.Lock()

    def _open(self) -> int:
        if self._descriptor is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        return self._descriptor

    def read(self) -> Mapping[str, Any]:
        """The state now."""
        # Not the time of the last change tells what is new: two changes can have the same.
        text = os.pread(self._open(), STATE_BYTES, 0)
        if text != self._seen[0]:
            self._seen = (text, _parse(text))
        return self._seen[1]

    @contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """Hold the state, change the yielded dict, and write it when the block ends without an error."""
        descriptor = self._open()
        with self._guard, locked_file(descriptor):
            state = _parse(os.pread(descriptor, STATE_BYTES, 0))
            yield state
            # Padded, so that one write replaces the old text whole: a reader never sees parts of two states.
            os.pwrite(descriptor, orjson.dumps(state).ljust(STATE_BYTES // 4), 0)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None


def _parse(text: bytes) -> dict[str, Any]:
    try:
        state = orjson.loads(text)
    except ValueError:
        return {}
    return state if isinstance(state, dict) else {}

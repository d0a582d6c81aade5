"""Files that are read once for as long as they are the same: one template serves thousands of generations."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

# A file that has just been changed may be changed once more within the grain of its time stamp.
SETTLED_AFTER_NS = 2_000_000_000

Content = TypeVar("Content")


class UnchangedFiles(Generic[Content]):
    """What was read from files. A file is read again when its time of change, its size or its inode is another one."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, int, int], Content]] = {}

    def content(self, path: Path | str, read: Callable[[], Content]) -> Content:
        """Return what `read` made of the file as it is now, or call it; raises what it raises."""
        try:
            found = os.stat(path)  # noqa: PTH116  (Path.stat takes longer than the system call)
        except OSError:
            return read()  # it says what is wrong
        state = (found.st_mtime_ns, found.st_size, found.st_ino)
        known = self._known.get(str(path))
        if known is not None and known[0] == state:
            return known[1]
        content = read()
        if time.time_ns() - found.st_mtime_ns > SETTLED_AFTER_NS:
            self._known[str(path)] = (state, content)
        return content

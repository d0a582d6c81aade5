"""Whether anything makes generations in a data folder: what moves or adds whole folders must not do so meanwhile."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.paths import DataPaths

# Snakemake keeps its locks here, in the project folder, for as long as a run goes on.
SNAKEMAKE_LOCKS = Path(".snakemake") / "locks"


class DataInUse:
    """Says, for as long as it is open, that this process makes generations. Waits for one that has them at rest."""

    def __init__(self, paths: DataPaths):
        self._descriptor: int | None = None
        # On a file system without locks, or one that is read only, Snakemake's own lock is all that there is.
        with suppress(OSError):
            self._descriptor = _open(paths)
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def close(self) -> None:
        """Say that this process is done."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@contextmanager
def data_at_rest(paths: DataPaths) -> Iterator[None]:
    """Keep every process from making generations. Raises InputError while one does; OSError without locks.

    A run of Snakemake in this project counts even where none of its processes makes anything at the moment.
    """
    if SNAKEMAKE_LOCKS.is_dir() and any(SNAKEMAKE_LOCKS.iterdir()):
        cure = "Wait for its end; after one that was killed, `snakemake --unlock`."
        raise InputError(Fault(str(SNAKEMAKE_LOCKS), "a run of Snakemake goes on here.", cure))
    descriptor = _open(paths)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            problem = "a process makes generations in this data folder."
            raise InputError(Fault(str(paths.root), problem, "Wait for its end.")) from None
        yield
    finally:
        os.close(descriptor)


def _open(paths: DataPaths) -> int:
    paths.replies.mkdir(parents=True, exist_ok=True)
    return os.open(paths.replies / ".in_use.lock", os.O_RDWR | os.O_CREAT, 0o666)

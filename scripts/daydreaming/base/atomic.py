"""Writing a file so that a reader, or a crash, sees the old text or the new text and nothing between."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

# What another machine has not finished writing after this time, nobody will finish.
ABANDONED_AFTER_S = 3600.0
HOST = os.uname().nodename


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace the content of `path` by `text` (UTF-8, line ends as given). See `write_bytes`."""
    write_bytes(path, encoded(text), durable=durable)


def encoded(text: str) -> bytes:
    """A text as it is written. A model may send lone surrogates; what it said reaches the disk whatever it is."""
    return text.encode("utf-8", errors="surrogatepass")


def write_bytes(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace the content of `path`, making its folder if there is none.

    The content is on the disk before the name points to it. `durable` also makes the rename itself survive a power
    loss: for what cannot be made again. Raises OSError when the disk refuses; `path` is unchanged then.
    """
    # Texts and not paths: this runs five times for every generation.
    folder, name = os.path.split(path)
    temporary = f"{folder or '.'}/.{name}@{HOST}.{os.getpid()}.{threading.get_ident()}.tmp"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        try:
            write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of `content` to an open file, in as many steps as it takes."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary files that processes left in a folder when they were killed, and no others."""
    with suppress(OSError):
        for path in folder.glob(".*.tmp"):
            if _is_abandoned(path):
                path.unlink(missing_ok=True)


def _is_abandoned(path: Path) -> bool:
    """Whether the process that a temporary file is named by is gone; one of another machine cannot be asked."""
    name, _, rest = path.name.removesuffix(".tmp").rpartition(".")
    name, _, process = name.rpartition(".")
    if not (process.isdecimal() and rest.isdecimal()):
        return False
    # Without a host's name it is of an earlier version, which named none.
    if "@" in name and not name.endswith(f"@{HOST}"):
        return time.time() - path.stat().st_mtime > ABANDONED_AFTER_S
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        pass
    return False


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Writing a file so that a reader, or a crash, sees the old text or the new text and nothing between."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daydreaming.base.temporary_files import temporary_name


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace the content of `path` by `text` (UTF-8, line ends as given). See `write_bytes`."""
    write_bytes(path, encoded(text), durable=durable)


def encoded(text: str) -> bytes:
    """A text as it is written. A model may send lone surrogates; what it said reaches the disk whatever it is."""
    return text.encode("utf-8", errors="surrogatepass")


def write_bytes(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace the content of `path`, making its folder if there is none.

    The content is on the disk before the name points to it. `durable` also makes the rename itself, and folders that
    were made for it, survive a power loss: for what cannot be made again. Raises OSError when the disk refuses; `path`
    is unchanged then.
    """
    # Texts and not paths: this runs five times for every generation.
    folder, name = os.path.split(path)
    temporary = f"{folder or '.'}/{temporary_name(name)}"
    changed_folders = [path.parent]
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    except FileNotFoundError:
        if durable:
            changed_folders += make_folder(path.parent)
        else:
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
        for changed in changed_folders:
            sync_folder(changed)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file to write in place of `path`, which it replaces at the end; after an error `path` is unchanged.

    For what other libraries write by themselves. Raises OSError when the disk refuses.
    """
    changed_folders = [path.parent, *make_folder(path.parent)]
    temporary = path.with_name(temporary_name(path.name))
    temporary.unlink(missing_ok=True)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    for changed in changed_folders:
        sync_folder(changed)


def make_folder(folder: Path) -> list[Path]:
    """Make a folder and those above it that are missing; return the folders that got a new name, for `sync_folder`."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return [one.parent for one in missing]


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of `content` to an open file, in as many steps as it takes."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The texts of a generation as its record says that they were written; what somebody edited is nobody's text."""

from __future__ import annotations

import hashlib
from pathlib import Path


def written_bytes(path: Path, sha256: str | None) -> bytes | None:
    """The content of a file; None where it cannot be read, or is not what was written.

    `sha256` is the digest of what was written; None where no record says it: then the file is believed.
    """
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if sha256 is None or hashlib.sha256(content).hexdigest() == sha256 else None


def written_text(path: Path, sha256: str | None) -> str | None:
    """The same as text; what is not UTF-8 is replaced."""
    content = written_bytes(path, sha256)
    return None if content is None else content.decode("utf-8", errors="replace")

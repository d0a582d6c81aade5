"""Names of the temporary files of atomic writes, and which of those that lie about no process will ever finish."""

from __future__ import annotations

import os
import re
import threading
import time
from functools import cache
from pathlib import Path

SUFFIX = ".tmp"
# A file is written within moments. Process numbers of another machine (or container) cannot be looked up from here.
ABANDONED_HERE_S = 10 * 60
ABANDONED_ELSEWHERE_S = 24 * 60 * 60
_LONGEST_MACHINE_NAME = 32
_NAME = re.compile(r"\..+\.(?P<machine>[A-Za-z0-9-]*)\.(?P<process>\d+)\.\d+\.tmp")


def temporary_name(name: str) -> str:
    """Name the temporary file of `name` by who writes it: this machine, process and thread."""
    return f".{name}.{_machine()}.{os.getpid()}.{threading.get_ident()}{SUFFIX}"


def abandoned_files(folder: Path) -> list[Path]:
    """Return the temporary files in a folder whose writers are gone; they may be deleted. Empty without the folder.

    A file counts as abandoned ten minutes after its last write if its process has ended (or its number belongs to a
    process that began after that write), and a day after it if another machine wrote it. Raises OSError when the
    folder cannot be read.
    """
    try:
        files = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    return [file for file in files if file.suffix == SUFFIX and _is_abandoned(file)]


def remove_abandoned_files(folder: Path) -> None:
    """Delete what `abandoned_files` returns. Raises OSError when the folder refuses."""
    for file in abandoned_files(folder):
        file.unlink(missing_ok=True)


def _is_abandoned(path: Path) -> bool:
    writer = _NAME.fullmatch(path.name)
    try:
        written_at = path.stat().st_mtime
    except FileNotFoundError:
        return False
    age_s = time.time() - written_at
    if writer is None or age_s < ABANDONED_HERE_S:
        return False
    if writer["machine"] != _machine():
        return age_s >= ABANDONED_ELSEWHERE_S
    return not _was_running(int(writer["process"]), written_at)


def _was_running(process: int, moment: float) -> bool:
    """Whether a process of this machine is alive and may have been at a moment (Unix seconds)."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it lives, and belongs to somebody else
    started_at = _start_of(process)
    # Start times are rounded to hundredths, and the file system's clock ticks by its own.
    return started_at is None or started_at <= moment + 1


def _start_of(process: int) -> float | None:
    """Return when a process began (Unix seconds); None where the system does not tell it as Linux does (proc(5))."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        boot = re.search(r"^btime (\d+)$", Path("/proc/stat").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return None
    if boot is None:
        return None
    # The name in parentheses may hold anything; field 22, counted from it, is the start in ticks since boot.
    ticks = int(status.rpartition(")")[2].split()[19])
    return int(boot[1]) + ticks / os.sysconf("SC_CLK_TCK")


@cache
def _machine() -> str:
    """This machine's name, as far as it can be part of a file's name."""
    return re.sub("[^A-Za-z0-9-]", "-", os.uname().nodename)[:_LONGEST_MACHINE_NAME]

"""Times of files that lie in the future: a clock was set back since, or another machine's clock is ahead."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def bring_back_from_the_future(paths: Iterable[str | Path]) -> list[str]:
    """Give the files whose time is later than now the time of a second ago; returns them.

    Snakemake stops where what it has just made is older than what it was made from. What is not there, or is somebody
    else's, stays as it is.
    """
    now, brought_back = time.time(), []
    for path in paths:
        with suppress(OSError):
            if Path(path).stat().st_mtime > now:
                os.utime(path, (now - 1, now - 1))
                brought_back.append(str(path))
    return brought_back

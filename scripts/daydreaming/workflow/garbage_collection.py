"""Python's search for garbage in a process that holds the graph of a cohort: many objects, hardly any garbage."""

from __future__ import annotations

import atexit
import gc
import sys

# After so many new objects, and for the older objects after so many searches of the younger ones. With Python's own
# numbers, the search takes an eighth of the time that a graph of 30,000 jobs takes.
_THRESHOLDS = (50_000, 20, 100)


def search_seldom() -> None:
    """Search for garbage seldom from now on, and not at all when the process ends.

    Only in a process of Snakemake's own command line: whoever calls Snakemake as a library keeps their settings.
    """
    # With 3,000 jobs, the search at the end takes more than a second.
    atexit.register(gc.freeze)
    if is_command_line():
        gc.freeze()
        gc.set_threshold(*_THRESHOLDS)


def is_command_line() -> bool:
    """Whether this is the process of `snakemake` or `python -m snakemake`, both of which call the same function."""
    main = getattr(sys.modules["__main__"], "main", None)
    return getattr(main, "__module__", None) == "snakemake.cli"

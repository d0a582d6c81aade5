"""Where the spec of a cohort is."""

from __future__ import annotations

from pathlib import Path

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.paths import CohortFiles


def spec_file(files: CohortFiles) -> Path | None:
    """The spec of a cohort, None if it has none. Raises InputError where it has two."""
    there = [path for path in (files.spec, files.spec_in_folder) if path.is_file()]
    if len(there) > 1:
        raise InputError(Fault(str(there[1]), f"the cohort has another spec, {there[0]}.", "Keep one of the two."))
    return there[0] if there else None

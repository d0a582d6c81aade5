"""What notebooks begin with: `daydreaming.load("my-cohort")`."""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path
from typing import Any

from daydreaming.cli.command_line import load_project
from daydreaming.results.export.cohort_data import Cohort


def load(cohort: str | None = None, directory: Path | str = ".", **config: Any) -> Cohort:
    """Read a cohort, with all its texts, as data frames. Writes nothing.

    `cohort`: its name; the configured one where it is not given. `directory`: the project folder, whose config.yaml is
    read. Other settings can be given under their names, as in `load("my-cohort", data_root="/srv/data")`.
    Raises InputError for faults in the inputs, and for a cohort that does not exist.
    """
    from daydreaming.generation.study import load_study
    from daydreaming.results.export.cohort_rows import cohort_rows

    settings = {**({} if cohort is None else {"cohort": cohort}), **config}
    arguments = argparse.Namespace(
        directory=Path(directory),
        configfile=[],
        config=[f"{key}={json.dumps(value, default=str)}" for key, value in settings.items()],
        configuration=None,
    )
    # The paths of a project are relative to its folder.
    with contextlib.chdir(Path.cwd()):
        return Cohort(cohort_rows(load_study(load_project(arguments))))

"""Export the configured cohort: a Parquet file, an SQLite database, and what Datasette is told of it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from daydreaming.cli.command_line import add_project_arguments, load_project, run


def main(argv: list[str] | None = None) -> int:
    """Write the files and say where they are; return 1 when the inputs have a fault or the disk refuses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="the folder to write to (default: data/cohorts/<cohort>/export)"
    )
    add_project_arguments(parser)
    return run(parser, _export, argv)


def _export(arguments: argparse.Namespace) -> int:
    from daydreaming.generation.inspection import inspect_cohort
    from daydreaming.generation.study import load_study
    from daydreaming.results.export.files import export_cohort
    from daydreaming.results.made_results import Result, record_made, source_digest

    output = arguments.output.absolute() if arguments.output else None
    study = load_study(load_project(arguments))
    # Before the files: what changes while they are made makes them outdated.
    inspection = inspect_cohort(study)
    source = source_digest(study, inspection)
    parquet, sqlite, datasette, *verdicts = files = export_cohort(study, output, inspection)
    if output is None:
        record_made(study, Result.EXPORT, source, files)
    print(f"Parquet: {', '.join(map(str, (parquet, *verdicts)))}\nSQLite:  {sqlite}")
    print(f"To look at it: datasette {sqlite} --metadata {datasette}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

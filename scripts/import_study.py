"""Bring in a data folder of the original project: generations, catalogs, cohorts. Without --apply, say what comes."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from daydreaming.cli.command_line import add_project_arguments, load_project, run


def main(argv: list[str] | None = None) -> int:
    """Print what comes and what does not; return 1 when something is in the way, in which case nothing is written."""
    return run(_parser(), _import, argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the data folder, or the project that has it")
    parser.add_argument("--apply", action="store_true", help="write it; without this, nothing is written")
    parser.add_argument("--all", action="store_true", help="name each generation that does not come")
    parser.add_argument("--encoding", metavar="NAME", help="the encoding of files that are not UTF-8, such as latin-1")
    parser.add_argument("--without-specs", action="store_true", help="bring cohorts by their tables alone")
    add_project_arguments(parser)
    return parser


def _import(arguments: argparse.Namespace) -> int:
    from daydreaming.base.data_in_use import data_at_rest
    from daydreaming.importing.import_text import import_text
    from daydreaming.importing.study_import import plan_import
    from daydreaming.importing.writing import write_import

    folder = arguments.folder.resolve()
    settings = load_project(arguments)
    planned = partial(plan_import, folder, settings, arguments.encoding, with_specs=not arguments.without_specs)
    plan = planned()
    print(import_text(plan, everything=arguments.all))
    if plan.faults:
        print("", *plan.faults, "Nothing was written.", sep="\n", file=sys.stderr)
        return 1
    if plan.changes_nothing:
        print("\nAll of it is here. Nothing was written.")
        return 0
    if not arguments.apply:
        print("\nNothing was written: --apply does it.")
        return 0
    with data_at_rest(settings.paths):
        # What is here may have changed while the folder was looked at.
        faults = write_import(planned())
    print("\nIt has come. `snakemake -n --config cohort=NAME` shows what a run of one of its cohorts would do.")
    if faults:
        print("\nBefore it can run:", *faults, sep="\n", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())

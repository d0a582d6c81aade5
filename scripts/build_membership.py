"""Build the cohort that the catalogs describe: write its membership.csv and manifest.json."""

from __future__ import annotations

import argparse
import sys

from daydreaming.base.errors import InputError
from daydreaming.cli.command_line import add_project_arguments, load_project


def main(argv: list[str] | None = None) -> int:
    """Build the cohort and say what changed; return 1 when the inputs, or rows that would go, forbid it."""
    arguments = _parser().parse_args(argv)
    try:
        print(_build(arguments))
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: cannot be written or read ({error.strerror}).", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add_project_arguments(parser)
    parser.add_argument("--force", action="store_true", help="also replace a table that loses rows by it")
    return parser


def _build(arguments: argparse.Namespace) -> str:
    from daydreaming.cohort.writer import build_cohort

    return build_cohort(load_project(arguments), force=arguments.force)


if __name__ == "__main__":
    sys.exit(main())

"""Turn a table of scores into pivot tables: essays by rubric and judge, with mean, n, sum and number of failures."""

from __future__ import annotations

import argparse
from pathlib import Path

from daydreaming.base.errors import Fault, InputError
from daydreaming.cli.command_line import run


def main(argv: list[str] | None = None) -> int:
    """Write the pivot tables and print where they are; return 1 if the scores cannot be read, else 0."""
    return run(_parser(), _build, argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--parsed-scores", type=Path, required=True, metavar="FILE", help="the table that aggregate_scores.py wrote"
    )
    parser.add_argument(
        "--output-dir", type=Path, metavar="DIR", help="where to write (default: the folder of the scores)"
    )
    return parser


def _build(arguments: argparse.Namespace) -> int:
    from daydreaming.results.pivots import build_pivot, write_pivot
    from daydreaming.results.score_table import read_scores

    folder = arguments.output_dir or arguments.parsed_scores.parent
    pivot = build_pivot(read_scores(arguments.parsed_scores))
    try:
        paths = write_pivot(pivot, folder)
    except OSError as error:
        cure = "Choose another place with --output-dir."
        raise InputError(Fault(str(folder), f"the tables cannot be written ({error.strerror}).", cure)) from error
    print(f"{len(pivot.essays):,} essays, {len(pivot.columns) - 1:,} pairs of rubric and judge:")
    print(*(f"  {path}" for path in paths), sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

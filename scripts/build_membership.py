"""Build the cohort that the catalogs describe: write its membership.csv and manifest.json."""

from __future__ import annotations

import argparse

from daydreaming.cli.command_line import add_project_arguments, load_project, run


def main(argv: list[str] | None = None) -> int:
    """Build the cohort and say what changed; return 1 when the inputs, or rows that would go, forbid it."""
    return run(_parser(), _build, argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add_project_arguments(parser)
    parser.add_argument("--force", action="store_true", help="also replace a table that loses rows by it")
    return parser


def _build(arguments: argparse.Namespace) -> int:
    from daydreaming.cohort.writer import build_cohort

    print(build_cohort(load_project(arguments), force=arguments.force))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

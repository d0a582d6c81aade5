"""Write the statistics of the configured cohort, from its table of scores: comparisons, ranking, components, judges."""

from __future__ import annotations

import argparse
import sys

from daydreaming.cli.command_line import add_project_arguments, load_project, run


def main(argv: list[str] | None = None) -> int:
    """Write the tables and say where they are; return 1 when the inputs or the scores have a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_project_arguments(parser)
    return run(parser, _write, argv)


def _write(arguments: argparse.Namespace) -> int:
    from daydreaming.generation.study import load_study
    from daydreaming.results.cohort_statistics import write_statistics
    from daydreaming.results.made_results import Result, record_made
    from daydreaming.results.outdated_results import scores_of_now

    study = load_study(load_project(arguments))
    now = scores_of_now(study)
    tables = write_statistics(study, now.rows, now.inspection)
    record_made(study, Result.STATISTICS, now.source, tables)
    print(*tables, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

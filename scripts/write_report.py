"""Write the report of the configured cohort, from its table of scores: one HTML page that needs nothing but itself."""

from __future__ import annotations

import argparse
import sys

from daydreaming.cli.command_line import add_project_arguments, load_project, run


def main(argv: list[str] | None = None) -> int:
    """Write the page and say where it is; return 1 when the inputs or the scores have a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_project_arguments(parser)
    return run(parser, _write, argv)


def _write(arguments: argparse.Namespace) -> int:
    from daydreaming.generation.study import load_study
    from daydreaming.results.made_results import Result, record_made
    from daydreaming.results.outdated_results import scores_of_now
    from daydreaming.results.report.page import write_report
    from daydreaming.results.report.plots import plot_files
    from daydreaming.results.verdicts.collecting import verdicts_of_now

    study = load_study(load_project(arguments))
    now = scores_of_now(study)
    report = write_report(study, now.rows, now.inspection, verdicts_of_now(study, now.inspection))
    record_made(study, Result.REPORT, now.source, [report, *plot_files(study.cohort_files.plots)])
    print(f"Report: {report}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

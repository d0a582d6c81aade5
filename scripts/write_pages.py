"""Write the pages to read the configured cohort's essays in: a folder that opens from a double click on index.html."""

from __future__ import annotations

import argparse
import sys

from daydreaming.base.errors import InputError
from daydreaming.cli.command_line import add_project_arguments, load_project


def main(argv: list[str] | None = None) -> int:
    """Write the pages and say where they are; return 1 when the inputs or the scores have a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zip", action="store_true", help="pack the pages and the report into read.zip, to be mailed")
    parser.add_argument(
        "--processes", type=int, metavar="N", help="processes for many essays (default: one for each core, 8 at most)"
    )
    add_project_arguments(parser)
    arguments = parser.parse_args(argv)
    try:
        _write(arguments)
    except (InputError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _write(arguments: argparse.Namespace) -> None:
    from daydreaming.generation.study import load_study
    from daydreaming.results.made_results import Result, record_made
    from daydreaming.results.outdated_results import ResultsCheck, scores_of_now
    from daydreaming.results.pages.folder import pack, write_reading_pages
    from daydreaming.results.verdicts.collecting import verdicts_of_now

    study = load_study(load_project(arguments))
    now = scores_of_now(study)
    verdicts = verdicts_of_now(study, now.inspection)
    written = write_reading_pages(study, now.rows, arguments.processes, now.inspection, verdicts)
    record_made(study, Result.PAGES, now.source, written.files)
    print(f"Pages: {written.index} ({written.essays:,} essays, {written.remade:,} made anew)")
    if arguments.zip:
        report = ResultsCheck(study, now.inspection).current(Result.REPORT)
        without = "" if report else " (without a report: there is none of these scores)"
        print(f"Packed: {pack(written.index.parent, report)}{without}")


if __name__ == "__main__":
    sys.exit(main())

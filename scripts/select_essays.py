"""Choose the best essays of a cohort for another one: write data/2_tasks/selected_essays.txt from their ranking."""

from __future__ import annotations

import argparse
from pathlib import Path

from daydreaming.cli.command_line import add_project_arguments, load_project, run

TOP = 30


def main(argv: list[str] | None = None) -> int:
    """Show the ranking around the last essay that is chosen and write the selection; return 1 if it cannot be made."""
    return run(_parser(), _select, argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--top", type=_count, default=TOP, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument("--by", metavar="RUBRIC", help="the rubric (default: all, each one's mean taken off)")
    parser.add_argument("--judge", metavar="MODEL", help="the judge (default: all, each one's mean taken off)")
    parser.add_argument(
        "--ties",
        choices=("all", "none"),
        default="all",
        help="essays with the mean of the last one: all of them, or none (default: %(default)s)",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--cohort", metavar="ID", help="whose scores (default: the configured cohort's)")
    source.add_argument("--parsed-scores", type=Path, metavar="FILE", help="a table that aggregate_scores.py wrote")
    parser.add_argument(
        "--combos", type=Path, metavar="FILE", help="write the essays' combos to this CSV file instead, for a spec"
    )
    parser.add_argument("--dry-run", action="store_true", help="show the ranking and write nothing")
    parser.add_argument("--force", action="store_true", help="replace another selection")
    add_project_arguments(parser)
    return parser


def _select(arguments: argparse.Namespace) -> int:
    from daydreaming.generation.study import load_study
    from daydreaming.results.outdated_results import scores_of_now
    from daydreaming.results.score_table import read_scores
    from daydreaming.results.selection import select_essays, write_selection

    table = arguments.parsed_scores.absolute() if arguments.parsed_scores else None
    combos = arguments.combos.absolute() if arguments.combos else None
    settings = load_project(arguments)
    if table is None:
        # A table that was edited, or is an older one, must choose nothing.
        named = {"cohort": arguments.cohort} if arguments.cohort else {}
        rows = scores_of_now(load_study(settings.model_copy(update=named))).rows
    else:
        rows = read_scores(table)
    # Only the texts that cohorts are built from can be chosen for one.
    rows = [row for row in rows if row.text_stage in ("", settings.stage_table.main)]
    selection = select_essays(
        rows,
        arguments.top,
        rubric=arguments.by,
        judge=arguments.judge,
        split_ties=arguments.ties == "none",
    )
    print(selection.text())
    path = combos or settings.paths.selected_essays
    if arguments.dry_run:
        print(f"Nothing was written to {path}.")
        return 0
    changed = write_selection(path, selection.combos_table() if combos else selection.lines(), force=arguments.force)
    print(f"{'Written to' if changed else 'As before in'} {path}.")
    if not combos:
        print("Cohorts without a spec are now built from these essays: give the next one a `cohort` name of its own.")
    return 0


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("give at least 1")
    return count


if __name__ == "__main__":
    raise SystemExit(main())

"""Gather the verdicts of judges who compared two texts into one table, and write win rates, strengths and biases."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from daydreaming.base.errors import Fault, InputError
from daydreaming.cli.command_line import add_project_arguments, fraction, load_project, run
from daydreaming.cli.judgements import failures_text, refusal

if TYPE_CHECKING:
    from daydreaming.generation.study import Study
    from daydreaming.results.verdicts.preference_tables import CohortPreferences
    from daydreaming.results.verdicts.verdict_table import VerdictRow

_SHARES = ("value", "low", "high", "at_equal_length")


def main(argv: list[str] | None = None) -> int:
    """Write the tables and print what is in them; return 1 for faulty inputs or more failures than allowed, else 0."""
    return run(_parser(), _aggregate, argv)


def _aggregate(arguments: argparse.Namespace) -> int:
    from daydreaming.generation.inspection import inspect_cohort
    from daydreaming.generation.study import load_study
    from daydreaming.results.made_results import Result, record_made, source_digest
    from daydreaming.results.scores import collect_scores
    from daydreaming.results.verdicts.collecting import collect_verdicts
    from daydreaming.results.verdicts.preference_tables import analyse_verdicts, write_preferences
    from daydreaming.results.verdicts.verdict_table import count_verdicts

    study = load_study(load_project(arguments))
    inspection = inspect_cohort(study)
    source, rows = source_digest(study, inspection), collect_verdicts(study, inspection)
    if not rows:
        cure = "Choose a cohort that has a stage which makes preferences."
        raise InputError(Fault(str(study.cohort_files.membership), "no row compares two texts.", cure))
    counts = count_verdicts(rows)
    print(f"Judgements of two texts: {counts.total:,}, with a verdict: {counts.told:,}")
    if failures := failures_text(rows, counts.failed, "a verdict"):
        print(failures)
    if problem := refusal(counts.failed_fraction, arguments.max_failed_fraction, "judgements", "verdict"):
        print(problem, file=sys.stderr)
        return 1
    preferences = analyse_verdicts(rows, collect_scores(study, inspection), study.catalogs)
    paths = write_preferences(study, rows, preferences)
    record_made(study, Result.PREFERENCES, source, paths)
    _print_summary(study, rows, preferences)
    print(f"Verdicts: {paths[0]}\nTables: {paths[0].with_name('preference_*.csv')}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--max-failed-fraction",
        type=fraction,
        metavar="F",
        help="write nothing and fail if more than this share (0 to 1) has no verdict (default: any share is fine)",
    )
    add_project_arguments(parser)
    return parser


def _print_summary(study: Study, rows: Sequence[VerdictRow], preferences: CohortPreferences) -> None:
    from daydreaming.base.terminal_tables import table_text
    from daydreaming.results.scores import embedded_models

    table = preferences.tables["win_rates"]
    over_all = table[(table.judge == "") & (table.opponent == "")]
    names = ("stage", "rubric", "model", "win rate", "low", "high", "at equal length", "verdicts", "failed")
    cells = [
        (row.stage, row.rubric, row.model, *(_percent(getattr(row, column)) for column in _SHARES),
         f"{row.denominator:,}", f"{row.n_failed:,}")
        for row in over_all.itertuples()
    ]  # fmt: skip
    print(f"\n{table_text(names, cells, numbers=names[3:])}\n")
    used = {model for row in rows for model in (row.model_a, row.model_b, row.judge)}
    embedded = used & embedded_models(study.settings, study.catalogs)
    if embedded:
        print(f"Verdicts with {', '.join(sorted(embedded))} come from the embedded model: they carry no signal.")


def _percent(share: float) -> str:
    return "" if share != share else f"{100 * share:.1f}%"


if __name__ == "__main__":
    raise SystemExit(main())

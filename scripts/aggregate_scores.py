"""Gather the scores of cohorts into one table, and say which evaluations have none, and why."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from daydreaming.base.errors import Fault, InputError
from daydreaming.cli.command_line import add_project_arguments, fraction, load_project, run
from daydreaming.cli.judgements import failures_text, refusal

if TYPE_CHECKING:
    from daydreaming.generation.inspection import Inspection
    from daydreaming.generation.study import Study
    from daydreaming.inputs.records import Catalogs
    from daydreaming.inputs.settings import Settings
    from daydreaming.results.score_table import ScoreRow


def main(argv: list[str] | None = None) -> int:
    """Write the table and print what is in it; return 1 for faulty inputs or more failures than allowed, else 0."""
    return run(_parser(), _aggregate, argv)


def _aggregate(arguments: argparse.Namespace) -> int:
    from daydreaming.inputs.catalogs import load_catalogs
    from daydreaming.results.score_table import write_scores
    from daydreaming.results.scores import count_scores, embedded_models

    output = arguments.output.absolute()
    settings = load_project(arguments)
    catalogs = load_catalogs(settings)
    cohort_ids = _cohort_ids(arguments, settings, catalogs)
    inspections, rows = _collect(settings, catalogs, cohort_ids)
    counts = count_scores(rows)
    print(f"Cohorts: {', '.join(cohort_ids)}")
    print(f"Evaluations: {counts.total:,}, with a score: {counts.scored:,}")
    if failures := failures_text(rows, counts.unscored, "a score"):
        print(f"{failures}\n`snakemake -j8` tries what is missing or failed again.")
    if problem := refusal(counts.unscored_fraction, arguments.max_failed_fraction, "evaluations", "score"):
        print(problem, file=sys.stderr)
        return 1
    try:
        write_scores(output, rows)
        _record(output, inspections, rows)
    except OSError as error:
        cure = "Choose another place with --output."
        raise InputError(Fault(str(output), f"the scores cannot be written ({error.strerror}).", cure)) from error
    _print_summary(rows, catalogs, embedded_models(settings, catalogs))
    print(f"Scores: {arguments.output}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="the CSV file to write")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--cohort", nargs="+", default=[], metavar="ID", help="cohorts to gather (default: the configured one)"
    )
    which.add_argument(
        "--all-cohorts",
        action="store_true",
        help="gather every cohort that has a membership.csv; what they share counts once",
    )
    parser.add_argument(
        "--max-failed-fraction",
        type=fraction,
        metavar="F",
        help="write nothing and fail if more than this share (0 to 1) has no score (default: any share is fine)",
    )
    add_project_arguments(parser)
    return parser


def _cohort_ids(arguments: argparse.Namespace, settings: Settings, catalogs: Catalogs) -> list[str]:
    from daydreaming.cohort.build import cohort_id_for

    if not arguments.all_cohorts:
        return list(dict.fromkeys(arguments.cohort)) or [cohort_id_for(settings, catalogs)]
    folder = settings.paths.cohorts
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    cohort_ids = [name for name in names if settings.paths.cohort(name).membership.is_file()]
    if not cohort_ids:
        raise InputError(
            Fault(str(folder), "no cohort has a membership.csv.", "Build one with `snakemake membership`.")
        )
    return cohort_ids


def _collect(
    settings: Settings, catalogs: Catalogs, cohort_ids: Sequence[str]
) -> tuple[list[tuple[Study, Inspection]], list[ScoreRow]]:
    from daydreaming.cohort.membership import load_membership
    from daydreaming.generation.inspection import inspect_cohort
    from daydreaming.generation.study import Study
    from daydreaming.inputs.concepts import load_combos
    from daydreaming.inputs.tables import gathering
    from daydreaming.results.scores import collect_scores, once_each

    combos = load_combos(settings, catalogs)
    faults: list[Fault] = []
    rows: list[ScoreRow] = []
    inspections = []
    for cohort_id in cohort_ids:
        with gathering(faults):
            membership = load_membership(settings, catalogs, combos, cohort_id)
            study = Study(settings, catalogs, combos, membership)
            inspections.append((study, inspect_cohort(study)))
            rows.extend(collect_scores(*inspections[-1]))
    if faults:
        raise InputError(faults)
    return inspections, once_each(rows)


def _record(output: Path, inspections: Sequence[tuple[Study, Inspection]], rows: Sequence[ScoreRow]) -> None:
    """Where the table is that of one cohort, in its own place, write down what it was made from."""
    from daydreaming.results.made_results import record_scores, source_digest

    if len(inspections) == 1:
        ((study, inspection),) = inspections
        if study.cohort_files.scores.absolute() == output:
            record_scores(study, source_digest(study, inspection), rows)


def _print_summary(rows: Sequence[ScoreRow], catalogs: Catalogs, embedded: set[str]) -> None:
    from daydreaming.base.terminal_tables import table_text
    from daydreaming.results.scores import score_summary

    names = ("essay template", "model", "rubric", "judge", "n", "no score", "mean")
    cells = []
    for row in score_summary(rows):
        ids = (row.generation_template, row.generation_model, row.evaluation_template, row.evaluation_llm_model)
        cells.append((*ids, row.n, row.n_failed, "" if row.mean is None else f"{row.mean:.2f}"))
    print(f"\n{table_text(names, cells, numbers=names[-3:])}\n")
    ends = dict.fromkeys((row.evaluation_template, row.score_min, row.score_max) for row in rows)
    scales = [f"{rubric} from {lowest:g} to {highest:g}" for rubric, lowest, highest in ends]
    print(f"Scales: {', '.join(scales)}.")
    used = {model for row in rows for model in (row.generation_model, row.evaluation_llm_model)} & embedded
    if used:
        print(f"Scores with {', '.join(sorted(used))} come from the embedded model: these scores carry no signal.")


if __name__ == "__main__":
    raise SystemExit(main())

"""Say what a run would do and cost, without a call: what is up to date, what is reused, what needs a call and why."""

from __future__ import annotations

import argparse
import sys

from daydreaming.base.errors import InputError
from daydreaming.cli.command_line import add_project_arguments, load_project

LAST_STAGES = {"drafts": "draft", "essays": "essay", "evaluations": "evaluation"}


def main(argv: list[str] | None = None) -> int:
    """Print the plan; return 1 when the inputs have a fault."""
    arguments = _parser().parse_args(argv)
    try:
        print(_plan(arguments))
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "target",
        nargs="?",
        choices=LAST_STAGES,
        default="evaluations",
        help="how far, as for snakemake (default: the whole cohort)",
    )
    parser.add_argument("--why", action="store_true", help="also the reason for each generation that is not up to date")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_project_arguments(parser)
    return parser


def _plan(arguments: argparse.Namespace) -> str:
    import orjson

    from daydreaming.generation.study import load_study
    from daydreaming.plan.report import plan_report

    study = load_study(load_project(arguments))
    report = plan_report(study, LAST_STAGES[arguments.target])
    if arguments.json:
        return orjson.dumps(report.json_values(why=arguments.why), option=orjson.OPT_INDENT_2).decode()
    return report.text(why=arguments.why)


if __name__ == "__main__":
    sys.exit(main())

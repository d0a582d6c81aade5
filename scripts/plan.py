"""Say what a run would do and cost, without a call: what is up to date, what is reused, what needs a call and why."""

from __future__ import annotations

import argparse

from daydreaming.cli.command_line import add_project_arguments, load_project, run


def main(argv: list[str] | None = None) -> int:
    """Print the plan; return 1 when the inputs have a fault."""
    return run(_parser(), _plan, argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "target",
        nargs="?",
        default="",
        help="how far, as for snakemake: drafts, essays and so on (default: the whole cohort)",
    )
    parser.add_argument("--why", action="store_true", help="also the reason for each generation that is not up to date")
    parser.add_argument(
        "--rebuilt",
        action="store_true",
        help="plan the cohort as `snakemake membership` would build it now, and not the table that is there",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_project_arguments(parser)
    return parser


def _plan(arguments: argparse.Namespace) -> int:
    import orjson

    from daydreaming.plan.cohort_to_plan import study_to_plan
    from daydreaming.plan.report import plan_report

    settings = load_project(arguments)
    last_stage = settings.stage_table.of_target(arguments.target) if arguments.target else ""
    study, status = study_to_plan(settings, rebuilt=arguments.rebuilt)
    report = plan_report(study, last_stage, status)
    if arguments.json:
        print(orjson.dumps(report.json_values(why=arguments.why), option=orjson.OPT_INDENT_2).decode())
    else:
        print(report.text(why=arguments.why))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

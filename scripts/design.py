"""Before a cohort exists: how sure its comparison of templates would be, from assumed variances and prices."""

from __future__ import annotations

import argparse
import math
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from daydreaming.cli.command_line import add_project_arguments, load_project, run
from daydreaming.results.statistics.design_study import Components, Plan, Prices, Study, components_from

if TYPE_CHECKING:
    from rich.table import Table

FACTORS = ("draft_template", "generation_template", "generation_model")
STAGES = ("draft", "essay", "evaluation")
_EXPLAINED = {
    "combo_by_level": "how differently two levels do on different combos",
    "draft": "between drafts of one combo and template",
    "essay": "between essays of one draft",
    "essay_by_judge": "how differently judges see one essay",
    "essay_by_rubric": "how differently one essay does under different rubrics",
    "evaluation": "between judgements of one essay by one judge",
}


def main(argv: list[str] | None = None) -> int:
    """Print the design study; return 1 when the inputs of a configured cohort have a fault."""
    return run(_parser(), _print, argv)


def _print(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    components = components_from({name: getattr(arguments, name) ** 2 for name in _EXPLAINED})
    given = {field.name: getattr(arguments, field.name) for field in fields(Plan)}
    plan = replace(_plan(arguments), **{name: number for name, number in given.items() if number is not None})
    prices = Prices(**{stage: getattr(arguments, f"{stage}_usd") for stage in STAGES})
    Console().print(_table(Study(arguments.factor, plan, components, prices)))
    return 0


def _plan(arguments: argparse.Namespace) -> Plan:
    """The sizes of the configured cohort, as it would be built now; else those of a small one."""
    if not arguments.configured:
        return Plan(combos=12, draft_templates=2)
    from daydreaming.cohort.build import plan_cohort
    from daydreaming.inputs.catalogs import load_catalogs
    from daydreaming.results.cohort_statistics import plan_of_cohort

    settings = load_project(arguments)
    generations = plan_cohort(settings, load_catalogs(settings)).generations
    return plan_of_cohort(generations, settings.stage_table)


def _table(study: Study) -> Table:
    from rich.table import Table

    table = Table(title=f"Comparison of two levels of {study.factor}, from the assumed deviations")
    table.add_column("change")
    for name in ("combos", "essays", "evaluations", "95% interval", "found with 80% power", "USD"):
        table.add_column(name, justify="right")
    for option in study.options():
        plan = option.plan
        table.add_row(
            option.change,
            f"{plan.combos:,}",
            f"{plan.combos * plan.essays_of_combo:,}",
            f"{plan.combos * plan.evaluations_of_combo:,}",
            "none below 4 combos" if math.isnan(option.half_width) else f"±{option.half_width:.2f}",
            "" if math.isnan(option.smallest_difference) else f"{option.smallest_difference:.2f}",
            "?" if option.price_usd is None else f"{option.price_usd:.2f}",
        )
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--factor", choices=FACTORS, default=FACTORS[0], help="what is compared (default: %(default)s)")
    for field in fields(Plan):
        name = field.name.replace("_", "-")
        default = {"combos": 12, "draft_templates": 2}.get(field.name, 1)
        parser.add_argument(f"--{name}", type=_count, metavar="N", help=f"default: {default}, or the cohort's")
    for field in fields(Components):
        name = field.name.replace("_", "-")
        deviation = {"combo_by_level": 0.5, "essay": 0.6, "evaluation": 0.8}.get(field.name, 0.0)
        parser.add_argument(
            f"--{name}",
            type=_deviation,
            default=deviation,
            metavar="POINTS",
            help=f"standard deviation: {_EXPLAINED[field.name]} (default: %(default)s)",
        )
    parser.add_argument(
        "--configured",
        action="store_true",
        help="take the sizes of the cohort that is configured",
    )
    add_project_arguments(parser)
    for stage in STAGES:
        parser.add_argument(f"--{stage}-usd", type=_deviation, metavar="USD", help=f"what one {stage} costs")
    return parser


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("give at least 1")
    return count


def _deviation(text: str) -> float:
    value = float(text)
    if not (value >= 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError("give a number of at least 0")
    return value


if __name__ == "__main__":
    raise SystemExit(main())

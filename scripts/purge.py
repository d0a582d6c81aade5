"""Move what nothing needs to data/archive: generations that no cohort lists, replies that no generation uses."""

from __future__ import annotations

import argparse
from collections import defaultdict
from typing import TYPE_CHECKING

from daydreaming.cli.command_line import add_project_arguments, load_project, run

if TYPE_CHECKING:
    from daydreaming.archive.purge_plan import Item, PurgePlan


def main(argv: list[str] | None = None) -> int:
    """Print what would go, or what came back; return 1 while a run goes on, or when a table cannot be read."""
    return run(_parser(), _purge, argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=f"{__doc__} Without an option, only say what would go.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--apply", action="store_true", help="move it; nothing is ever deleted")
    what.add_argument("--restore", action="store_true", help="move all that is archived back to where it lay")
    parser.add_argument("--all", action="store_true", help="name everything that goes")
    add_project_arguments(parser)
    return parser


def _purge(arguments: argparse.Namespace) -> int:
    from daydreaming.archive.moves import move_to_archive, restore
    from daydreaming.archive.purge_plan import plan_purge
    from daydreaming.base.amounts import counted
    from daydreaming.base.data_in_use import data_at_rest

    settings = load_project(arguments)
    paths, stages = settings.paths, settings.stage_table
    if arguments.restore:
        with data_at_rest(paths):
            back, stays = restore(paths)
        print(f"{counted(len(back), 'thing')} came back.")
        for path in stays:
            print(f"{path} stays in the archive: there is another one in its place.")
        return 0
    plan = plan_purge(paths, stages)
    _print_plan(plan, everything=arguments.all)
    if not plan.items:
        return 0
    if not arguments.apply:
        print("\nNothing was moved: --apply does it, and --restore undoes it.")
        return 0
    with data_at_rest(paths):
        # Cohorts may have changed while the files were looked at.
        move_to_archive(paths, plan_purge(paths, stages).items)
    print(f"\nMoved to {paths.archive}. `python scripts/purge.py --restore` moves it back.")
    return 0


def _print_plan(plan: PurgePlan, *, everything: bool) -> None:
    from daydreaming.base.terminal_tables import table_text

    for path in plan.unreadable:
        print(f"{path} stays: it cannot be read as a stored reply.")
    if not plan.items:
        print("Everything is needed: nothing would go.")
        return
    groups: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in plan.items:
        groups[item.kind, item.reason].append(item)
    rows = [(kind, reason, len(items), _megabytes(items), _dollars(items)) for (kind, reason), items in groups.items()]
    print(table_text(("what", "why it would go", "number", "MB", "USD"), rows, numbers=("number", "MB", "USD")))
    if everything:
        print("", *(f"{item.kind} {item.path}: {item.reason}" for item in plan.items), sep="\n")


def _megabytes(items: list[Item]) -> str:
    return f"{sum(item.size_bytes for item in items) / 1e6:,.2f}"


def _dollars(items: list[Item]) -> str:
    costs = [item.cost_usd for item in items if item.cost_usd is not None]
    return f"{sum(costs):,.4f}" if costs else ""


if __name__ == "__main__":
    raise SystemExit(main())

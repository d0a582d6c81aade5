"""List the generations of the configured cohort that failed: how many of each kind, where to look, what to do."""

from __future__ import annotations

import argparse

from daydreaming.cli.command_line import add_project_arguments, load_project, run


def main(argv: list[str] | None = None) -> int:
    """Print the failures; return 1 for faulty inputs, else 0."""
    return run(_parser(), _show, argv)


def _show(arguments: argparse.Namespace) -> int:
    from daydreaming.generation.study import load_study
    from daydreaming.results.failures import cohort_failures, failures_text
    from daydreaming.watch.outcomes import WAITING
    from daydreaming.watch.run_end import WAITING_HEADING

    failures = cohort_failures(load_study(load_project(arguments)))
    print(failures_text(one for one in failures if one.kind != WAITING) or "No generation of the cohort has failed.")
    if waiting := failures_text((one for one in failures if one.kind == WAITING), WAITING_HEADING):
        print(f"\n{waiting}")
    if arguments.all:
        print("Each of them")
        for failure in failures:
            print(f"  {failure.kind}  {failure.stage}  {failure.look_at}\n    {failure.message}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="also list each of them with its message")
    add_project_arguments(parser)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

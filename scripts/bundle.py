"""Pack the configured cohort into one file (a Workflow Run RO-Crate), from which its results can be made again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from daydreaming.cli.command_line import PROJECT, add_project_arguments, load_project, run


def main(argv: list[str] | None = None) -> int:
    """Write the bundle and say where it is; return 1 when a result is not of now, or a secret would be in it."""
    return run(_parser(), _bundle, argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    less = parser.add_mutually_exclusive_group()
    less.add_argument("--without-prompts", action="store_true", help="leave out prompts and what they are made from")
    less.add_argument("--only-scores", action="store_true", help="leave out all texts")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="the file to write (default: export/<cohort>.zip in the cohort's folder)",
    )
    add_project_arguments(parser)
    return parser


def _bundle(arguments: argparse.Namespace) -> int:
    import os

    from daydreaming.bundle.manifest import Scope
    from daydreaming.bundle.packing import write_bundle
    from daydreaming.generation.study import load_study
    from daydreaming.results.made_results import Result, record_made
    from daydreaming.results.outdated_results import scores_of_now

    output = arguments.output.absolute() if arguments.output else None
    scope = Scope.ALL
    if arguments.without_prompts or arguments.only_scores:
        scope = Scope.WITHOUT_PROMPTS if arguments.without_prompts else Scope.ONLY_SCORES
    study = load_study(load_project(arguments))
    now, path = scores_of_now(study), study.cohort_files.bundle
    target = output or (path if scope is Scope.ALL else path.with_stem(f"{path.stem}-{scope}"))
    made = write_bundle(
        study, now.inspection, list(now.rows), target, project=PROJECT, environment=os.environ, scope=scope
    )
    if target == path:
        record_made(study, Result.BUNDLE, now.source, [path])
    size = f"{made.bytes_after / 1e6:,.1f} MB"
    print(f"Bundle: {made.path} ({made.generations:,} generations, {made.files:,} files, {size})")
    return 0


if __name__ == "__main__":
    sys.exit(main())

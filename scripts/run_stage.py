"""Make one generation: render its prompt, call its model or copy its parent, parse the reply, write its files."""

from __future__ import annotations

import argparse
import sys

from daydreaming.base.errors import GenerationError, InputError
from daydreaming.base.paths import STAGES
from daydreaming.cli.command_line import add_project_arguments, load_project


def main(argv: list[str] | None = None) -> int:
    """Make the generation and say where it is; return 1 when the inputs have a fault or the generation failed."""
    arguments = _parser().parse_args(argv)
    try:
        print(_run(arguments))
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    except GenerationError as error:
        print(f"{arguments.stage} {arguments.gen_id} failed, {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", choices=STAGES, required=True)
    parser.add_argument("--gen-id", required=True, metavar="ID", help="a generation of the configured cohort")
    parser.add_argument("--render-only", action="store_true", help="stop after prompt.txt")
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="write all files again even if they match; a reply that is stored is used, not paid again",
    )
    parser.add_argument("--offline", action="store_true", help="never call: use the stored reply or fail")
    add_project_arguments(parser)
    return parser


def _run(arguments: argparse.Namespace) -> str:
    from daydreaming.generation.runner import Runner
    from daydreaming.generation.study import load_study

    if arguments.offline:
        arguments.config = [*arguments.config, "offline=true"]
    study = load_study(load_project(arguments))
    specification = study.specification(arguments.stage, arguments.gen_id)
    runner = Runner(study.settings)
    try:
        outcome = runner.run(specification, render_only=arguments.render_only, overwrite=arguments.overwrite)
    finally:
        runner.close()
    folder = study.files(arguments.stage, arguments.gen_id).folder
    if arguments.render_only:
        return f"rendered: {folder / 'prompt.txt'}"
    if not outcome.written:
        return f"kept, it matches: {folder}"
    how = "copied" if specification.is_copy else "from a stored reply" if outcome.reused else "from a new call"
    return f"made {how}: {folder}"


if __name__ == "__main__":
    sys.exit(main())

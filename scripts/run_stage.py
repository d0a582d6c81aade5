"""Make one generation: render its prompt, call its model or copy its parent, parse the reply, write its files."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial

from daydreaming.base.errors import GenerationError
from daydreaming.cli.command_line import add_project_arguments, load_project, run


def main(argv: list[str] | None = None) -> int:
    """Make the generation and say where it is; return 1 when the inputs have a fault or the generation failed."""
    parser = _parser()
    return run(parser, partial(_run, parser), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", help="its stage: draft, essay, evaluation, or one that config.yaml adds")
    parser.add_argument("--gen-id", metavar="ID", help="a generation of the configured cohort")
    parser.add_argument("--render-only", action="store_true", help="stop after prompt.txt")
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="write all files again even if they match; a reply that is stored is used, not paid again",
    )
    parser.add_argument(
        "--explain", action="store_true", help="say what each setting is and where that stands; nothing is made"
    )
    parser.add_argument("--offline", action="store_true", help="never call: use the stored reply or fail")
    # For the executor plugin: serve the socket that is inherited under this number.
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    add_project_arguments(parser)
    return parser


def _run(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    if arguments.serve is not None:
        return _serve(arguments.serve)
    if arguments.stage is None or arguments.gen_id is None:
        parser.error("the following arguments are required: --stage, --gen-id")
    try:
        print(_make(arguments))
    except GenerationError as error:
        print(f"{arguments.stage} {arguments.gen_id} failed, {error}", file=sys.stderr)
        return 1
    return 0


def _make(arguments: argparse.Namespace) -> str:
    from daydreaming.generation.runner import Runner
    from daydreaming.generation.study import load_study

    if arguments.offline:
        arguments.config = [*arguments.config, "offline=true"]
    study = load_study(load_project(arguments))
    if arguments.explain:
        from daydreaming.cli.setting_table import settings_text

        return settings_text(study, arguments.stage, arguments.gen_id)
    specification = study.specification(arguments.stage, arguments.gen_id)
    runner = Runner(study.settings, os.environ.get("DAYDREAMING_RUN"))
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


def _serve(descriptor: int) -> int:
    """Make all the generations of a run of the workflow that are asked for, with the arguments that `main` takes."""
    from daydreaming.generation.runner_service import serve
    from daydreaming.workflow.stage_service import StageService

    serve(descriptor, lambda options: StageService(options, _parser().parse_args))
    return 0


if __name__ == "__main__":
    sys.exit(main())

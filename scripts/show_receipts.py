"""Show what was answered to a request: its reply, and the receipts of answers that hold none. Makes no call."""

from __future__ import annotations

import argparse
import re
import sys
from functools import partial
from typing import TYPE_CHECKING

from daydreaming.base.errors import Fault, InputError
from daydreaming.cli.command_line import add_project_arguments, load_project, run

if TYPE_CHECKING:
    from daydreaming.base.paths import DataPaths
    from daydreaming.ledger.kept_answers import KeptAnswer


def main(argv: list[str] | None = None) -> int:
    """Print the answers; return 1 where nothing is known of what was asked for, else 0."""
    parser = _parser()
    return run(parser, partial(_show, parser), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    which = parser.add_argument_group("which answers")
    which.add_argument("--stage", help="with --gen-id: those to the requests of a generation")
    which.add_argument("--gen-id", metavar="ID")
    which.add_argument(
        "--request", type=_request_name, metavar="SHA256", help="those to a request, by the beginning of its name"
    )
    which.add_argument("--unused", action="store_true", help="all receipts that are not the reply to their request")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print JSON")
    shape.add_argument("--body", type=int, metavar="#", help="print the body of that answer alone, as it was received")
    add_project_arguments(parser)
    return parser


def _request_name(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{4,64}", text.lower(), re.ASCII):
        raise argparse.ArgumentTypeError("give 4 to 64 hexadecimal digits")
    return text.lower()


def _show(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    import orjson

    from daydreaming.cli.receipts import answers_json, answers_text

    of_generation = arguments.stage is not None and arguments.gen_id is not None
    half = (arguments.stage is None) != (arguments.gen_id is None)
    if half or of_generation + (arguments.request is not None) + arguments.unused != 1:
        parser.error("give one of: --stage with --gen-id, --request, --unused")
    answers = _answers(arguments, load_project(arguments).paths)
    if arguments.body is not None:
        _print_body(answers, arguments.body)
    elif arguments.json:
        print(orjson.dumps(answers_json(answers), option=orjson.OPT_INDENT_2).decode())
    else:
        print(answers_text(answers) if answers else "No such answer is kept.")
    return 0


def _answers(arguments: argparse.Namespace, paths: DataPaths) -> list[KeptAnswer]:
    from daydreaming.ledger.kept_answers import answers_to, requests_named, requests_of, unused_answers

    if arguments.unused:
        return unused_answers(paths)
    if arguments.request is not None:
        requests = requests_named(paths, arguments.request)
        if not requests:
            raise InputError(Fault("--request", f"no answer to {arguments.request!r} is kept.", "Check its name."))
    else:
        requests = requests_of(paths, arguments.stage, arguments.gen_id)
        folder = paths.generation(arguments.stage, arguments.gen_id).folder
        if not requests and not folder.is_dir():
            problem = f"there is no {folder}, and no journal names a call for it."
            raise InputError(Fault("--gen-id", problem, "Check the stage and the id."))
    return [answer for request in requests for answer in answers_to(paths, request)]


def _print_body(answers: list[KeptAnswer], number: int) -> None:
    from daydreaming.ledger.kept_answers import body_of

    if not 1 <= number <= len(answers):
        cure = "Leave --body out to see them." if answers else "No answer is kept."
        raise InputError(Fault("--body", f"there is no answer {number}.", cure))
    sys.stdout.buffer.write(body_of(answers[number - 1]))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    raise SystemExit(main())

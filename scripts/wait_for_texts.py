"""Wait until this machine sees every text of a target that jobs have made elsewhere; for runs on a cluster."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from daydreaming.cli.command_line import add_project_arguments, load_project, run

# Clients of NFS may take a file for missing that another node has written, until what they remember is a minute old.
SECONDS = 90


def main(argv: list[str] | None = None) -> int:
    """Return 0 when all is there, 1 when something is still missing after the time given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", required=True, help="drafts, essays, evaluations, or those of an added stage")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long to wait (default: %(default)s)")
    add_project_arguments(parser)
    return run(parser, _report, argv)


def _report(arguments: argparse.Namespace) -> int:
    missing = _wait(arguments)
    if missing:
        print(f"{len(missing)} texts are not seen here: {missing[0]}, ...", file=sys.stderr)
    return 1 if missing else 0


def _wait(arguments: argparse.Namespace) -> list[str]:
    from daydreaming.generation.study import load_study

    study = load_study(load_project(arguments))
    table = study.membership.stages
    stages = table.chain(table.of_target(arguments.target))
    paths = [study.paths.parsed_text(*key) for key in study.membership.generations if key[0] in stages]
    deadline = time.monotonic() + arguments.seconds
    while (paths := [path for path in paths if not Path(path).exists()]) and time.monotonic() < deadline:
        time.sleep(1)
    return paths


if __name__ == "__main__":
    sys.exit(main())

"""End the batches that wait, and collect what they have answered. What is ended can be sent again."""

from __future__ import annotations

import argparse
import os
import uuid

from daydreaming.cli.command_line import add_project_arguments, load_project, run


def main(argv: list[str] | None = None) -> int:
    """Cancel all open batches and say what became of each; return 1 when the inputs have a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_project_arguments(parser)
    return run(parser, _cancel, argv)


def _cancel(arguments: argparse.Namespace) -> int:
    from daydreaming.generation.study import load_study
    from daydreaming.workflow.batch_desk import BatchDesk

    run_id = os.environ.get("DAYDREAMING_RUN") or uuid.uuid4().hex[:12]
    for line in BatchDesk(load_study(load_project(arguments)), run_id, print).cancel():
        print(line)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

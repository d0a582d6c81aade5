"""Check the configuration, the catalogs, the templates and the membership, without a call to a model."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

from daydreaming.base.amounts import counted
from daydreaming.base.errors import Fault, InputError
from daydreaming.cli.command_line import add_project_arguments, load_project, run

if TYPE_CHECKING:
    from daydreaming.cli.validation import Validation


def main(argv: list[str] | None = None) -> int:
    """Print every fault of the inputs, or how much was found to be fine; return 1 if there is a fault, else 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_project_arguments(parser)
    return run(parser, _validate, argv)


def _validate(arguments: argparse.Namespace) -> int:
    from daydreaming.cli.validation import validate_inputs

    try:
        settings = load_project(arguments)
    except InputError as error:
        print_faults(error.faults)
        print("Nothing else was checked: the configuration says where the other inputs are.", file=sys.stderr)
        return 1
    validation = validate_inputs(settings)
    if validation.faults:
        print_faults(validation.faults)
    else:
        print_summary(validation)
    for remark in validation.remarks:
        print(remark, file=sys.stderr if validation.faults else sys.stdout)
    return 1 if validation.faults else 0


def print_faults(faults: Iterable[Fault]) -> None:
    """Print to standard error one line for each fault, those of a file together, and how many there are."""
    by_file = {file: list(group) for file, group in groupby(sorted(faults, key=_place), key=lambda fault: fault.file)}
    for group in by_file.values():
        print(*group, sep="\n", end="\n\n", file=sys.stderr)
    faults_found, files = sum(map(len, by_file.values())), len(by_file)
    print(f"{counted(faults_found, 'fault')} in {counted(files, 'file')}.", file=sys.stderr)


def print_summary(validation: Validation) -> None:
    """Print that nothing is wrong, and how much was looked at."""
    print("All inputs are fine.")
    for name, count in validation.counts.items():
        print(f"  {count:>7,}  {name}")


def _place(fault: Fault) -> tuple[str, int]:
    return fault.file, fault.row or fault.line or 0


if __name__ == "__main__":
    raise SystemExit(main())

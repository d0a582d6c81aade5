"""Open a bundle of a study in a new folder, or (--check) say whether what was made of it there is what it holds."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from daydreaming.cli.command_line import PROJECT, run


def main(argv: list[str] | None = None) -> int:
    """Open a bundle, or compare; return 1 when it is not to be trusted, or when something differs."""
    return run(_parser(), _open_or_check, argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path, nargs="?", metavar="BUNDLE.zip", help="the bundle")
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="a folder that does not exist yet")
    parser.add_argument("--check", type=Path, metavar="FOLDER", help="compare an opened folder with its bundle")
    parser.add_argument("--all", action="store_true", help="with --check: name everything that differs")
    parser.add_argument(
        "--largest", type=float, default=20, metavar="GB", help="the most that may come out (default: %(default)g)"
    )
    return parser


def _open_or_check(arguments: argparse.Namespace) -> int:
    from daydreaming.base.errors import Fault, InputError

    if arguments.check is not None and arguments.bundle is None:
        return _check(arguments.check, everything=arguments.all)
    if arguments.check is not None or arguments.folder is None:
        cure = "Write `open_bundle.py BUNDLE.zip FOLDER`, or `open_bundle.py --check FOLDER`."
        raise InputError(Fault("open_bundle.py", "it needs a bundle and a folder, or --check and a folder.", cure))
    return _open(arguments.bundle.resolve(), arguments.folder.absolute(), int(arguments.largest * 1e9))


def _open(bundle: Path, folder: Path, largest: int) -> int:
    from daydreaming.base.visible_text import visible
    from daydreaming.bundle.archive import Limits
    from daydreaming.bundle.manifest import Scope
    from daydreaming.bundle.opening import open_bundle

    opened = open_bundle(bundle, folder, PROJECT, Limits(total_bytes=largest))
    manifest = opened.manifest
    print(
        f"Opened: {folder} (cohort {manifest.cohort}, {opened.files:,} files, made by DayDreaming {manifest.made_by})"
    )
    for command in opened.commands:
        print(f"Its settings have a command, which is run if you set offline to false: {visible(command)}")
    if manifest.scope is Scope.ALL:
        print(f"To make its results again, without a call: cd {folder} && snakemake --config offline=true")
    else:
        print(f"It is {manifest.scope}. What can be checked: python scripts/open_bundle.py --check {folder}")
    return 0


def _check(folder: Path, *, everything: bool) -> int:
    from importlib.metadata import version

    from daydreaming.bundle.comparison import OpenedFolder, compare_reduced, compare_study, comparison_text
    from daydreaming.bundle.manifest import Scope, version_text
    from daydreaming.cli.command_line import load_project
    from daydreaming.generation.study import load_study
    from daydreaming.results.report.origin import commit_of_workflow

    opened = OpenedFolder.read(folder)
    settings = load_project(argparse.Namespace(directory=folder, configuration=None, configfile=[], config=[]))
    if opened.manifest.scope is Scope.ALL:
        found = compare_study(load_study(settings), opened)
    else:
        found = compare_reduced(opened, settings.stage_table)
    print(comparison_text(found, version_text(version("daydreaming"), commit_of_workflow()), everything=everything))
    return 0 if found.is_same else 1


if __name__ == "__main__":
    sys.exit(main())

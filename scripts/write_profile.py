"""Write Snakemake's profile of this workflow into a folder whose own Snakefile uses the workflow as a module.

With it, one process makes all generations there, too, and the run shows its progress and a summary.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

PROFILE = Path(__file__).resolve().parents[1] / "profiles" / "default" / "config.yaml"


def main(argv: list[str] | None = None) -> int:
    """Write the profile and say where; return 1 where there is one already, or the folder refuses it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="the folder in which snakemake is called")
    arguments = parser.parse_args(argv)
    target = arguments.folder / "profiles" / "default" / "config.yaml"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as stream:
            stream.write(PROFILE.read_text(encoding="utf-8"))
    except FileExistsError:
        print(f"{target} is there already: nothing was written. Delete it first, or merge it by hand.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{target}: cannot be written ({error.strerror}).", file=sys.stderr)
        return 1
    print(f"Written: {target}. Snakemake reads it by itself when it is called in {arguments.folder}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

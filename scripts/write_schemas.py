"""Write the JSON schema of config.yaml, which editors use, from the model of the settings."""

from __future__ import annotations

import argparse
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Write schemas/config.schema.json and say so."""
    argparse.ArgumentParser(description=__doc__).parse_args(argv)
    import orjson

    from daydreaming.base import atomic
    from daydreaming.inputs.configuration import config_schema

    path = Path(__file__).resolve().parents[1] / "schemas" / "config.schema.json"
    atomic.write_bytes(path, orjson.dumps(config_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

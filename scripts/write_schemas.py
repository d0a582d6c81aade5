"""Write the JSON schemas of config.yaml and of a cohort's spec, which editors use, from their models."""

from __future__ import annotations

import argparse
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Write the files in schemas/ and say so."""
    argparse.ArgumentParser(description=__doc__).parse_args(argv)
    import orjson

    from daydreaming.base import atomic
    from daydreaming.inputs.cohort_spec.models import spec_schema
    from daydreaming.inputs.configuration import config_schema

    folder = Path(__file__).resolve().parents[1] / "schemas"
    for name, schema in (("config", config_schema()), ("cohort_spec", spec_schema())):
        path = folder / f"{name}.schema.json"
        atomic.write_bytes(path, orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""What every metadata.json must be: valid by its schema, with the keys of the contract first and in their order."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from studies.study import PROJECT


def metadata_faults(metadata: dict[str, Any]) -> list[str]:
    """Return what is wrong with the content of a metadata.json."""
    schema = _schema()
    faults = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(metadata)]
    keys, contract = list(metadata), schema["required"]
    if keys[: len(contract)] != contract:
        faults.append(f"the first keys are {keys[: len(contract)]}, not {contract}")
    return faults + [f"the schema does not know {key!r}" for key in keys if key not in schema["properties"]]


@cache
def _schema() -> dict[str, Any]:
    schema = json.loads((PROJECT / "schemas/metadata.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return schema

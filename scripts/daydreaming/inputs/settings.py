"""The configuration: checked against `schemas/config.schema.json`, merged with the defaults, as immutable values."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.paths import STAGES, DataPaths

CONFIG_SCHEMA = Path(__file__).resolve().parents[3] / "schemas" / "config.schema.json"


@dataclass(frozen=True, slots=True)
class StageSettings:
    """How a stage's requests are sampled and what its replies must have. None: left to the provider, or no limit."""

    temperature: float | None = None
    max_tokens: int | None = None
    min_lines: int | None = None
    seed: int | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place that answers chat completions, and its limits. None means no limit."""

    name: str
    kind: str = "openai"
    base_url: str | None = None
    api_key_env: str | None = None
    max_concurrency: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    timeout_s: float = 120.0
    max_retries: int = 6
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    stages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that config.yaml can say."""

    cohort: str | None
    data_root: Path
    description_level: str
    k_max: int
    default_endpoint: str
    endpoints: Mapping[str, Endpoint]
    stages: Mapping[str, Mapping[str, Any]]
    replicates: Mapping[str, int]
    budget_usd: float | None
    budget_calls: int | None
    retry_replies: Mapping[str, int]
    max_failed_fraction: float
    offline: bool
    full_dag: bool
    limits_dir: Path
    generations_per_slice: int
    slice: str | None

    @property
    def paths(self) -> DataPaths:
        """The places below the data root."""
        return DataPaths(self.data_root)

    def stage(self, stage: str, endpoint: str) -> StageSettings:
        """A stage's settings at an endpoint: what the endpoint says of the stage wins over what the stage says.

        Bodies are merged key by key: the endpoint's, then the stage's, then the endpoint's for that stage.
        """
        general, special = self.stages.get(stage, {}), self.endpoints[endpoint].stages.get(stage, {})
        bodies = (self.endpoints[endpoint].extra_body, general.get("extra_body"), special.get("extra_body"))
        body = {key: value for part in bodies for key, value in (part or {}).items()}
        return StageSettings(**{**general, **special, "extra_body": body})


DEFAULTS: Mapping[str, Any] = {
    "cohort": None,
    "data_root": "data",
    "description_level": "paragraph",
    "k_max": 2,
    "default_endpoint": "openrouter",
    "endpoints": {},
    "stages": {"draft": {"min_lines": 3}, "essay": {}, "evaluation": {}},
    "replicates": dict.fromkeys(STAGES, 1),
    "budget_usd": None,
    "budget_calls": None,
    "retry_replies": {},
    "max_failed_fraction": 0.0,
    "offline": False,
    "full_dag": False,
    "limits_dir": None,
    "generations_per_slice": 5000,
    "slice": None,
}

BUILT_IN_ENDPOINTS: Mapping[str, Any] = {
    "openrouter": {"base_url": "https://openrouter.ai/api/v1", "api_key_env": "OPENROUTER_API_KEY"},
    "embedded": {"kind": "embedded", "max_concurrency": 4, "timeout_s": 600},
}


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` laid on it, mappings merged key by key (as Snakemake merges its config files)."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def settings_from_config(config: Mapping[str, Any], source: str = "config.yaml") -> Settings:
    """Check a configuration and return it as Settings.

    `source` is the name that errors give to the place where the configuration came from.
    Raises InputError with every unknown key, wrong type and value out of range.
    """
    schema = json.loads(CONFIG_SCHEMA.read_text(encoding="utf-8"))
    config = _typed(_plain(config, source), schema, schema["$defs"])
    faults = _schema_faults(config, schema, source)
    if faults:
        raise InputError(faults)
    full = merge(merge(DEFAULTS, {"endpoints": BUILT_IN_ENDPOINTS}), config)
    endpoints = {name: _endpoint(name, values) for name, values in full["endpoints"].items()}
    faults = _endpoint_faults(full, endpoints, source)
    if faults:
        raise InputError(faults)
    data_root = Path(full["data_root"])
    limits_dir = Path(full["limits_dir"]) if full["limits_dir"] else DataPaths(data_root).limits
    simple = {key: full[key] for key in DEFAULTS if key not in {"data_root", "endpoints", "stages", "limits_dir"}}
    return Settings(
        data_root=data_root,
        endpoints=endpoints,
        stages=full["stages"] or {},
        limits_dir=limits_dir,
        **simple,
    )


def _endpoint(name: str, values: Mapping[str, Any]) -> Endpoint:
    bodies = {"extra_body": values.get("extra_body") or {}, "stages": values.get("stages") or {}}
    return Endpoint(name=name, **{**values, **bodies})


def _plain(config: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The configuration as JSON values."""
    try:
        return json.loads(json.dumps(config, default=str, allow_nan=False))
    except ValueError as error:
        raise InputError(Fault(source, "a number is not finite (.nan or .inf).", "Write a number, or null.")) from error


def _typed(value: Any, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    """Read texts that stand where the schema has no text: Snakemake's `--config` gives nested values as texts."""
    schema = definitions[schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        others = others if isinstance(others, dict) else {}
        return {key: _typed(item, known.get(key, others), definitions) for key, item in value.items()}
    types = schema.get("type", "string")
    types = [types] if isinstance(types, str) else types
    if isinstance(value, str) and ("string" not in types or ("null" in types and value == "null")):
        try:
            value = json.loads(value.lower())
        except ValueError:
            return value
    # The schema takes 2000.0 for a whole number; in a request it would be another one than 2000.
    is_whole = "integer" in types and isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value


def _schema_faults(config: Mapping[str, Any], schema: Mapping[str, Any], source: str) -> list[Fault]:
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(config), key=lambda error: list(map(str, error.absolute_path)))
    return [fault for error in errors for fault in _faults_of(error, source)]


def _faults_of(error: Any, source: str) -> list[Fault]:
    place = ".".join(map(str, error.absolute_path))
    if error.validator != "additionalProperties":
        what = f"{error.instance!r} is not allowed: {error.message}." if place else f"{error.message}."
        return [
            Fault(source, what, error.schema.get("description", "See the comments in config.yaml."), key=place or None)
        ]
    known = sorted(error.schema["properties"])
    unknown = [key for key in error.instance if key not in known]
    faults = []
    for key in unknown:
        close = difflib.get_close_matches(key, known, n=1)
        cure = f"Did you mean {close[0]!r}?" if close else f"Remove it; the keys here are: {', '.join(known)}."
        faults.append(Fault(source, "unknown key.", cure, key=f"{place}.{key}" if place else key))
    return faults


def _endpoint_faults(full: Mapping[str, Any], endpoints: Mapping[str, Endpoint], source: str) -> list[Fault]:
    faults = []
    if full["default_endpoint"] not in endpoints:
        faults.append(
            Fault(
                source,
                f"{full['default_endpoint']!r} is not an endpoint.",
                f"Name one of: {', '.join(sorted(endpoints))}.",
                key="default_endpoint",
            )
        )
    faults.extend(
        Fault(source, "an endpoint of kind openai needs a base_url.", "Add it.", key=f"endpoints.{endpoint.name}")
        for endpoint in endpoints.values()
        if endpoint.kind == "openai" and not endpoint.base_url
    )
    return faults

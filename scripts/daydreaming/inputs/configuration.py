"""From what config.yaml and `--config` say to settings: merged with the defaults, typed, every fault with its key."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import ValidationError

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.nearest_names import did_you_mean
from daydreaming.inputs.settings import Settings, defaults_of_added_stages
from daydreaming.inputs.stages import DEFAULT_STAGES

_DEEPEST = 50
_LONGEST_SHOWN = 60


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` laid on it, mappings merged key by key (as Snakemake merges its config files)."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


@cache
def default_config() -> Mapping[str, Any]:
    """The configuration that holds where nothing else is said, as config.yaml would say it."""
    return {name: field.default for name, field in Settings.model_fields.items()}


@cache
def config_schema() -> Mapping[str, Any]:
    """The JSON schema of config.yaml, made from the model of the settings."""
    schema = Settings.model_json_schema()
    for name in ("endpoints", "stages"):
        # The grammars of the embedded model fill a page.
        schema["properties"][name].pop("default")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "DayDreaming configuration"}


def settings_from_config(config: Mapping[str, Any], source: str = "config.yaml") -> Settings:
    """Check a configuration and return it as Settings; what it does not say is as in the workflow's own config.yaml.

    `source` is the name that errors give to the place where the configuration came from.
    Raises InputError with every unknown key, wrong type and value out of range.
    """
    reading = _Reading(source)
    read = reading.value(config, config_schema(), ())
    try:
        defaults = merge(default_config(), defaults_of_added_stages(read.get("stages")))
        settings = Settings.model_validate(merge(defaults, read))
    except ValidationError as error:
        reading.add_validation_faults(error, read)
        reading.add_added_stages(read.get("stages"))
        raise InputError(reading.faults.values()) from None
    reading.add_stage_faults(settings)
    if reading.faults:
        raise InputError(reading.faults.values())
    return settings


class _Reading:
    """One pass over a configuration: JSON values come out, and one fault for each place that has one."""

    def __init__(self, source: str):
        self.faults: dict[tuple[str, ...], Fault] = {}
        self._source = source

    def value(self, value: Any, node: Mapping[str, Any], place: tuple[str, ...]) -> Any:
        """A value as the schema's node wants it; None, and a fault, where no JSON value can be made of it."""
        if len(place) > _DEEPEST:
            self._add(place[:3], "is nested too deep.", f"Use at most {_DEEPEST} levels.")
            return None
        if isinstance(value, Mapping):
            return self._mapping(value, node, place)
        if isinstance(value, list | tuple):
            return [self.value(item, {}, (*place, str(index))) for index, item in enumerate(value)]
        if value is None or isinstance(value, bool | int | float):
            return self._number(value, node, place)
        text = str(value)  # A date, say, which YAML reads from 2024-10-21.
        if not _is_encodable(text):
            self._add(place, "the text has half of a character pair in it (a lone surrogate).", "Take it out.")
            return None
        return self._number(_typed(text, node), node, place)

    def _mapping(self, value: Mapping[Any, Any], node: Mapping[str, Any], place: tuple[str, ...]) -> dict[str, Any]:
        read = {}
        known = _known_keys(node)
        for key, item in value.items():
            name = key if isinstance(key, str) else json.dumps(key, default=str).strip('"')
            if known is not None and name not in known:
                otherwise = f"Remove it; the keys here are: {', '.join(known)}."
                self._add((*place, name), "unknown key.", did_you_mean(name, known, otherwise))
            else:
                read[name] = self.value(item, _child(node, name), (*place, name))
        return read

    def _number(self, value: Any, node: Mapping[str, Any], place: tuple[str, ...]) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            self._add(place, "the number is not finite (.nan or .inf).", "Write a number, or null.")
            return None
        if isinstance(value, int) and not -(2**63) <= value < 2**64:
            self._add(place, "the number is beyond 64 bits.", "Write a smaller one.")
            return None
        # 2000.0 is a whole number, but in a request it would be another one than 2000.
        is_whole = isinstance(value, float) and value.is_integer() and "integer" in _types(node)
        return int(value) if is_whole and "number" not in _types(node) else value

    def add_validation_faults(self, error: ValidationError, read: Mapping[str, Any]) -> None:
        """Add what the model finds wrong, one fault for each place, in the words of its settings."""
        for found in error.errors(include_url=False, include_input=False):
            place, fields = _walk(found["loc"])
            context = found.get("ctx", {})
            cure = context.get("cure") or next((field["cure"] for field in reversed(fields) if "cure" in field), "")
            if "problem" in context:
                problem = context["problem"]
            elif any(field.get("private") for field in fields):
                problem = "the value is not allowed."
            else:
                problem = f"{_shown(_at(read, place))} is not allowed."
            self._add(place, problem, cure or "See the comments in config.yaml.")

    def add_stage_faults(self, settings: Settings) -> None:
        """Add what is wrong with the table of stages, and what is said of stages that it does not have."""
        self.add_added_stages(settings.stages)
        try:
            known = settings.stage_table.names
        except InputError as error:
            for fault in error.faults:
                self._add((fault.key or "stages").split("."), fault.problem, fault.cure)
            return
        said: list[tuple[str, ...]] = [("replicates", name) for name in settings.replicates]
        said += [("endpoints", one, "stages", name) for one, two in settings.endpoints.items() for name in two.stages]
        # What the defaults say of a stage that was taken out says nothing.
        for place in said:
            if place[-1] not in known and place[-1] not in DEFAULT_STAGES:
                self._add(place, "unknown key.", did_you_mean(place[-1], known, f"The stages are: {', '.join(known)}."))

    def add_added_stages(self, stages: Any) -> None:
        """Add a fault for each stage that is none of the default ones, and does not say what it is made from."""
        for name, row in (stages if isinstance(stages, Mapping) else {}).items():
            parent = row.get("parent") if isinstance(row, Mapping) else getattr(row, "parent", None)
            if name not in DEFAULT_STAGES and parent is None:
                usual = ", ".join(DEFAULT_STAGES.names)
                cure = did_you_mean(name, DEFAULT_STAGES.names, "To add a stage, give it a `parent`.")
                self._add(("stages", name), f"unknown key: {name!r} is none of {usual}, and has no `parent`.", cure)

    def _add(self, place: Sequence[str], problem: str, cure: str) -> None:
        self.faults.setdefault(tuple(place), Fault(self._source, problem, cure, key=".".join(place) or None))


def _alternatives(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The forms that a node of the schema admits, references followed."""
    if "$ref" in node:
        yield from _alternatives(config_schema()["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    elif "anyOf" in node:
        for one in node["anyOf"]:
            yield from _alternatives(one)
    else:
        yield node


def _types(node: Mapping[str, Any]) -> set[str]:
    return {one["type"] for one in _alternatives(node) if "type" in one}


def _known_keys(node: Mapping[str, Any]) -> list[str] | None:
    """The keys that a mapping may have, sorted; None where any may be."""
    for one in _alternatives(node):
        if "properties" in one:
            return sorted(one["properties"])
        if "enum" in one.get("propertyNames", {}):
            return sorted(one["propertyNames"]["enum"])
    return None


def _child(node: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The node of a key, {} where the schema does not say what stands there."""
    for one in _alternatives(node):
        others = one.get("additionalProperties")
        child = one.get("properties", {}).get(name, others)
        if isinstance(child, Mapping):
            return child
    return {}


def _typed(text: str, node: Mapping[str, Any]) -> Any:
    """Read a text that stands where the schema has none: Snakemake's `--config` gives nested values as texts."""
    types = _types(node)
    if not types or ("string" in types and not ("null" in types and text == "null")):
        return text
    try:
        return json.loads(text.lower())
    except (ValueError, RecursionError):
        return text


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _walk(location: Sequence[str | int]) -> tuple[tuple[str, ...], list[Mapping[str, Any]]]:
    """The keys of a place that the model names, without its own words for types, and their nodes of the schema."""
    place, nodes, node = [], [], config_schema()
    for part in map(str, location):
        known = _known_keys(node)
        node = _child(node, part)
        if not node or (known is not None and part not in known):
            break
        place.append(part)
        nodes.append(node)
    return tuple(place), nodes


def _at(config: Mapping[str, Any], place: Sequence[str]) -> Any:
    value: Any = config
    for part in place:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."

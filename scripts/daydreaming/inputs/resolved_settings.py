"""How a model is asked: what stage, endpoint, model and template say, by one order of precedence.

From the weakest to the strongest: the stage, its endpoint, the model, the template's row, the front matter of its text.
(A row and front matter that say different things are a fault of the catalog.) Within the first two, as ever: an
endpoint's `extra_body`, `stages.<stage>`, `endpoints.<name>.stages.<stage>`. What a place says
wins also when it is null. Bodies are merged key by key; `top_p`, `stop`, `response_format` and `reasoning_effort` are
keys of the body.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from daydreaming.inputs.records import Model, SettingValue, Template
from daydreaming.inputs.setting_models import BODY_SETTINGS, OF_THE_TABLE, SettingsModel, StageSettings
from daydreaming.inputs.settings import Settings

_IN_A_BODY = "extra_body."
_LONGEST_RECORDED = 200


@dataclass(frozen=True, slots=True)
class ResolvedSettings:
    """The settings of the requests for a stage, a model and a template.

    `found` has the value and the place of each one that somewhere is said; those of a body under `extra_body.<key>`.
    `sampling` is what a request is made of, its body complete.
    """

    found: Mapping[str, SettingValue]
    sampling: StageSettings
    output_limit_parameter: str
    context_length: int | None

    def place(self, name: str) -> str:
        """The place that says a setting; "" if none does."""
        return self.found[name].place if name in self.found else ""


def recorded_settings(found: Mapping[str, SettingValue]) -> dict[str, dict[str, Any]]:
    """The settings as a record keeps them: `value` and `from` of each; long texts, as grammars are, by their digest."""
    return {name: {"value": _recorded(one.value), "from": one.place} for name, one in found.items()}


def _recorded(value: Any) -> Any:
    content = orjson.dumps(value)
    if len(content) <= _LONGEST_RECORDED:
        return value
    return f"sha256:{hashlib.sha256(content).hexdigest()}, {len(content)} bytes of JSON"


def endpoint_of(settings: Settings, model: Model) -> str:
    """The name of the endpoint where a model is asked."""
    return model.endpoint or settings.default_endpoint


def resolved_settings(
    settings: Settings, stage: str, model: Model, template: Template | None = None
) -> ResolvedSettings:
    """Return the settings that hold for a stage and a model; with a template, also by what that says itself."""
    found: dict[str, SettingValue] = {}
    for name, value in _said(settings, stage, model, template):
        key = name.removeprefix(_IN_A_BODY)
        if key in BODY_SETTINGS:  # by whichever of its two names it was said before
            found.pop(key, None)
            found.pop(f"{_IN_A_BODY}{key}", None)
        found[name] = value
    body = {name.removeprefix(_IN_A_BODY): one.value for name, one in found.items() if name.startswith(_IN_A_BODY)}
    body |= {name: found[name].value for name in BODY_SETTINGS if name in found and found[name].value is not None}
    of_stage = {name: found[name].value for name in StageSettings.model_fields if name in found}
    limit, context = found.get("output_limit_parameter"), found.get("context_length")
    return ResolvedSettings(
        found=found,
        sampling=StageSettings(**of_stage, extra_body=body),
        output_limit_parameter=limit.value if limit else "max_tokens",
        context_length=context.value if context else None,
    )


def _said(
    settings: Settings, stage: str, model: Model, template: Template | None
) -> Iterator[tuple[str, SettingValue]]:
    """All that is said, the weakest first."""
    name = endpoint_of(settings, model)
    endpoint = settings.endpoints[name]
    yield from _of_body(endpoint.extra_body, f"endpoints.{name}")
    yield (
        "output_limit_parameter",
        SettingValue(endpoint.output_limit_parameter, f"endpoints.{name}.output_limit_parameter"),
    )
    for stages, place in ((settings.stages, "stages"), (endpoint.stages, f"endpoints.{name}.stages")):
        if (of_stage := stages.get(stage)) is not None:
            yield from _of_model(of_stage, f"{place}.{stage}")
    if model.id in settings.models:
        yield from _of_model(settings.models[model.id], f"models.{model.id}")
    yield from (template.own_settings if template else {}).items()


def _of_model(given: SettingsModel, place: str) -> Iterator[tuple[str, SettingValue]]:
    for name, value in given.given().items():
        if name in OF_THE_TABLE:
            continue
        if name == "extra_body":
            yield from _of_body(value, place)
        elif not (name == "output_limit_parameter" and value is None):  # null: as the endpoint says
            yield name, SettingValue(value, f"{place}.{name}")


def _of_body(body: Mapping[str, Any], place: str) -> Iterator[tuple[str, SettingValue]]:
    for key, value in body.items():
        # A body that says null sends null; elsewhere null sends nothing.
        name = key if key in BODY_SETTINGS and value is not None else f"{_IN_A_BODY}{key}"
        yield name, SettingValue(value, f"{place}.extra_body.{key}")

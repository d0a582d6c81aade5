"""How requests are asked and replies are judged: what a stage, a model and a template can say of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from daydreaming.inputs.setting_types import Body, StageName, Temperature, fault, read_only


def setting(default: Any, meaning: str, cure: str, *, private: bool = False) -> Any:
    """A field with its meaning, and what a message about a wrong value says is to be done.

    The default is written as in config.yaml, checked as every value is. A message never repeats a `private` value.
    """
    extra: dict[str, Any] = {"cure": cure} | ({"private": True} if private else {})
    return Field(default, validate_default=True, description=meaning, json_schema_extra=extra)


class SettingsModel(BaseModel):
    """What all settings have in common: immutable, no unknown key, no value taken for one of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True)

    def given(self) -> dict[str, Any]:
        """What was said, also where it was null."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


OutputLimitParameter = Literal["max_tokens", "max_completion_tokens"]
OUTPUT_LIMIT_CURE = "Use max_tokens or max_completion_tokens."
BODY_CURE = "Give a mapping that is added to the request's body."
# Sent under their own names, as what stands in an `extra_body` is.
BODY_SETTINGS = ("top_p", "stop", "response_format", "reasoning_effort")


def _as_tuple(given: Any) -> Any:
    return tuple(given) if isinstance(given, list) else given


_Names = Annotated[tuple[str, ...] | None, BeforeValidator(_as_tuple)]
_Tokens = Annotated[int, Field(ge=1, le=10_000_000)]
_Share = Annotated[int, Field(ge=0, le=1)] | Annotated[float, Field(ge=0, le=1)]
# Samples and fresh attempts add to it; servers read 53 or 64 bits.
_Seed = Annotated[int, Field(ge=0, le=2**53 - 2**32)]
_Lines = Annotated[int, Field(ge=0, le=1_000_000)]

_TEMPERATURE = setting(None, "The sampling temperature.", "Give a number from 0, or null to leave it to the provider.")
_MAX_TOKENS = setting(
    None,
    "The most tokens that a reply may have.",
    "Give a number of tokens from 1 to 10,000,000, or null for no limit.",
)
_TOP_P = setting(
    None, "The share of the likeliest tokens that are sampled from.", "Give a number from 0 to 1, or null to send none."
)
_SEED = setting(None, "The seed of the sampling.", "Give a whole number from 0, or null to send none.")
_MIN_LINES = setting(
    None, "How many non-empty lines a reply must have.", "Give a number of lines from 0, or null for no limit."
)


class StageSettings(SettingsModel):
    """How a stage's requests are sampled and what its replies must have. None: left to the provider, or no limit."""

    temperature: Temperature | None = _TEMPERATURE
    max_tokens: _Tokens | None = _MAX_TOKENS
    min_lines: _Lines | None = _MIN_LINES
    seed: _Seed | None = _SEED
    extra_body: Body = setting({}, "Added to the body of each request.", BODY_CURE)


class BatchSettings(SettingsModel):
    """Whether requests to an endpoint go out as provider batches, and how large these may be. None: as usual."""

    enabled: bool | None = setting(
        None, "Whether its requests go out as batches; null: as `batch` says.", "Use true or false, or null."
    )
    price: Annotated[float, Field(ge=0, le=1)] = setting(
        0.5, "What a call costs within a batch, as a share of its price.", "Give a share from 0 to 1."
    )
    max_requests: Annotated[int, Field(ge=1)] | None = setting(
        None, "The most requests of a batch.", "Give a number from 1, or null for the provider's limit."
    )
    max_bytes: Annotated[int, Field(ge=4096)] | None = setting(
        None, "The most bytes of a batch.", "Give a number of bytes from 4096, or null for the provider's limit."
    )


class StageRow(StageSettings):
    """A stage of config.yaml: how it is sampled, and what it is in the table of stages. None: as by default."""

    name: SkipJsonSchema[StageName]
    parent: str | None = setting(
        None, "The stage whose texts it is made from, or combos.", "Name combos, or a stage that makes text."
    )
    makes: Literal["text", "score", "preference"] | None = setting(
        None, "What it makes; a preference is between two texts of its parent.", "Use text, score or preference."
    )
    sees: _Names = setting(
        None, "Earlier stages of its chain whose texts its templates may use.", "Give a list of stages."
    )
    parsers: _Names = setting(
        None, "The parsers that its templates may name; with an empty list none is used.", "Give a list of parsers."
    )
    templates: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+\.csv$")] | None = setting(
        None, "The table of its templates, in data/1_raw.", "Give the name of a file such as critique_templates.csv."
    )
    template_folder: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._/-]*$")] | None = setting(
        None,
        "The folder of its templates' texts, in data/1_raw.",
        "Give a folder such as generation_templates/critique.",
    )


# What a row says of its stage, and not of its requests.
OF_THE_TABLE = frozenset(StageRow.model_fields) - frozenset(StageSettings.model_fields)


class ModelSettings(SettingsModel):
    """What is particular to one model of llm_models.csv, wherever it is asked. What is not said is as without it."""

    max_tokens: _Tokens | None = _MAX_TOKENS
    temperature: Temperature | None = _TEMPERATURE
    top_p: _Share | None = _TOP_P
    seed: _Seed | None = _SEED
    reasoning_effort: Annotated[str, Field(pattern=r"^[a-z]{1,20}$")] | None = setting(
        None,
        "How much a reasoning model thinks before it answers.",
        "Give a word that the model knows, such as low, medium or high, or null to send none.",
    )
    extra_body: Body = setting({}, "Added to the body of each request.", BODY_CURE)
    output_limit_parameter: OutputLimitParameter | None = setting(
        None, "Under which name `max_tokens` is sent to this model; null: as its endpoint says.", OUTPUT_LIMIT_CURE
    )
    context_length: _Tokens | None = setting(
        None,
        "How many tokens a prompt and its reply may have together.",
        "Give a number of tokens from 1 to 10,000,000, or null to check nothing.",
    )

    @model_validator(mode="after")
    def _says_nothing_twice(self) -> Self:
        for name in sorted(set(BODY_SETTINGS) & self.model_fields_set & set(self.extra_body)):
            raise fault(f"it has both {name} and, in its extra_body, {name}.", "Take one of them out.")
        return self


def _json(value: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        json.dumps(value, allow_nan=False)
        orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME)  # keys that are no texts are none of JSON's either
    except (TypeError, ValueError, RecursionError):
        raise fault("the value cannot be written as JSON.", "Put dates and the like into quotation marks.") from None
    return value


_Text = Annotated[str, Field(min_length=1)]
_Score = Annotated[float, Field(ge=-1e15, le=1e15)]


class TemplateSettings(SettingsModel):
    """What a template says of the requests that are made with it, in its table or its front matter."""

    temperature: Temperature | None = _TEMPERATURE
    max_tokens: _Tokens | None = _MAX_TOKENS
    top_p: _Share | None = _TOP_P
    seed: _Seed | None = _SEED
    min_lines: _Lines | None = _MIN_LINES


class FrontMatter(TemplateSettings):
    """What can stand at the top of a template's text."""

    system: _Text | None = setting(None, "The system message, a template as well.", "Give a text.")
    stop: _Text | Annotated[list[_Text], Field(min_length=1, max_length=64)] | None = setting(
        None, "Texts at which the reply ends.", "Give a text or a list of texts, or null to send none."
    )
    response_format: Annotated[Mapping[str, Any], AfterValidator(_json), AfterValidator(read_only)] | None = setting(
        None,
        "The form that the reply has to have, as the endpoint wants it said.",
        "Give a mapping such as {type: json_object}, or null to send none.",
    )
    parser: _Text | None = setting(None, "How the reply is read.", "Give the name of a parser.")
    score_min: _Score | None = setting(None, "The lowest score of a rubric.", "Give a number.")
    score_max: _Score | None = setting(None, "The highest score of a rubric.", "Give a number.")
    description: str | None = setting(None, "What the template is for, for people.", "Give a text.")

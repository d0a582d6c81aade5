"""What is said of a stage and of a model, and what all settings have in common."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from daydreaming.inputs.setting_types import Body, Temperature


def setting(default: Any, meaning: str, cure: str, *, private: bool = False) -> Any:
    """A field with its meaning, and what a message about a wrong value says is to be done.

    The default is written as in config.yaml, checked as every value is. A message never repeats a `private` value.
    """
    extra: dict[str, Any] = {"cure": cure} | ({"private": True} if private else {})
    return Field(default, validate_default=True, description=meaning, json_schema_extra=extra)


class SettingsModel(BaseModel):
    """What all settings have in common: immutable, no unknown key, no value taken for one of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True)


BODY_CURE = "Give a mapping that is added to the request's body."


class StageSettings(SettingsModel):
    """How a stage's requests are sampled and what its replies must have. None: left to the provider, or no limit."""

    temperature: Temperature | None = setting(
        None, "The sampling temperature.", "Give a number from 0, or null to leave it to the provider."
    )
    max_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = setting(
        None,
        "The most tokens that a reply may have.",
        "Give a number of tokens from 1 to 10,000,000, or null for no limit.",
    )
    min_lines: Annotated[int, Field(ge=0, le=1_000_000)] | None = setting(
        None, "How many non-empty lines a reply must have.", "Give a number of lines from 0, or null for no limit."
    )
    # Samples and fresh attempts add to it; servers read 53 or 64 bits.
    seed: Annotated[int, Field(ge=0, le=2**53 - 2**32)] | None = setting(
        None, "The seed of the sampling.", "Give a whole number from 0, or null to send none."
    )
    extra_body: Body = setting({}, "Added to the body of each request.", BODY_CURE)


OutputLimitParameter = Literal["max_tokens", "max_completion_tokens"]
OUTPUT_LIMIT_CURE = "Use max_tokens or max_completion_tokens."


class ModelSettings(SettingsModel):
    """What is particular to one model of llm_models.csv, wherever it is asked. None: as its endpoint says."""

    output_limit_parameter: OutputLimitParameter | None = setting(
        None, "Under which name `max_tokens` is sent to this model; null: as its endpoint says.", OUTPUT_LIMIT_CURE
    )

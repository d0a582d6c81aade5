"""The settings of a study: one immutable model that names, types, defaults, limits and messages come from.

`config.yaml` shows the same keys with the same defaults; `daydreaming.inputs.configuration` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
)

from daydreaming.base.paths import DataPaths
from daydreaming.inputs.embedded_grammars import (
    DRAFT_GRAMMAR,
    ESSAY_GRAMMAR,
    EVALUATION_GRAMMAR,
    PREFERENCE_GRAMMAR,
    TEXT_GRAMMAR,
)
from daydreaming.inputs.endpoint_settings import Endpoint
from daydreaming.inputs.setting_models import (
    ModelSettings,
    SettingsModel,
    StageRow,
    setting,
)
from daydreaming.inputs.setting_types import (
    Count,
    CountFromZero,
    FolderPath,
    Identifier,
    RetriedKind,
    Seconds,
    StageName,
    empty_if_none,
    fault,
    read_only,
)
from daydreaming.inputs.stages import DEFAULT_STAGES, StageTable, stage_table


def _named(rows: Any) -> Any:
    """Each endpoint, or stage, knows the name that it has in the mapping."""
    if not isinstance(rows, Mapping):
        return rows
    return {name: {**values, "name": name} if isinstance(values, Mapping) else values for name, values in rows.items()}


def _named_stages(rows: Any) -> Any:
    return _named(empty_if_none(rows))


_DEFAULT_STAGES = {
    "draft": {"temperature": 0.9, "max_tokens": 2000, "min_lines": 3, "seed": None, "extra_body": {}},
    "essay": {"temperature": 0.7, "max_tokens": 3000, "min_lines": None, "seed": None, "extra_body": {}},
    "evaluation": {"temperature": 0, "max_tokens": 1000, "min_lines": None, "seed": None, "extra_body": {}},
}
# What holds for a stage that config.yaml adds, by what it makes, where nothing else is said.
_LIKE = {"text": "essay", "score": "evaluation", "preference": "evaluation"}


def _embedded_stage(max_tokens: int, grammar: str) -> dict[str, Any]:
    body = {"repeat_penalty": 1.1, "grammar": grammar}
    return {"temperature": 0.5, "max_tokens": max_tokens, "seed": 42, "extra_body": body}


_EMBEDDED_ADDED = {
    "text": _embedded_stage(600, TEXT_GRAMMAR),
    "score": _embedded_stage(300, EVALUATION_GRAMMAR),
    "preference": _embedded_stage(300, PREFERENCE_GRAMMAR),
}

_DEFAULT_ENDPOINTS: dict[str, Any] = {
    "openrouter": {
        "kind": "openai",
        "base_url": "https://openrouter.ai/api/v1",
        "api_key_env": "OPENROUTER_API_KEY",
        "max_concurrency": 64,
        "timeout_s": 180,
        "max_retries": 6,
    },
    "embedded": {
        "kind": "embedded",
        "max_concurrency": 2,
        "timeout_s": 600,
        "stages": {
            "draft": _embedded_stage(800, DRAFT_GRAMMAR),
            "essay": _embedded_stage(1000, ESSAY_GRAMMAR),
            "evaluation": _embedded_stage(300, EVALUATION_GRAMMAR),
        },
    },
}


class Settings(SettingsModel):
    """Everything that config.yaml can say."""

    cohort: Identifier | None = setting(
        None,
        "The cohort to make; null derives its id from what is in it.",
        "Use letters, digits, '.', '_' and '-', at most 200; or null to derive the id from the manifest.",
    )
    data_root: FolderPath = setting("data", "Everything but code lives below it.", "Give the path of a folder.")
    template_folders: Annotated[
        tuple[FolderPath, ...], BeforeValidator(lambda given: tuple(given) if isinstance(given, list) else given)
    ] = setting(
        [],
        "Folders outside of the project and the data root whose templates may be used.",
        "Give a list of folders, as in [/srv/templates].",
    )
    description_level: Literal["sentence", "paragraph", "article"] = setting(
        "paragraph", "The length at which concepts are described.", "Use sentence, paragraph or article."
    )
    k_max: Annotated[int, Field(ge=1, le=1000)] = setting(
        2, "How many concepts make a combo.", "Give the number of concepts in a combo, from 1 to 1000."
    )
    endpoints: Annotated[
        Mapping[Identifier, Endpoint],
        BeforeValidator(_named, json_schema_input_type=Mapping[Identifier, Endpoint]),
        AfterValidator(read_only),
    ] = setting(_DEFAULT_ENDPOINTS, "Who can answer.", "Give each endpoint a name and an object with its settings.")
    default_endpoint: str = setting(
        "openrouter", "Who answers for a model that names no endpoint.", "Give the name of one of the endpoints."
    )
    models: Annotated[
        Mapping[Identifier, ModelSettings],
        BeforeValidator(empty_if_none, json_schema_input_type=Mapping[Identifier, ModelSettings] | None),
        AfterValidator(read_only),
    ] = setting(
        {},
        "What is particular to a model, by its id in llm_models.csv; it wins over the endpoint.",
        "Give the id of each model an object with its settings.",
    )
    stages: Annotated[
        Mapping[StageName, StageRow | None],
        BeforeValidator(_named_stages, json_schema_input_type=Mapping[StageName, StageRow | None] | None),
        AfterValidator(read_only),
    ] = setting(
        _DEFAULT_STAGES,
        "How each stage is sampled, what its replies must have, and what it is; null takes a stage out.",
        "Give each stage a name of small letters, digits and '_', and an object with its settings, or null.",
    )
    replicates: Annotated[Mapping[StageName, Annotated[int, Field(ge=1, le=100_000)]], AfterValidator(read_only)] = (
        setting({"draft": 1, "essay": 1, "evaluation": 1}, "Samples of each generation.", "Give a number from 1.")
    )
    budget_usd: Annotated[float, Field(ge=0)] | None = setting(
        None, "What the cohort may cost in its whole life.", "Give US dollars, or null for no limit."
    )
    budget_calls: CountFromZero | None = setting(
        None, "How many calls the cohort may make in its whole life.", "Give a number of calls, or null for no limit."
    )
    retry_replies: Annotated[Mapping[RetriedKind, Annotated[int, Field(ge=0, le=1000)]], AfterValidator(read_only)] = (
        setting(
            {},
            "Fresh attempts, each a paid call, after a reply that could not be used.",
            "Give a number from 0 to 1000.",
        )
    )
    stop_after_errors: Count | None = setting(
        3,
        "Calls to an endpoint and model stop after so many permanent failures in a row.",
        "Give a number from 1, or null to go on whatever happens.",
    )
    stop_after_unusable: Count | None = setting(
        10,
        "A template and model wait for the user when their first so many replies are all unusable for one reason.",
        "Give a number from 1, or null to go on whatever happens.",
    )
    remake_adopted: bool = setting(
        False, "Make generations again that no run of this workflow made.", "Use true or false."
    )
    offline: bool = setting(False, "Make no call; use stored replies only.", "Use true or false.")
    batch: bool = setting(
        False, "Requests go out as provider batches, where an endpoint does not say otherwise.", "Use true or false."
    )
    batch_wait: bool = setting(False, "A run waits for its batches.", "Use true or false.")
    batch_poll_s: Seconds = setting(
        60.0, "How often a run that waits asks for them, in seconds.", "Give seconds above 0."
    )
    max_failed_fraction: Annotated[float, Field(ge=0, le=1)] = setting(
        0.0, "The share of failed evaluations with which scores are made.", "Give a share from 0 to 1."
    )
    limits_dir: FolderPath = setting(
        None,
        "Where calls in flight and in a minute are counted.",
        "Give the path of a folder, or null for <data_root>/limits.",
    )
    generations_per_slice: Count = setting(
        5000, "How many generations a job of a cluster makes.", "Give a whole number from 1."
    )
    slice: Annotated[str, Field(pattern=r"^[0-9]{1,9}/[0-9]{1,9}$")] | None = setting(
        None, "i/n: make only the i-th of n slices of the cohort.", "Give a slice as i/n, with i from 1 to n, or null."
    )
    full_dag: bool = setting(
        False, "Snakemake looks at every generation itself, also at those found up to date.", "Use true or false."
    )

    @field_validator("limits_dir", mode="before", json_schema_input_type=str | None)
    @classmethod
    def _below_the_data_root(cls, given: Any, info: ValidationInfo) -> Any:
        # A data root with a fault is not here; its fault is enough.
        return DataPaths(info.data.get("data_root", Path())).limits if given is None else given

    @field_validator("default_endpoint", mode="after")
    @classmethod
    def _is_an_endpoint(cls, name: str, info: ValidationInfo) -> str:
        known = info.data.get("endpoints", {})
        if known and name not in known:
            raise fault(f"{name!r} is not an endpoint.", f"Name one of: {', '.join(sorted(known))}.")
        return name

    def uses_batches(self, endpoint: str) -> bool:
        """Whether requests to an endpoint go out as provider batches: none do offline."""
        one = self.endpoints[endpoint]
        return not self.offline and one.has_batches and (self.batch if one.batch.enabled is None else one.batch.enabled)

    @cached_property
    def stage_table(self) -> StageTable:
        """The stages of the study. Raises InputError for stages that do not fit together."""
        return stage_table(self.stages)

    @cached_property
    def paths(self) -> DataPaths:
        """The places below the data root."""
        return DataPaths(self.data_root, self.stage_table.places)

    def below(self, root: Path) -> Settings:
        """The same settings for another data root. Counts and limits stay where they are."""
        moved = self.model_copy(update={"data_root": root})
        moved.__dict__.pop("paths", None)  # a copy has what was worked out for the root of this one
        return moved


def defaults_of_added_stages(stages: Any) -> dict[str, Any]:
    """What is laid below a configuration for the stages that it adds, by what they make."""
    added = {
        name: row.get("makes")
        for name, row in (stages if isinstance(stages, Mapping) else {}).items()
        if isinstance(row, Mapping) and name not in DEFAULT_STAGES
    }
    # What makes something unknown is a fault that is told elsewhere.
    makes = {name: one if isinstance(one, str) and one in _LIKE else "text" for name, one in added.items()}
    return {
        "stages": {name: _DEFAULT_STAGES[_LIKE[one]] for name, one in makes.items()},
        "endpoints": {"embedded": {"stages": {name: _EMBEDDED_ADDED[one] for name, one in makes.items()}}},
    }

"""The settings of an endpoint: where a model answers, how it is reached, and its limits."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from daydreaming.inputs.setting_models import (
    BODY_CURE,
    OUTPUT_LIMIT_CURE,
    BatchSettings,
    OutputLimitParameter,
    SettingsModel,
    StageSettings,
    setting,
)
from daydreaming.inputs.setting_types import (
    Address,
    Body,
    Count,
    HeaderValues,
    Identifier,
    QueryValues,
    Seconds,
    SecondsFromZero,
    ServerCommand,
    StageName,
    UrlPath,
    VariableName,
    empty_if_none,
    fault,
    read_only,
)

StageMapping = Annotated[
    Mapping[StageName, StageSettings],
    BeforeValidator(empty_if_none, json_schema_input_type=Mapping[StageName, StageSettings] | None),
    AfterValidator(read_only),
]


class Endpoint(SettingsModel):
    """A place that answers chat completions, and its limits. None means no limit."""

    name: SkipJsonSchema[Identifier]
    kind: Literal["openai", "anthropic", "embedded"] = setting(
        "openai", "What answers there.", "Use openai, anthropic or embedded."
    )
    base_url: Address | None = setting(
        None,
        "The address of an OpenAI-compatible server, without /chat/completions.",
        "Give an address that starts with http:// or https://.",
        private=True,
    )
    start: ServerCommand | None = setting(
        None,
        "The command of a server of this machine, started when the first call needs it; {port} becomes a free port.",
        "Give a command with {port}, as in `llama-server -m model.gguf --port {port}`, or null.",
        private=True,
    )
    health: UrlPath = setting(
        "/health",
        "The path at which the server of `start` answers with status 200 when it is ready.",
        "Give a path that starts with /.",
    )
    api_key_env: VariableName | None = setting(
        None,
        "The name of the environment variable that holds the key.",
        "Give the NAME of the environment variable that holds the key, never the key.",
        private=True,
    )
    max_concurrency: Count | None = setting(
        None, "Calls in flight.", "Give a number of calls from 1, or null for no limit."
    )
    requests_per_minute: Count | None = setting(
        None, "Calls that may start in a minute.", "Give a number of calls from 1, or null for no limit."
    )
    tokens_per_minute: Count | None = setting(
        None, "Tokens, of prompts and replies, in a minute.", "Give a number of tokens from 1, or null for no limit."
    )
    timeout_s: Seconds = setting(120.0, "How long a reply may take, in seconds.", "Give seconds above 0.")
    max_retries: Annotated[int, Field(ge=0, le=1000)] = setting(
        6, "Tries after a call that failed.", "Give a number from 0 to 1000."
    )
    output_limit_parameter: OutputLimitParameter = setting(
        "max_tokens", "Under which name `max_tokens` is sent.", OUTPUT_LIMIT_CURE
    )
    finish_reasons: Annotated[Mapping[str, Literal["finished", "truncated", "refused"]], AfterValidator(read_only)] = (
        setting(
            {},
            "What a word of the server's as finish_reason means.",
            "Use finished, truncated or refused for each word.",
        )
    )
    default_query: QueryValues = setting(
        {},
        "Added to the address of each call, after a `?`; `$NAME` is taken from the environment variable NAME.",
        "Give a mapping of texts; write a number or a date in quotation marks.",
        private=True,
    )
    headers: HeaderValues = setting(
        {},
        "Added to the headers of each call; `$NAME` is taken from the environment variable NAME.",
        "Give a mapping of texts; write a number or a date in quotation marks.",
        private=True,
    )
    loading_wait_s: SecondsFromZero = setting(
        600.0, "How long a server that is loading its model is waited for, in seconds.", "Give seconds from 0."
    )
    longest_wait_s: SecondsFromZero = setting(
        600.0,
        "The longest Retry-After, in seconds, that is waited for; a longer one stops that model.",
        "Give seconds from 0.",
    )
    max_reply_bytes: Annotated[int, Field(ge=1024, le=4_294_967_296)] = setting(
        67_108_864, "The most bytes of a body, unpacked.", "Give a number of bytes from 1024 to 4294967296."
    )
    extra_body: Body = setting({}, "Added to the body of each request.", BODY_CURE)
    stages: StageMapping = setting(
        {},
        "Settings of stages at this endpoint; they win over those of all.",
        "Give the name of a stage an object with its settings.",
    )
    batch: BatchSettings = setting({}, "Whether its requests go out as batches, and how.", "Give an object.")

    @model_validator(mode="after")
    def _has_an_address(self) -> Endpoint:
        if self.kind == "openai" and not (self.base_url or self.start):
            raise fault(
                "an endpoint of kind openai needs a base_url.", "Add it, or `start` for a server to be started."
            )
        if self.start and self.kind != "openai":
            raise fault(f"an endpoint of kind {self.kind} has no `start`.", "Take it out, or use kind: openai.")
        if self.kind == "anthropic" and not self.base_url:
            raise fault("an endpoint of kind anthropic needs a base_url.", "Add it: https://api.anthropic.com.")
        if self.batch.enabled and not self.has_batches:
            raise fault("a model that runs on this machine has no batches.", "Take batch.enabled out.")
        if self.start and self.base_url and not _is_here_without_port(self.base_url):
            problem = "base_url and `start` do not fit: the server is started on a free port of this machine."
            raise fault(problem, "Take base_url out; for another path than /v1: base_url: http://127.0.0.1/path.")
        return self

    @property
    def has_batches(self) -> bool:
        """Whether it can be a provider's, which has batches: what runs on this machine has none."""
        return self.kind != "embedded" and self.start is None

    @property
    def command(self) -> tuple[str, ...]:
        """The words of `start`; none where nothing is started."""
        return tuple(shlex.split(self.start)) if self.start else ()

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the environment variables that calls need."""
        if self.kind == "embedded":
            return ()
        values = [*self.default_query.values(), *self.headers.values()]
        named = [value.removeprefix("$") for value in values if value.startswith("$")]
        return tuple(dict.fromkeys([*([self.api_key_env] if self.api_key_env else []), *named]))


def _is_here_without_port(base_url: str) -> bool:
    parts = urlsplit(base_url)
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost") and parts.port is None

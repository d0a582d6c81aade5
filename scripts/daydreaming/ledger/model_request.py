"""A request to a model as an immutable value, named by its content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

# Of natural text a tokenizer makes a token of four to five bytes.
BYTES_PER_TOKEN = 4


@dataclass(frozen=True)
class ModelRequest:
    """All that decides an answer, and nothing else: no key, no timeout, no endpoint's name.

    `answerer` says who answers: the endpoint's base URL, the command of its local server, or the embedded model's
    package and version. `attempt` counts the fresh attempts after replies that could not be used (0 for the first
    request). `output_limit_parameter` is the name under which `max_tokens` is sent.
    """

    answerer: str
    model: str
    messages: tuple[Mapping[str, str], ...]
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    replicate: int = 1
    attempt: int = 0
    output_limit_parameter: str = "max_tokens"

    @cached_property
    def content(self) -> dict[str, Any]:
        """The request as plain JSON values, as it is stored and named."""
        content = {
            "answerer": self.answerer,
            "model": self.model,
            "messages": [dict(message) for message in self.messages],
            # 1 and 1.0 are the same temperature, and must have the same name.
            "temperature": None if self.temperature is None else float(self.temperature),
            "max_tokens": self.max_tokens,
            "seed": self.seed,
            "extra_body": dict(self.extra_body),
            "replicate": self.replicate,
        }
        # What is as it always was is in no name: names must outlive the code.
        if self.attempt:
            content["attempt"] = self.attempt
        if self.output_limit_parameter != "max_tokens":
            content["output_limit_parameter"] = self.output_limit_parameter
        return content

    @cached_property
    def sha256(self) -> str:
        """The name of the request: SHA-256 of its canonical JSON (sorted keys, no white space)."""
        return hashlib.sha256(orjson.dumps(self.content, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def body(self) -> dict[str, Any]:
        """The body of the HTTP call. Some gateways stream unless they are told not to; that changes no answer."""
        body = {
            "model": self.model,
            "messages": self.content["messages"],
            "temperature": self.temperature,
            self.output_limit_parameter: self.max_tokens,
            "seed": self.seed,
            "stream": False,
        }
        return {**{key: value for key, value in body.items() if value is not None}, **self.extra_body}

    @property
    def output_limit(self) -> int | None:
        """The most tokens that the reply may have, by whatever name the limit is sent; None where it has none."""
        sent = [self.extra_body.get(name) for name in ("max_completion_tokens", "max_tokens")]
        limits = [limit for limit in sent if isinstance(limit, int) and not isinstance(limit, bool)]
        # The body's own limit replaces `max_tokens` under the same name; under two names, the larger one may hold.
        if self.max_tokens is not None and self.output_limit_parameter not in self.extra_body:
            limits.append(self.max_tokens)
        return max(limits, default=None)

    @property
    def prompt_bytes(self) -> int:
        """The length of the messages in UTF-8 bytes: a byte-level tokenizer makes no more tokens of them than this."""
        return sum(len(message["content"].encode("utf-8", errors="replace")) for message in self.messages)

    @property
    def expected_prompt_tokens(self) -> int:
        """An estimate of the tokens of the messages: one for each BYTES_PER_TOKEN bytes."""
        return self.prompt_bytes // BYTES_PER_TOKEN

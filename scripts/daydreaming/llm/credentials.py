"""With what an endpoint is called: its address, its key, and the headers and query whose values the environment has."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.inputs.endpoint_settings import Endpoint


@dataclass(frozen=True, slots=True)
class Credentials:
    """An address, what is sent to it with every call, and which of that is `secret`."""

    base_url: str
    key: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret: tuple[str, ...] = field(default=(), repr=False)


def credentials_of(endpoint: Endpoint) -> Credentials:
    """Read from the environment what an endpoint is called with.

    A value `$NAME` of its `headers` and `default_query` stands for the environment variable NAME.
    Raises GenerationError (missing_key) for a variable that is not set or cannot be sent.
    """
    key = _variable(endpoint, endpoint.api_key_env) if endpoint.api_key_env else "none"
    named = {
        value: _variable(endpoint, value[1:])
        for values in (endpoint.headers, endpoint.default_query)
        for value in values.values()
        if value.startswith("$")
    }
    return Credentials(
        endpoint.base_url or "",
        key,
        {name: named.get(value, value) for name, value in endpoint.headers.items()},
        {name: named.get(value, value) for name, value in endpoint.default_query.items()},
        (*((key,) if endpoint.api_key_env else ()), *named.values()),
    )


def _variable(endpoint: Endpoint, name: str) -> str:
    value = os.environ.get(name, "").strip()
    # Any other character makes the HTTP package fail with an error that may show the key.
    if not (value and value.isascii() and value.isprintable()):
        raise GenerationError(
            FailureKind.MISSING_KEY,
            f"The endpoint {endpoint.name!r} needs a key (printable ASCII characters): set the environment "
            f"variable {name}.",
        )
    return value

"""A last look for secrets: whatever else leaves them out, no bundle that holds one is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from daydreaming.base.errors import Fault, InputError
from daydreaming.inputs.settings import Settings
from daydreaming.llm.secrets_hidden import written_forms

# Shorter values are found in any text.
_SHORTEST = 8
_NAMES = re.compile(r"(?:^|_)(?:API_?KEY|KEY|TOKEN|PAT|SECRET|PASSWORD|PASSWD|PASS|CREDENTIALS?)$", re.IGNORECASE)
# What variables of such names hold besides: a text, or where a file with a key in it lies.
_NO_SECRET = re.compile(r".*\s.*|~?\.{0,2}/.*|[A-Za-z]:\\.*", re.DOTALL)
_SCHEME = re.compile(r"(?:bearer|basic|token|key)\s+", re.IGNORECASE)
_IN_BODIES = re.compile(
    r"(?:api[_-]?key|secret|password|authorization|(?:access|auth|bearer)[_-]?token)$", re.IGNORECASE
)
_ADDRESS_WITH_USER = re.compile(rb"[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^/\s:@\"'<>\\]{1,200}:[^/\s@\"'<>\\]{1,200}@")
_CURE = "Take it out, change that key where it is valid, and bundle again."


class SecretSearch:
    """Knows the secrets of an environment: what the settings name, what is named as a key, passwords in addresses."""

    def __init__(self, settings: Settings, environment: Mapping[str, str]):
        found = dict(_secrets(settings, environment))
        self._forms = {form: name for value, name in found.items() for form in written_forms(value)}

    def check(self, name: str, content: bytes, *, is_setting: bool = False) -> None:
        """Raise InputError for a file of the bundle that holds a secret; what it is, nobody is told.

        `is_setting`: no text of a model, so that an address with a password in it can only be somebody's.
        """
        for form, variable in self._forms.items():
            if form in content:
                raise InputError(Fault(name, f"it holds the value of the environment variable {variable}.", _CURE))
        if is_setting and _ADDRESS_WITH_USER.search(content):
            raise InputError(Fault(name, "an address in it has a user name and a password (before the @).", _CURE))


def check_bodies(value: Any, place: str) -> None:
    """Raise InputError for a key in what is added to the bodies of requests (`extra_body`)."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, str) and item and _IN_BODIES.search(str(key)):
                raise InputError(Fault("config.yaml", f"the value of {key!r} may be a key.", _CURE, key=place))
            check_bodies(item, f"{place}.{key}")
    elif isinstance(value, list):
        for item in value:
            check_bodies(item, place)


def _secrets(settings: Settings, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    named = set()
    for endpoint in settings.endpoints.values():
        values = [*endpoint.headers.values(), *endpoint.default_query.values()]
        named |= {value[1:] for value in values if value.startswith("$")} | {endpoint.api_key_env}
    for name, value in environment.items():
        secret = _SCHEME.sub("", value.strip(), count=1)
        if name in named or (_NAMES.search(name) and not _NO_SECRET.fullmatch(secret)):
            yield from _long_enough(secret, name)
        if "://" in value and "@" in value:
            yield from _long_enough(_password(value), name)


def _long_enough(secret: str, name: str) -> Iterator[tuple[str, str]]:
    if len(secret) >= _SHORTEST:
        yield secret, name


def _password(address: str) -> str:
    try:
        return unquote(urlsplit(address).password or "")
    except ValueError:
        return ""

"""The types of single settings: what a text, a number, an address or a mapping in config.yaml has to be."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from daydreaming.base.identifiers import is_valid_id

RETRIED_KINDS = ("truncated", "refused", "empty", "too_short", "malformed", "unfinished", "prompt_cut", "parse")
Key = TypeVar("Key")
Value = TypeVar("Value")

_SECRET_NAME = re.compile(r"key|token|auth|secret|passw|cookie|credential|signature", re.IGNORECASE)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# An option or a variable of a command that names a secret, with or without its value.
_SECRET_WORD = re.compile(
    r"--?(?:\w+[-_])*(?:api[-_]?key|token|password|secret)(?:=.*)?|\w*(?:key|token|password|secret)=.*",
    re.IGNORECASE | re.DOTALL,
)
_SHELL_WORD = re.compile(r"[|&;<>]+|\d?>+.*|[~$].*", re.DOTALL)
_BLANK = re.compile(r"[\x00-\x20\x7f\x85\xa0\u2028\u2029]")


class ReadOnlyMapping(dict[Key, Value]):
    """A dict that cannot be changed, so that one value can be shared by all threads; it pickles and prints as a dict.

    A subclass of dict, because the JSON writers write it as they write a dict.
    """

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("settings cannot be changed; make a copy with dict()")

    __setitem__ = __delitem__ = update = setdefault = pop = popitem = clear = __ior__ = _refuse

    def __reduce__(self) -> tuple[type[ReadOnlyMapping[Key, Value]], tuple[dict[Key, Value]]]:
        return type(self), (dict(self),)


def read_only(value: Any) -> Any:
    """Return a JSON value whose mappings cannot be changed, however deep they lie."""
    if isinstance(value, Mapping):
        return ReadOnlyMapping({key: read_only(item) for key, item in value.items()})
    return [read_only(item) for item in value] if isinstance(value, list) else value


def empty_if_none(value: Any) -> Any:
    """Return an empty mapping for None: a key with nothing below it takes away all that stood there."""
    return {} if value is None else value


def _one_of(known: tuple[str, ...], text: str) -> str:
    if text not in known:
        raise fault(f"{text!r} is not known.", f"Use {', '.join(known)}.")
    return text


def _enum(known: tuple[str, ...]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(known)})


def fault(problem: str, cure: str) -> PydanticCustomError:
    """Return an error for a validator to raise: what is wrong with a setting, and what to do."""
    # The texts go in as values: braces in them are no placeholders.
    return PydanticCustomError("setting", "{problem}", {"problem": problem, "cure": cure})


def _checked_address(url: str) -> str:
    """A base URL; the fault never repeats it, for a password or a key may be in it."""
    cure = "Give an address that starts with http:// or https://, such as https://openrouter.ai/api/v1."
    if not url.startswith(("http://", "https://")):
        raise fault("the address starts neither with http:// nor with https://.", cure)
    if _BLANK.search(url):
        raise fault("the address has a blank, a line end or a control character in it.", "Take it out.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        reason = "the port is not a number from 1 to 65535" if "ort" in str(error) else "the host cannot be read"
        raise fault(f"{reason}.", "Write it as in http://127.0.0.1:8000/v1 or http://[::1]:8000/v1.") from None
    if not host:
        raise fault("the address names no host.", cure)
    if port == 0:
        raise fault("the port is not a number from 1 to 65535.", "Write it as in http://127.0.0.1:8000/v1.")
    if parts.username is not None or parts.password is not None:
        cure = "Put the key into an environment variable and name that in api_key_env, or by `$NAME` in headers."
        raise fault("the address holds a user name or a password (before the @).", cure)
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        cure = (
            "Write what follows the ? as default_query; a key there belongs into an environment variable: "
            "`default_query: {key: $NAME}`, or `headers`."
        )
        raise fault("the address has a query or a fragment (after ? or #).", cure)
    return url


def _checked_command(command: str) -> str:
    """The command of a server; the fault never repeats it, for a key may be in it."""
    example = "as in `llama-server -m model.gguf --port {port}`"
    try:
        words = shlex.split(command)
    except ValueError:
        raise fault("the command has a quotation mark that is not closed.", "Close it.") from None
    if "\x00" in command or not any(words):
        raise fault("there is no command, or it has a NUL character in it.", f"Give a command, {example}.")
    if "=" in words[0]:
        raise fault("the command starts with a variable, and no shell reads it.", "Write `env NAME=value command ...`.")
    if any(_SECRET_WORD.fullmatch(word) for word in words):
        cure = (
            "Take it out, and name the environment variable in which the server looks for its key in api_key_env: "
            "the server has it as well (LLAMA_API_KEY, VLLM_API_KEY)."
        )
        raise fault("a word of the command may be a key, and a key has no place in a file.", cure)
    if any(_SHELL_WORD.fullmatch(word) for word in words):
        raise fault("the command has a word that only a shell understands, and none reads it.", "Write paths in full.")
    if not any("{port}" in word for word in words[1:]):
        raise fault("the command has no {port}.", f"Write it where the server is told its port, {example}.")
    return command


def _checked_path(path: Any) -> Path:
    if isinstance(path, Path):
        return path
    if not isinstance(path, str) or not path:
        raise fault(f"{path!r} is not a path.", "Give the path of a folder.")
    if "\x00" in path:
        raise fault("the path has a NUL character in it.", "Give the path of a folder.")
    if any(len(name.encode("utf-8", "surrogatepass")) > 255 for name in path.split("/")):
        raise fault("a name in the path is longer than 255 bytes.", "Shorten it.")
    return Path(path)


def _checked_values(values: Mapping[str, str]) -> Mapping[str, str]:
    """Texts that every call carries along; the fault never repeats a value, for it may be a key."""
    for name, value in values.items():
        if value.startswith("$") and not _VARIABLE.fullmatch(value):
            raise fault(f"the value of {name!r} is not the name of a variable.", "Write `$NAME`.")
        if not value.startswith("$") and _SECRET_NAME.search(name):
            cure = f"Put it into an environment variable and write `{name}: $NAME` with that variable's name."
            raise fault(f"the value of {name!r} may be a key, and a key has no place in a file.", cure)
        if re.search(r"[\x00-\x1f\x7f]", value):
            raise fault(f"the value of {name!r} has a line end or a control character in it.", "Take it out.")
    return values


def _checked_headers(values: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in values.items():
        if not _HEADER_NAME.fullmatch(name):
            raise fault(f"{name!r} is not the name of a header.", "Use letters, digits and '-'.")
        if not value.isascii():
            raise fault(f"the value of {name!r} has a character outside of ASCII.", "Take it out.")
    return values


def _checked_identifier(text: str) -> str:
    if not is_valid_id(text):
        raise fault(f"{text!r} is not allowed.", "Use letters, digits, '.', '_' and '-'.")
    return text


def _checked_stage_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name, re.ASCII):
        raise fault(f"{name!r} cannot be the name of a stage.", "Use small letters, digits and '_', at most 40.")
    return name


# JSON schema and messages show what each of these admits; the comments in config.yaml say what it is for.
# Which stages there are, the table of stages says.
StageName = Annotated[str, AfterValidator(_checked_stage_name)]
RetriedKind = Annotated[str, AfterValidator(partial(_one_of, RETRIED_KINDS)), _enum(RETRIED_KINDS)]
Identifier = Annotated[str, Field(max_length=200), AfterValidator(_checked_identifier)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
FolderPath = Annotated[Path, BeforeValidator(_checked_path, json_schema_input_type=str)]
Address = Annotated[str, AfterValidator(_checked_address)]
ServerCommand = Annotated[str, AfterValidator(_checked_command)]
UrlPath = Annotated[str, Field(pattern=r"^/[!-~]*$")]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
CountFromZero = Annotated[int, Field(ge=0, le=1_000_000_000)]
Seconds = Annotated[float, Field(gt=0, le=604_800)]
SecondsFromZero = Annotated[float, Field(ge=0, le=604_800)]
# A whole number stays one: 0 and 0.0 are the same temperature, but not the same bytes of a request.
Temperature = Annotated[int, Field(ge=0, le=100)] | Annotated[float, Field(ge=0, le=100)]
Body = Annotated[
    Mapping[str, Any],
    BeforeValidator(empty_if_none, json_schema_input_type=dict[str, Any] | None),
    AfterValidator(read_only),
]
QueryValues = Annotated[Mapping[str, str], AfterValidator(_checked_values), AfterValidator(read_only)]
HeaderValues = Annotated[
    Mapping[str, str], AfterValidator(_checked_headers), AfterValidator(_checked_values), AfterValidator(read_only)
]

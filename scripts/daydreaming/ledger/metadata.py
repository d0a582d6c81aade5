"""The record of a generation, `metadata.json`: what it says, how it is written, and the one way to read it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

VERSION = 2
NO_ERROR = "none"
# The last key of a record: the digest of all that stands before it. In JSON, no text that is no key has it so.
_SEAL = b'"record_sha256"'

Value = TypeVar("Value")


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """The files that the last try wrote, None for those that it did not."""

    prompt: str | None = None
    raw: str | None = None
    parsed: str | None = None


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """How a generation went and what it was made of; the fields are the keys, in their order.

    The keys up to `cohort_id` are a contract (docs and schemas/metadata.schema.json). Times are Unix seconds, durations
    seconds (`_s`) or milliseconds (`_ms`), costs US dollars, digests SHA-256. `fingerprint` says what the generation
    was made from besides texts of others. `parent_sha256` is the digest of its parent's text, `further_sha256` has
    those of the others that it was made from; `parsed_sha256` and `raw_sha256` are of what was written. `settings` has
    for each setting its `value` and the place that says it (`from`). A record of another program has no fingerprint.
    """

    stage: str = ""
    gen_id: str = ""
    template_id: str | None = None
    template_path: str | None = None
    template_sha1: str | None = None
    model: str | None = None
    parser_name: str | None = None
    skip_llm: bool = False
    pass_through_from: str | None = None
    files: Files = Files()
    started_at: float | None = None
    finished_at: float | None = None
    duration_s: float | None = None
    mode: str | None = None
    error: str = ""
    error_message: str | None = None
    cohort_id: str | None = None
    version: int = 1
    parent_gen_id: str | None = None
    second_parent_gen_id: str | None = None
    combo_id: str | None = None
    llm_model_id: str | None = None
    model_id: str | None = None
    replicate: int | None = None
    adopted: bool = False
    imported_from: str | None = None
    render_ms: float | None = None
    queue_ms: float | None = None
    llm_ms: float | None = None
    wait_ms: float | None = None
    parse_ms: float | None = None
    finish_reason: str | None = None
    usage: dict[str, int] | None = None
    cost_usd: float | None = None
    served_model: str | None = None
    request_id: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    endpoint: str | None = None
    answerer: str | None = None
    score_min: float | None = None
    score_max: float | None = None
    score_as_written: str | None = None
    prompt_sha256: str | None = None
    request_sha256: str | None = None
    attempts: int = 0
    tries: int = 0
    reply_reused: bool = False
    fingerprint: str | None = None
    parent_sha256: str | None = None
    further_sha256: list[str | None] | None = None
    raw_sha256: str | None = None
    parsed_sha256: str | None = None
    settings: dict[str, dict[str, Any]] | None = None
    error_traceback: str | None = None

    @property
    def failed(self) -> bool:
        """Whether the last try failed."""
        return self.error not in ("", NO_ERROR)

    @property
    def catalog_model(self) -> str | None:
        """The id of the model in the catalog, under either of its names."""
        return self.llm_model_id or self.model_id


class Origin(StrEnum):
    """Whose record a generation has."""

    NONE = "none"  # there is no metadata.json
    OURS = "ours"
    FOREIGN = "foreign"  # of another program, or of the earlier layout of these files
    DAMAGED = "damaged"  # nobody can say what it says


class MetadataReading(msgspec.Struct, frozen=True):
    """What was found in a metadata.json; of a damaged one, what is wrong with it.

    `not_understood` names the keys of a record of another program whose values have other types than ours.
    """

    origin: Origin
    metadata: Metadata
    problem: str = ""
    not_understood: tuple[str, ...] = ()


_NOTHING = Metadata()
_DECODER = msgspec.json.Decoder(Metadata)
_ABSENT = MetadataReading(Origin.NONE, _NOTHING)


def read_metadata(path: Path | str) -> MetadataReading:
    """Read the record of a generation. Raises nothing: what cannot be read is a finding."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return _ABSENT
    except (OSError, ValueError) as error:
        return _damaged(f"metadata.json cannot be read ({error})")
    try:
        return parse_metadata(_all_bytes(descriptor))
    except OSError as error:
        return _damaged(f"metadata.json cannot be read ({error.strerror})")
    finally:
        os.close(descriptor)


def parse_metadata(content: bytes) -> MetadataReading:
    """Say what the content of a metadata.json means."""
    try:
        metadata = _DECODER.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return _not_a_record(content, error)
    if metadata.fingerprint is None:
        return _not_a_record(content, None)
    if not (metadata.stage and metadata.gen_id and metadata.template_id and metadata.error):
        return _damaged("metadata.json does not say whose record it is, or how it went")
    if metadata.started_at is None or metadata.finished_at is None:
        return _damaged("metadata.json does not say when it was made")
    # Records of earlier versions have no digest.
    seal = content.rfind(_SEAL)
    if seal >= 0 and content[seal:] != _seal(content[:seal]):
        return _damaged("metadata.json is not what was written: it was edited")
    return MetadataReading(Origin.OURS, metadata)


def encode_metadata(metadata: Metadata) -> bytes:
    """Return the bytes of a metadata.json. What JSON cannot hold (lone surrogates, huge numbers) is replaced.

    Its last key, `record_sha256`, is the digest of the record: an edited one is found by it.
    """
    try:
        content = msgspec.json.encode(metadata)
    except (ValueError, OverflowError, msgspec.MsgspecError):
        content = msgspec.json.encode(_writable(msgspec.structs.asdict(metadata)))
    return _sealed(content)


def encode_changed(record: Mapping[str, Any]) -> bytes:
    """Return the bytes of a metadata.json that was read as it stands, and changed by a program of ours."""
    return _sealed(msgspec.json.encode({key: value for key, value in record.items() if key != "record_sha256"}))


def _sealed(content: bytes) -> bytes:
    """A record, which has a key, as it is written: on several lines, its digest at the end."""
    unsealed = msgspec.json.format(content, indent=2).removesuffix(b"\n}") + b",\n  "
    return unsealed + _seal(unsealed)


def _seal(unsealed: bytes) -> bytes:
    return b'%s: "%s"\n}\n' % (_SEAL, hashlib.sha256(unsealed).hexdigest().encode())


def _not_a_record(content: bytes, problem: Exception | None) -> MetadataReading:
    """A record of another program is read as far as it goes; one of ours whose values have wrong types is damaged."""
    try:
        values = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        what = "is empty" if not content.strip() else f"is not JSON ({error})"
        return _damaged(f"metadata.json {what}")
    if not isinstance(values, dict):
        return _damaged("metadata.json is not a JSON object")
    if "fingerprint" in values or "version" in values:
        return _damaged(f"metadata.json lacks values, or has some of wrong types ({problem or 'no fingerprint'})")
    if "template_id" not in values:
        return _damaged("metadata.json does not say what it was made from")
    return _foreign(values)


def _foreign(values: Mapping[str, Any]) -> MetadataReading:
    """As much of a record as can be understood."""
    understood: dict[str, Any] = {}
    others: list[str] = []
    for name, expected in _field_types().items():
        if name in values:
            try:
                understood[name] = msgspec.convert(values[name], expected)
            except msgspec.ValidationError:
                others.append(name)
    error = values.get("error")
    understood["error"] = NO_ERROR if error in (None, False, "", NO_ERROR) else str(error)
    return MetadataReading(Origin.FOREIGN, Metadata(**understood), not_understood=tuple(others))


@cache
def _field_types() -> dict[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(Metadata)}


def _writable(value: Any) -> Any:
    """A value without what JSON cannot hold."""
    if isinstance(value, str):
        return value.encode("utf-8", errors="replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {_writable(key): _writable(item) for key, item in value.items()}
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return None
    return value


def _damaged(problem: str) -> MetadataReading:
    return MetadataReading(Origin.DAMAGED, _NOTHING, problem)


def _all_bytes(descriptor: int) -> bytes:
    content = os.read(descriptor, 1 << 16)
    if len(content) < 1 << 16:
        return content
    blocks = [content]
    while block := os.read(descriptor, 1 << 20):
        blocks.append(block)
    return b"".join(blocks)

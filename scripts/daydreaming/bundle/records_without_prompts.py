"""What a record says of a generation, without what it says of its prompt."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from daydreaming.ledger.metadata import Origin, encode_changed, parse_metadata


def record_without_prompt(content: bytes) -> bytes:
    """A `metadata.json` with a digest in place of the system message, and without a stack trace, which may quote one.

    A file that is no record of ours has nothing of the kind, or nobody can say: of one that is no JSON object nothing
    is left.
    """
    try:
        record = msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return b"{}\n"
    settings = record.get("settings")
    system = settings.get("system") if isinstance(settings, dict) else None
    if system is None and not record.get("error_traceback"):
        return content
    if isinstance(system, dict) and "value" in system:
        said = msgspec.json.encode(system["value"])
        system["value"] = f"sha256:{hashlib.sha256(said).hexdigest()}, {len(said)} bytes of JSON"
    if record.get("error_traceback"):
        record["error_traceback"] = None
    if parse_metadata(content).origin is Origin.DAMAGED:  # its digest stays as wrong as it is
        return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
    return encode_changed(record)

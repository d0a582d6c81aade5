"""Names derived from content: the same content has the same name on every machine and in every cohort."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

GENERATION_ID_LENGTH = 16
_VALID_ID = re.compile(r"[A-Za-z0-9._-]+")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def generation_id(stage: str, template_id: str, model_id: str, parent_or_combo: str, replicate: int) -> str:
    """Name a generation by what it is: 16 characters of base 36.

    `parent_or_combo` is the combo of a draft, the parent's gen_id of an essay or an evaluation. The cohort is no part
    of the name, so that cohorts share the generations that they have in common.
    """
    # The keys are part of the name: renaming one would rename every generation that exists.
    return content_id(
        {
            "stage": stage,
            "template": template_id,
            "model": model_id,
            "source": parent_or_combo,
            "replicate": replicate,
        },
        GENERATION_ID_LENGTH,
    )


def content_id(content: Any, length: int) -> str:
    """Name a JSON value by its content: `length` characters of base 36 from the SHA-256 of its canonical JSON."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    number = int.from_bytes(hashlib.sha256(canonical.encode()).digest(), "big")
    characters = []
    for _ in range(length):
        number, digit = divmod(number, 36)
        characters.append(_DIGITS[digit])
    return "".join(characters)


def is_valid_id(text: str) -> bool:
    """Whether `text` can name a file: letters, digits, `.`, `_` and `-` of ASCII, and neither `.` nor `..`."""
    return _VALID_ID.fullmatch(text) is not None and text not in (".", "..")

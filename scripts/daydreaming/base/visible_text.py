"""Texts of others as a page or a terminal may show them: what cannot be seen has a visible mark."""

from __future__ import annotations

import re

# Control characters but for tab and line feed, marks of direction, invisible characters, lone surrogates.
# Joiners (U+200C, U+200D) stay: scripts and emoji need them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_PICTURES = 0x2400  # of control characters, in their order


def visible(text: str) -> str:
    """Return a text with a mark for each character that cannot be seen or that changes the order of others."""
    return _UNSEEN.sub(_mark, text)


def _mark(found: re.Match[str]) -> str:
    number = ord(found[0])
    if number < 0x20:
        return chr(_PICTURES + number)
    return "\u2421" if number == 0x7F else f"[U+{number:04X}]"

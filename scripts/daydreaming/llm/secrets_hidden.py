"""Keys that must reach no file and no terminal, taken out of what comes back in every form in which it can."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MARK = b"[secret removed]"
# Shorter parts of a key are found in any text, and tell nobody anything.
SHORTEST_PART = 8


class Secrets:
    """Secrets, and their removal. Made once for a connection."""

    def __init__(self, secrets: Iterable[str]):
        forms = {form for secret in secrets if secret for form in written_forms(secret)}
        self._short = sorted(form for form in forms if len(form) < SHORTEST_PART)
        self._parts = frozenset(part for form in forms for part in _parts(form))
        anywhere = b"|".join(re.escape(part) for part in sorted(self._parts))
        self._pattern = re.compile(b"(?=" + anywhere + b")") if self._parts else None

    def hide(self, content: bytes) -> tuple[bytes, int]:
        """Return a body with a mark in place of every part of a secret, and at how many places there was one.

        Secrets of fewer than SHORTEST_PART characters stay: they would be found inside of words.
        """
        # A search for each part is many times faster than one for all where there is none, which is the rule.
        if self._pattern is None or not any(part in content for part in self._parts):
            return content, 0
        kept, end, places = [], 0, 0
        for found in self._pattern.finditer(content):
            if found.start() > end or not places:
                kept += [content[end : found.start()], MARK]
                places += 1
            end = found.start() + SHORTEST_PART
        return b"".join(kept) + content[end:], places

    def hide_in_text(self, text: str) -> str:
        """Return a message without any secret, short ones too."""
        content, _ = self.hide(text.encode("utf-8", errors="surrogatepass"))
        for secret in self._short:
            content = content.replace(secret, MARK)
        return content.decode("utf-8", errors="surrogatepass")


def written_forms(secret: str) -> set[bytes]:
    """How a secret may be written: as it is, in a URL, in JSON, in base64 with `Bearer` or without."""
    plain = secret.encode("utf-8", errors="surrogatepass")
    texts = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    coded = {
        encode(prefix + plain).rstrip(b"=")
        for prefix in (b"", b"Bearer ", b":")
        for encode in (base64.b64encode, base64.urlsafe_b64encode)
    }
    return {text.encode("utf-8", errors="surrogatepass") for text in texts} | coded


def _parts(form: bytes) -> set[bytes]:
    return {form[start : start + SHORTEST_PART] for start in range(len(form) - SHORTEST_PART + 1)}

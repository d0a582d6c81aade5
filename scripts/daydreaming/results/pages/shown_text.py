"""Texts of models as a page shows them: nothing in them acts, and what cannot be seen is marked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token

# Beyond that, Markdown is shown as it was written: it is hardly prose, and rendering takes time that grows with it.
LONGEST_MARKDOWN = 40_000

# Control characters, but for tab and line feed; marks of direction; invisible characters; tags; lone surrogates.
# Joiners (U+200C, U+200D) stay: scripts and emoji need them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_TO_ESCAPE = re.compile(r"[&<>\"']")
_LEAST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ShownText:
    """HTML of a text, of `size` bytes at most as asked for; `is_whole` is False where its end is left out."""

    html: str
    is_whole: bool = True


def visible(text: str) -> str:
    """Return a text with a visible mark for each character that cannot be seen or that changes the order of others."""
    return _INVISIBLE.sub(_mark, text.replace("\r\n", "\n"))


def escape(text: str) -> str:
    """Return a text as HTML, with marks for what cannot be seen."""
    return _TO_ESCAPE.sub(lambda found: _ESCAPED[found[0]], visible(text))


def as_markdown(text: str, size: int) -> ShownText:
    """Return a text rendered as Markdown, in HTML of at most about `size` bytes.

    HTML, links and images in it are shown as they were written. Headings become paragraphs: a model's headings are no
    part of the page's structure.
    """
    if len(text) > LONGEST_MARKDOWN:
        return _written_paragraph(text, size)
    html = _markdown().render(visible(text))
    return ShownText(html) if _bytes(html) <= size else _written_paragraph(text, size)


def _written_paragraph(text: str, size: int) -> ShownText:
    shown = as_written(text, size)
    return ShownText(f'<p class="as-written">{shown.html}</p>', shown.is_whole)


def as_written(text: str, size: int) -> ShownText:
    """Return a text as it was written, in HTML of at most about `size` bytes: its beginning where it is longer."""
    kept = text[: max(size, _LEAST_SHOWN)]
    html = escape(kept)
    while _bytes(html) > size and len(kept) > _LEAST_SHOWN:
        kept = kept[: len(kept) * 3 // 4]
        html = escape(kept)
    return ShownText(html, len(kept) == len(text))


def _bytes(html: str) -> int:
    return len(html.encode("utf-8", errors="surrogatepass"))


def _mark(found: re.Match[str]) -> str:
    # Not Unicode's pictures of control characters: few fonts have them.
    return f"\u27e8U+{ord(found[0]):04X}\u27e9"


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.disable(["link", "autolink", "image", "reference", "html_block", "html_inline"])

    parser.add_render_rule("heading_open", _heading_open)
    parser.add_render_rule("heading_close", lambda *_: "</p>\n")
    return parser


def _heading_open(_: RendererHTML, tokens: Sequence[Token], index: int, *_options: object) -> str:
    return f'<p class="heading {tokens[index].tag}">'

"""Texts of models in HTML: nothing acts, what cannot be seen is marked, what is too long is cut."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daydreaming.results.pages.changes import changes_html
from daydreaming.results.pages.shown_text import LONGEST_MARKDOWN, as_markdown, as_written, escape, visible

MARKDOWN_TAGS = {
    "p", "em", "strong", "s", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "br", "table", "thead", "tbody",
    "tr", "th", "td",
}  # fmt: skip


class Tags(HTMLParser):
    """The elements of HTML, with their attributes, and its text."""

    def __init__(self, html: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


@given(
    st.text(alphabet=st.characters(codec=None), max_size=300) | st.text("<>&\"'[]()!`*_#-|~ \n\tajx:/=\\", max_size=300)
)
def test_no_text_becomes_an_element_that_acts_or_loads(text):
    tags = Tags(as_markdown(text, 100_000).html)
    assert {tag for tag, _ in tags.elements} <= MARKDOWN_TAGS
    attributes = {(tag, name) for tag, given in tags.elements for name in given}
    # Where a list begins, how a column lies, what language a fence names.
    assert attributes <= {("ol", "start"), ("p", "class"), ("code", "class"), ("th", "style"), ("td", "style")}


@given(st.text(alphabet=st.characters(codec=None), max_size=300))
def test_a_text_as_written_has_no_element_and_all_its_words(text):
    tags = Tags(f"<pre>{as_written(text, 100_000).html}</pre>")
    assert [tag for tag, _ in tags.elements] == ["pre"]
    assert tags.text == visible(text)


@pytest.mark.parametrize(
    "character", ["\x00", "\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041"]
)
def test_a_character_that_cannot_be_seen_is_marked(character):
    assert visible(f"a{character}b") == f"a⟨U+{ord(character):04X}⟩b"


def test_what_scripts_and_emoji_need_stays():
    text = "family: 👩\u200d👧, Persian: می\u200cخواهم\n\ttabbed"
    assert visible(text) == text


def test_markdown_is_rendered_and_its_headings_are_no_headings_of_the_page():
    html = as_markdown("## Title\n\n* one **two**\n\n| a | b |\n| - | - |\n| 1 | 2 |\n", 10_000).html
    assert '<p class="heading h2">Title</p>' in html
    assert "<li>one <strong>two</strong></li>" in html
    assert "<td>1</td>" in html


@pytest.mark.parametrize("text", ["<", "a", "é", "- a\n", "[a](b) ", "# \n", "\x00"])
def test_a_text_of_two_megabytes_is_cut_to_the_size_asked_for_in_moments(text):
    started = time.process_time()
    shown = as_markdown(text * (2_000_000 // len(text)), 50_000)
    assert not shown.is_whole
    assert len(shown.html.encode()) <= 50_100
    assert time.process_time() - started < 60  # no more than a guard against what takes for ever


def test_a_text_at_the_limit_is_whole_though_its_markdown_does_not_fit():
    text = "- a\n" * (LONGEST_MARKDOWN // 4)
    shown = as_markdown(text, 50_000)
    assert shown.is_whole
    assert shown.html == f'<p class="as-written">{escape(text)}</p>'


def test_changes_mark_words_in_sentences_that_are_alike_and_whole_sentences_elsewhere():
    before = "The tide is slow. Nobody reads the map. It ends."
    after = "The tide is quick. Yeast remembers what we forget. It ends."
    assert changes_html(before, after) == (
        "The tide is <del>slow</del><ins>quick</ins>. "
        "<del>Nobody reads the map. </del><ins>Yeast remembers what we forget. </ins>It ends."
    )


def test_changes_escape_both_texts():
    html = changes_html("<b>old</b>", "<script>new</script>")
    assert {tag for tag, _ in Tags(html).elements} == {"ins", "del"}


@given(st.text("ab. \n!", max_size=80), st.text("ab. \n!", max_size=80))
def test_changes_hold_the_whole_of_both_texts(before, after):
    html = changes_html(before, after)
    without = {"ins": "del", "del": "ins"}
    for kept, text in (("ins", after), ("del", before)):
        parser = Without(without[kept])
        parser.feed(html)
        assert parser.text == text


class Without(HTMLParser):
    """The text of HTML without what is in one kind of element."""

    def __init__(self, tag: str):
        super().__init__()
        self.tag, self.inside, self.text = tag, False, ""

    def handle_starttag(self, tag, _):
        self.inside = tag == self.tag

    def handle_endtag(self, _):
        self.inside = False

    def handle_data(self, data):
        self.text += "" if self.inside else data

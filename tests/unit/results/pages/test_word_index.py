"""The index of the search: which words a text has, and that each part is small and complete."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daydreaming.results.pages.word_index import LARGEST_PART, WordIndex, words_of


def essays_of(parts: list[tuple[str, list[str]]], word: str) -> list[int]:
    """The essays of a word, as the page reads them."""
    found = []
    for _, lines in parts:
        for line in lines:
            first, *steps = line.split(" ")
            number = 0
            for step in steps if first == word else ():
                number += int(step, 36)
                found.append(number)
    return found


def test_words_are_compared_without_case_and_accents():
    assert words_of("Ébauche, naïve: ÉBAUCHE_2 (don't)") == {"ebauche", "naive", "2", "don", "t"}


def test_words_of_other_scripts_are_words():
    assert words_of("夢 и сон") == {"夢", "и", "сон"}


@given(st.lists(st.sets(st.sampled_from(["a", "ab", "b", "é", "夢"])), max_size=200))
def test_the_index_gives_back_which_essays_have_a_word(essays):
    index = WordIndex()
    for number, words in enumerate(essays):
        index.add(number, sorted(words))
    parts = index.parts()
    for word in ("a", "ab", "b", "é", "夢"):
        assert essays_of(parts, word) == [number for number, words in enumerate(essays) if word in words]


def test_parts_are_small_in_the_order_of_their_words_and_a_word_may_fill_several():
    index = WordIndex()
    for number in range(100_000):
        index.add(number, ["everywhere", f"only{number}"])
    parts = index.parts()
    assert max(sum(len(line) + 1 for line in lines) for _, lines in parts) <= LARGEST_PART + LARGEST_PART // 2
    firsts = [first for first, _ in parts]
    assert firsts == sorted(firsts)
    assert essays_of(parts, "everywhere") == list(range(100_000))

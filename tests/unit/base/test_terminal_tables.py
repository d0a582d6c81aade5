"""Tables for the terminal: their width, their words, and cells that look like markup."""

import pytest

from daydreaming.base.terminal_tables import table_text

IDS = ["[red]ids[/red]", "openai/gpt-oss-120b", "evaluation", "data/gens/evaluation/0123456789abcdef/raw.txt"]


def test_columns_stand_under_their_names_and_numbers_to_the_right():
    rows = [["drafts", 1_000, "a"], ["essays", 2, ""]]
    lines = table_text(["stage", "calls", "note"], rows, numbers=["calls"], width=80).splitlines()
    assert lines == ["stage   calls  note", "drafts   1000  a", "essays      2"]


def test_square_brackets_are_no_markup():
    assert "[red]ids[/red]" in table_text(["id"], [["[red]ids[/red]"]], width=80)


@pytest.mark.parametrize("width", [1, 40, 80, 200])
def test_no_word_is_broken_and_none_is_lost(width: int):
    names = ["a name of many words", *IDS[1:]]
    text = table_text(names, [IDS, ["many words in one cell " * 5, "", "", "1"]], numbers=names[-1:], width=width)
    assert {*IDS, "name", "words", "cell"} <= set(text.split())
    assert text.count("cell") == 5


def test_what_can_be_as_narrow_as_the_terminal_is():
    rows = [["evaluation", "novelty judge", "many words in one cell " * 9]]
    assert max(map(len, table_text(["stage", "who", "what"], rows, width=40).splitlines())) <= 40


def test_the_width_is_that_of_the_terminal(monkeypatch: pytest.MonkeyPatch):
    rows = [["word " * 100]]
    for columns in (30, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        longest = max(map(len, table_text(["text"], rows).splitlines()))
        assert columns - 6 < longest <= columns


def test_a_table_without_rows_is_its_names():
    assert table_text(["a", "b"], [], width=80) == "a  b"

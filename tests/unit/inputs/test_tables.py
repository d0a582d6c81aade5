"""Tables: what strict reading accepts, and what it says about each fault."""

import pytest

from daydreaming.base.errors import Fault, InputError
from daydreaming.inputs.tables import CellReader, Row, gathering, identifier_problem, scan_table, with_rows


@pytest.fixture
def table(tmp_path):
    def write(content):
        path = tmp_path / "things.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def read_table(path, *arguments, **options):
    rows, faults = scan_table(path, *arguments, **options)
    if faults:
        raise InputError(faults)
    return rows


def message_of(path, *arguments, **options):
    with pytest.raises(InputError) as caught:
        read_table(path, *arguments, **options)
    return str(caught.value)


def test_rows_carry_stripped_cells_and_spreadsheet_numbers(table):
    rows = read_table(table("id, name ,more\na, Anna ,\n\n,,\nb,Bert,x\n"), ["id", "name"])
    assert rows == [
        Row(2, {"id": "a", "name": "Anna", "more": ""}),
        Row(5, {"id": "b", "name": "Bert", "more": "x"}),
    ]


def test_byte_order_mark_and_crlf_change_nothing(table):
    plain = read_table(table("id,name\na,Ä\n"), ["id", "name"])
    assert read_table(table("\ufeffid,name\r\na,Ä\r\n"), ["id", "name"]) == plain


def test_cell_of_many_lines_is_one_row_and_verbatim_columns_keep_their_space(table):
    rows = read_table(table('id,content,note\na," one\ntwo\n"," x "\nb,,\n'), ["id"], verbatim=["content", "absent"])
    assert [row.number for row in rows] == [2, 3]
    assert rows[0].values == {"id": "a", "content": " one\ntwo\n", "note": "x"}


def test_text_that_looks_like_a_missing_value_stays_text(table):
    rows = read_table(table("id\nNA\n007\n1e5\nnull\n"), ["id"])
    assert [row.values["id"] for row in rows] == ["NA", "007", "1e5", "null"]


def test_missing_file_names_the_columns_to_write(tmp_path):
    message = message_of(tmp_path / "no.csv", ["id", "name"])
    assert message.endswith("no.csv: does not exist. Create it with the columns id, name.")


def test_folder_instead_of_file_is_a_fault(tmp_path):
    assert "cannot be read" in message_of(tmp_path, ["id"])


def test_text_that_is_not_utf8_names_the_row(table):
    message = message_of(table("id,name\na,x\nb,Ä\n".encode("latin-1")), ["id"])
    assert "things.csv, row 3: is not UTF-8 text (byte 0xc4). Save the file again as 'CSV UTF-8'." in message


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_empty_file(table, content):
    assert "row 1: is empty. Add a header with the columns id, name" in message_of(table(content), ["id", "name"])


def test_header_alone(table):
    assert "row 2: has a header and no rows. Add a row" in message_of(table("id,name\n,\n"), ["id", "name"])


def test_all_faults_of_a_file_are_reported_at_once(table):
    path = table("active,id,name,name\ntrue,a\n")
    with pytest.raises(InputError) as caught:
        read_table(path, ["id", "kind", "colour", "active"], last="active")
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [
        (1, "kind"),
        (1, "colour"),
        (1, "name"),
        (1, "active"),
        (2, None),
    ]


def test_missing_column_names_what_is_there(table):
    message = message_of(table("id,nmae\na,x\n"), ["id", "name"])
    assert (
        "row 1, column 'name': this column is missing. Add it to the header and to each row; there are id, nmae."
        in (message)
    )


def test_active_has_to_be_last(table):
    path = table("id,active,note\na,true,x\n")
    assert (
        "row 1, column 'active': this column is not the last one. Move it to the end of every row, after 'note'."
        in (message_of(path, ["id", "active"], last="active"))
    )
    assert read_table(path, ["id", "active"])
    assert [row.values["id"] for row in scan_table(path, ["id"], last="active")[0]] == ["a"]


def test_column_that_occurs_twice(table):
    message = message_of(table("id,name,name\na,x,y\n"), ["id"])
    assert "row 1, column 'name': this column occurs more than once. Keep one" in message


def test_column_without_a_name(table):
    assert "row 1: column 3 has no name. Name it" in message_of(table("id,name,\na,x,\n"), ["id"])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("b,x,y", "row 3: the number of cells is 3, and 2 in the header. Put text that has a comma"),
        ("b", "row 3: the number of cells is 1, and 2 in the header. Add the missing commas."),
    ],
)
def test_row_of_another_width(table, line, expected):
    assert expected in message_of(table(f"id,name\na,x\n{line}\nc,z\n"), ["id"])


def test_quotation_mark_that_is_never_closed_names_its_row(table):
    message = message_of(table('id,name\na,x\nb,"y\nc,z\n'), ["id"])
    assert "row 3: is not well-formed CSV" in message
    assert "Close every quotation mark" in message


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_other_separators_are_one_fault(table, separator, name):
    message = message_of(table(f"id{separator}name\na{separator}x\n"), ["id", "name"])
    assert f"row 1: is separated by {name}. Save the file again with commas" in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("text", ["a", "A.b_c-9", "...", "-"])
def test_ids(text):
    assert identifier_problem(text) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "missing"),
        ("a/b", "slash"),
        ("../up", "slash"),
        ("a\\b", "slash"),
        ("..", "name of a folder"),
        (".", "name of a folder"),
        ("a b", "not an id"),
        ("é", "not an id"),
        ("a\n", "not an id"),
    ],
)
def test_texts_that_are_no_ids(text, problem):
    assert problem in identifier_problem(text)


@pytest.fixture
def read(tmp_path):
    def reader(**values):
        return CellReader(tmp_path / "t.csv", Row(4, values), [])

    return reader


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("YES", True), ("1", True), ("False", False), ("no", False)]
)
def test_booleans(read, text, value):
    cells = read(active=text)
    assert cells.boolean("active") is value
    assert cells.faults == []


@pytest.mark.parametrize("text", ["", "maybe", "2", "y"])
def test_texts_that_are_no_booleans(read, text):
    cells = read(active=text)
    assert cells.boolean("active") is False
    assert f"t.csv, row 4, column 'active': {text!r} is neither true nor false. Write true" in str(cells.faults[0])


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("1.5", 1.5), ("1e-3", 0.001), ("", None)])
def test_numbers(read, text, value):
    cells = read(price=text)
    assert cells.number("price") == value
    assert cells.faults == []


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "1_0", "$3", "1,5"])
def test_texts_that_are_no_numbers(read, text):
    cells = read(price=text)
    assert cells.number("price") is None
    assert "row 4, column 'price'" in str(cells.faults[0])
    assert "is not a number of at least 0." in str(cells.faults[0])


def test_column_that_the_table_does_not_have_is_an_empty_cell(read):
    cells = read()
    assert (cells.optional_text("x"), cells.number("x")) == ("", None)
    assert cells.faults == []


@pytest.mark.parametrize("text", ["", "-1", "1.0", "²", "9" * 19])
def test_texts_that_are_no_whole_numbers(read, text):
    cells = read(k=text)
    assert cells.integer("k") is None
    assert "whole number" in str(cells.faults[0])


def test_whole_number(read):
    assert read(k="12").integer("k") == 12


def test_duplicate_ids_name_the_first_row(read):
    cells = read(id="a")
    seen = {"a": 2}
    assert cells.unique_identifier("id", seen) == ""
    assert str(cells.faults[0]).endswith(
        "row 4, column 'id': 'a' is already in row 2. Delete one of the rows, or rename it."
    )
    assert read(id="b").unique_identifier("id", seen) == "b"
    assert seen == {"a": 2, "b": 4}


def test_choice_lists_what_is_allowed(read):
    cells = read(kind="x", other="")
    assert (cells.choice("kind", ["a", "b"]), cells.choice("other", ["a", "b"])) == ("", "")
    assert "'x' is not known. Use a or b." in str(cells.faults[0])
    assert "the cell is empty. Use a or b." in str(cells.faults[1])


def test_gathering_goes_on_after_an_input_error_only():
    faults = []
    with gathering(faults):
        raise InputError(Fault("f", "p.", "c."))
    assert [str(fault) for fault in faults] == ["f: p. c."]
    with pytest.raises(ValueError), gathering(faults):
        raise ValueError


@pytest.mark.parametrize(
    ("content", "row", "words"),
    [
        ("sep=,\nid,name\na,b\n", 1, "begins with 'sep=,', a line for Excel alone. Delete that line"),
        ("\ufeffsep=;\r\nid;name\r\na;b\r\n", 1, "its cells are separated by ';'"),
        ('"sep=,"\nid,name\na,b\n', 1, "a line for Excel alone"),
        ("\ufeff\ufeffid,name\na,b\n", 1, "two byte order marks"),
        ("id,name\na,b\n".encode("utf-16"), 1, "is a text in UTF-16"),
        ("id,name\na,b\n".encode("utf-16-le"), 1, "has NUL bytes in it"),
        ("id,name\na,b\0\n", 2, "has NUL bytes in it"),
        (b"PK\x03\x04\x14\x00", 1, "is a spreadsheet or an archive"),
        ("id;name\na;b\n", 1, "is separated by semicolons"),
    ],
)
def test_other_files_are_told_by_one_fault(table, content, row, words):
    rows, faults = scan_table(table(content), ["id", "name", "active"])
    assert rows == []
    assert [(fault.row, words in str(fault)) for fault in faults] == [(row, True)]


def test_rows_are_added_below_what_is_there_in_its_columns_and_line_ends(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes("\ufeffid,note, name\r\na,,x".encode())
    text = with_rows(path, ("id", "name"), [{"id": "b", "name": "y, z", "elsewhere": "w"}])
    assert text == '\ufeffid,note, name\r\na,,x\r\nb,,"y, z"\r\n'
    assert with_rows(tmp_path / "new.csv", ("id", "name"), [{"id": "b"}]) == "id,name\nb,\n"

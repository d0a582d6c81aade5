"""Front matter: what is taken for it, what is not, and the file, line and cure of each fault."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daydreaming.base.errors import Fault, InputError
from daydreaming.inputs.front_matter import as_body, template_parts

NAME = "data/1_raw/evaluation_templates/rubric.txt"


def faults_of(text: str) -> list[Fault]:
    with pytest.raises(InputError) as caught:
        template_parts(text, NAME)
    return list(caught.value.faults)


@given(st.text())
def test_a_text_that_does_not_begin_with_the_line_is_all_body(text: str):
    if text.split("\n")[0].rstrip() != "---":
        parts = template_parts(text, NAME)
        assert (parts.body, parts.line, parts.front_matter) == (text, 1, None)


@pytest.mark.parametrize(
    "text", ["", "a\n---\nb: 1\n---\n", " ---\nsystem: x\n---\n", "----\n", "--- x\n---\n", "\n---\n"]
)
def test_what_only_resembles_front_matter_is_text(text: str):
    assert template_parts(text, NAME).body == text


@given(st.sampled_from(["", "---", "---\n", "--- \n", "---\r\n", "---\r", "---\n---\n"]), st.text())
def test_any_text_can_be_written_as_one_that_is_sent_as_it_is(begins: str, text: str):
    for read in (begins + text, (begins + text).replace("\r\n", "\n").replace("\r", "\n")):
        written = as_body(begins + text).removesuffix(begins + text) + read
        assert template_parts(written, NAME).body == read, "as it is, and with the line ends of a file that is read"


@given(st.text())
def test_two_lines_before_any_text_send_it_as_it_is(text: str):
    parts = template_parts(f"---\n---\n{text}", NAME)
    assert (parts.body, parts.line) == (text, 3)
    assert parts.front_matter is not None
    assert parts.front_matter.given() == {}


def test_every_key_is_read():
    text = (
        "---\nsystem: |\n  You judge.\nparser: in_last_line\ntemperature: 0\nmax_tokens: 50\ntop_p: 0.5\nseed: 7\n"
        "stop: [END, STOP]\nresponse_format: {type: json_object}\nscore_min: 1\nscore_max: 5\nmin_lines: 2\n"
        "description: A rubric.\n---\r\nBody\r\n"
    )
    parts = template_parts(text, NAME)
    assert parts.front_matter is not None
    assert parts.front_matter.given() == {
        "system": "You judge.\n",
        "parser": "in_last_line",
        "temperature": 0,
        "max_tokens": 50,
        "top_p": 0.5,
        "seed": 7,
        "stop": ["END", "STOP"],
        "response_format": {"type": "json_object"},
        "score_min": 1,
        "score_max": 5,
        "min_lines": 2,
        "description": "A rubric.",
    }
    assert (parts.body, parts.line) == ("Body\r\n", 16)
    assert (parts.lines["system"], parts.lines["temperature"]) == (3, 5)  # of a text below its key, the text's line


def test_a_null_is_said_and_an_absent_key_is_not():
    front_matter = template_parts("---\ntemperature:\n---\nx", NAME).front_matter
    assert front_matter is not None
    assert front_matter.given() == {"temperature": None}


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ("---\nseed: 1\ntemprature: 1\n---\n", 3, "temprature", "Did you mean 'temperature'?"),
        ("---\nzzz: 1\n---\n", 2, "zzz", "The keys of front matter are description, max_tokens,"),
        ("---\nseed: 1\nseed: 2\n---\n", 3, "seed", "stands twice"),
        ("---\nseed: 1\n\nmax_tokens: many\n---\n", 4, "max_tokens", "'many' is not allowed."),
        ("---\nmax_tokens: 0\n---\n", 2, "max_tokens", "Give a number of tokens"),
        ("---\nmax_tokens: 1.5\n---\n", 2, "max_tokens", "1.5 is not allowed."),
        ("---\nmax_tokens: true\n---\n", 2, "max_tokens", "True is not allowed."),
        ("---\ntemperature: .nan\n---\n", 2, "temperature", "is not allowed."),
        ("---\ntop_p: 1.5\n---\n", 2, "top_p", "from 0 to 1"),
        ("---\nstop: []\n---\n", 2, "stop", "is not allowed."),
        ("---\nresponse_format: text\n---\n", 2, "response_format", "Give a mapping"),
        ("---\nresponse_format: {day: 2024-01-01}\n---\n", 2, "response_format", "cannot be written as JSON"),
        ("---\nresponse_format: {a: .nan}\n---\n", 2, "response_format", "cannot be written as JSON"),
        ("---\nresponse_format: {1: a}\n---\n", 2, "response_format", "is not allowed"),
        ("---\nsystem:\n  - a\n---\n", 2, "system", "Give a text."),
        ("---\nseed: 1\nstop: [\n---\n", 3, None, "is not YAML"),
        ("---\n- seed\n---\n", 2, None, "holds no settings"),
        ("---\nThe rule above is meant.\n---\n", 2, None, "put two lines '---' before it"),
        ("---\nseed: 1\n", 1, None, "does not end"),
        ("---\n", 1, None, "put two lines '---' before it"),
        ("---\nseed: !!python/object:os.system {}\n---\n", 2, None, "is not YAML"),
    ],
)
def test_faults_have_file_line_and_cure(text: str, line: int, key: str | None, words: str):
    (fault,) = faults_of(text)
    assert (fault.file, fault.line, fault.key) == (NAME, line, key)
    assert words in str(fault)
    assert str(fault).startswith(f"{NAME}, line {line}")


def test_all_faults_are_told():
    assert [fault.key for fault in faults_of("---\na: 1\nseed: 1\nb: 1\n---\n")] == ["a", "b"]
    assert {fault.key for fault in faults_of("---\nseed: x\ntop_p: x\n---\n")} == {"seed", "top_p"}

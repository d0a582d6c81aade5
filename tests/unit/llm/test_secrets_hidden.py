from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daydreaming.llm.secrets_hidden import MARK, Secrets

KEY = "sk-or-v1-0a1b2c3d/4e5f+6789="
HIDDEN = MARK.decode()


@pytest.mark.parametrize(
    "form",
    [
        KEY,
        quote(KEY, safe=""),
        base64.b64encode(f"Bearer {KEY}".encode()).decode(),
        base64.b64encode(KEY.encode()).decode(),
        KEY[3:11],
        KEY[5:20],
        KEY[-8:],
    ],
)
def test_a_key_is_hidden_in_every_form_in_which_it_can_come_back(form: str):
    body, places = Secrets([KEY]).hide(json.dumps({"a": f"it was {form}!"}).encode())
    assert json.loads(body)["a"].startswith("it was [secret removed]")
    assert (places, form.rstrip("=") in body.decode()) == (1, False)
    assert Secrets([KEY]).hide_in_text(f"it was {form}").rstrip("=") == f"it was {HIDDEN}"


def test_each_place_counts_once_and_the_rest_stays():
    body, places = Secrets([KEY, "another-secret"]).hide(f"<{KEY}> and another-secret, {KEY[:12]}.".encode())
    assert body.decode() == f"<{HIDDEN}> and {HIDDEN}, {HIDDEN}."
    assert places == 3


def test_a_text_without_a_secret_is_the_same_object():
    body = b"The tide comes in." * 100
    assert Secrets([KEY]).hide(body) == (body, 0)
    assert Secrets([KEY]).hide(body)[0] is body
    assert Secrets([]).hide(body)[0] is body


def test_parts_below_eight_characters_tell_nobody_anything():
    body = KEY[3:10].encode()
    assert Secrets([KEY]).hide(body) == (body, 0)


def test_a_short_secret_is_hidden_in_messages_and_no_word_of_an_answer_is_taken_for_it():
    assert Secrets(["tide"]).hide(b"The tide.") == (b"The tide.", 0)
    assert Secrets(["tide"]).hide_in_text("The tide.") == f"The {HIDDEN}."


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=8, max_size=40), st.data())
def test_no_part_of_eight_characters_gets_through(secret: str, data: st.DataObject):
    text = data.draw(st.text(max_size=20)) + secret[data.draw(st.integers(0, 3)) :] + data.draw(st.text(max_size=20))
    hidden = Secrets([secret]).hide_in_text(text).replace(HIDDEN, "\0")
    assert not any(secret[start : start + 8] in hidden for start in range(len(secret) - 7))

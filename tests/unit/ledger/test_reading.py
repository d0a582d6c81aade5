"""What a received answer is read as: every shape of body that servers send, and what it cost."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from core_fixtures import request
from reading_fixtures import PAID, PRICES, completion, no_reply, read

from daydreaming.ledger.bodies import BodyError, json_object
from daydreaming.ledger.received import Reply


def test_a_reply_has_everything_that_accounts_need():
    reply = read(completion(usage={**PAID, "details": {"cached": 1}}), {"x-request-id": "r-9"})
    assert reply == Reply(
        request_sha256=request().sha256,
        text="Hi.",
        finish_reason="stop",
        refusal=None,
        usage=PAID,
        cost_usd=pytest.approx(0.007),
        served_model="served",
        request_id="r-9",
        started_at=1.0,
        finished_at=2.5,
    )
    assert read(completion()).request_id == "c-1"


@pytest.mark.parametrize(
    ("usage", "prices", "cost"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 10, "cost": 0.5}, PRICES, 0.5),
        ({"cost": 0}, PRICES, 0.0),
        ({"cost": "0.25"}, PRICES, 0.25),
        ({"cost": True, "prompt_tokens": 5 * 10**6, "completion_tokens": 0}, PRICES, 5.0),
        ({"prompt_tokens": 10}, PRICES, None),
        ({"prompt_tokens": 10, "completion_tokens": 10}, (1.0, None), None),
        ({"prompt_tokens": "10", "completion_tokens": 10}, PRICES, None),
        (None, PRICES, None),
        ([], PRICES, None),
        # Below zero, or no number at all.
        ({"cost": -1000}, PRICES, None),
        ({"cost": -1000, "prompt_tokens": 10**6, "completion_tokens": 0}, PRICES, 1.0),
        ({"prompt_tokens": -(10**9), "completion_tokens": 10}, PRICES, None),
        ({"prompt_tokens": True, "completion_tokens": 10}, PRICES, None),
        ({"cost": "-3"}, PRICES, None),
        ({"cost": [1]}, PRICES, None),
        # With one's own provider key, the provider's price comes on top of the router's fee.
        ({"cost": 0, "cost_details": {"upstream_inference_cost": 0.4}}, PRICES, 0.4),
        ({"cost": 0.02, "cost_details": {"upstream_inference_cost": 0.4}}, PRICES, pytest.approx(0.42)),
        ({"cost": 0.25, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.5}}, PRICES, 0.75),
        ({"cost": 0.4, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.4}}, PRICES, 0.4),
        ({"cost_details": {"upstream_inference_cost": 0.4}}, PRICES, 0.4),
        ({"cost": 0.5, "cost_details": {"upstream_inference_cost": None}}, PRICES, 0.5),
        ({"cost": 0.5, "cost_details": {"upstream_inference_cost": -7}}, PRICES, 0.5),
        ({"cost": 0.5, "cost_details": "free"}, PRICES, 0.5),
    ],
)
def test_the_reported_cost_wins_and_an_unknown_one_stays_unknown(usage: Any, prices: Any, cost: float | None):
    assert read(completion(usage=usage), prices=prices).cost_usd == cost


@pytest.mark.parametrize("cost", ["NaN", "Infinity", "1e400"])
def test_what_is_no_amount_is_no_cost(cost: str):
    body = b'{"choices": [{"message": {"content": "x"}}], "usage": {"cost": ' + cost.encode() + b"}}"
    assert read(body).cost_usd is None


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", ""),
        (None, None),
        ([{"type": "text", "text": "a"}, {"type": "image"}, {"text": None}, "x", {"text": "b"}], "axb"),
        ([{"type": "text", "text": {"value": "a"}}, {"type": "text", "text": {"value": 5}}], "a"),
        ([{"type": "thinking", "text": "hm"}, {"type": "output_text", "text": "b"}], "b"),
        ([{"type": "text", "text": ["a"]}], ""),
        (5, None),
        ({"text": "a"}, None),
    ],
)
def test_content_of_every_shape_is_kept_for_the_checks_that_follow(content: Any, text: str | None):
    assert read(completion({"content": content})).text == text


@pytest.mark.parametrize("message", ["words", ["words"], 5])
def test_a_message_of_the_wrong_shape_is_an_empty_reply_that_was_paid_for(message: Any):
    reply = read(completion(message, usage={"cost": 0.2}))
    assert (reply.text, reply.cost_usd) == (None, 0.2)


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        ({"content": None, "refusal": "No."}, "No."),
        ({"content": None, "refusal": [{"text": "No."}]}, "No."),
        ({"content": None, "refusal": [{"text": 5}]}, None),
        ({"content": [{"type": "refusal", "refusal": "No."}]}, "No."),
        ({"content": [{"type": "refusal", "refusal": 5}]}, None),
    ],
)
def test_a_refusal_is_part_of_the_reply(message: Any, refusal: str | None):
    assert read(completion(message)).refusal == refusal


@pytest.mark.parametrize("value", [{"name": "m"}, ["m"], 5, True])
def test_names_of_the_wrong_type_are_no_names(value: Any):
    reply = read(completion(model=value, id=value, choices=[{"message": {"content": "x"}, "finish_reason": value}]))
    assert (reply.served_model, reply.request_id, reply.finish_reason) == (None, None, None)


@pytest.mark.parametrize("depth", [300, 1_100, 100_000])
def test_depth_is_no_reason_to_lose_an_answer(depth: int):
    deep = b"[" * depth + b"]" * depth
    body = b'{"model": ' + deep + b', "odd": {"]": ' + deep + b'}, "choices": [{"message": {"content": "Hi]."}}],'
    reply = read(body + b'"usage": {"cost": 0.5}}')
    assert (reply.text, reply.cost_usd, reply.served_model) == ("Hi].", 0.5, None)


def test_lone_surrogates_and_numbers_over_64_bits_cannot_break_the_files():
    body = (
        b'{"model": "m\\udfff", "usage": {"prompt_tokens": %s, "cost": 0.5}, "choices": [{"message": {"content": '
        % (b"9" * 5_000)
    )
    reply = read(body + b'"a\\ud800b \\ud83d\\ude00"}}]}')
    assert (reply.text, reply.served_model) == ("a\ufffdb \U0001f600", "m\ufffd")
    assert (reply.usage, reply.cost_usd, reply.malformed) == ({}, 0.5, None)
    assert "no \ufffd luck" in no_reply(b'{"error": {"message": "no \\ud800 luck"}}').message


@pytest.mark.parametrize("text", [b"caf\xff", "real \ufffd then ".encode() + b"\xff"])
def test_bytes_that_are_not_utf_8_are_told(text: bytes):
    reply = read(b'{"choices": [{"message": {"content": "' + text + b'"}}]}')
    assert "not UTF-8" in reply.malformed
    assert reply.text.endswith("\ufffd")


@pytest.mark.parametrize("text", ["a \ufffd b", "line\nbreak\x01"])
def test_a_replacement_character_and_control_characters_of_the_model_are_no_fault(text: str):
    reply = read(b'{"choices": [{"message": {"content": "' + text.encode() + b'"}}]}')
    assert (reply.text, reply.malformed) == (text, None)


def test_a_byte_order_mark_is_no_part_of_a_body():
    assert read(b"\xef\xbb\xbf" + json.dumps(completion()).encode()).text == "Hi."


@pytest.mark.parametrize(
    ("body", "words", "perhaps_billed"),
    [
        (b"\n <html>Sign in</html>", "a web page, not JSON: is the endpoint's base_url right? <html>Sign in", False),
        (b"", "not JSON", True),
        (b'{"choices": [', "not JSON", True),
        (b"[]", "not a JSON object", True),
        (b'"words"', "not a JSON object", True),
        (b'{"choices": []}', "no choices", True),
        (b'{"choices": null}', "no choices", True),
        (b'{"choices": ["a"]}', "no choices", True),
        (b"{}", "no choices", True),
        (b'{"usage": {"prompt_tokens": 0, "completion_tokens": 0, "cost": 0}}', "no choices", True),
        (b'{"usage": {"cost": -5}}', "no choices", True),
        (gzip.compress(b"{}", mtime=0), "not JSON", True),
    ],
)
def test_what_holds_no_answer_and_reports_no_cost_is_no_reply(body: bytes, words: str, perhaps_billed: bool):
    error = no_reply(body)
    assert error.perhaps_billed is perhaps_billed
    assert words in error.message


@pytest.mark.parametrize("usage", [{"cost": 0.25}, {"completion_tokens": 7}, {"prompt_tokens": 7, "cost": -1}])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"choices": []}, "no choices"),
        ({}, "no choices"),
        ({"error": {"message": "upstream", "code": 502}}, "upstream"),
        ({"choices": [{"error": {"message": "cut", "code": 429}, "message": {"content": "Hal"}}]}, "cut"),
    ],
)
def test_whatever_reports_tokens_or_a_cost_was_paid_and_is_the_reply(body: Any, words: str, usage: Any):
    reply = read({**body, "usage": usage})
    assert words in reply.malformed
    assert reply.cost_usd == (0.25 if usage.get("cost") == 0.25 else None)


@pytest.mark.parametrize(("code", "status"), [(429, 429), ("503", 503), (None, None), ("overloaded", None), (7, None)])
@pytest.mark.parametrize("inside", [False, True])
def test_an_error_in_a_200_is_no_reply_and_tells_its_code(code: Any, status: int | None, inside: bool):
    error = {"message": "no luck", "code": code}
    body = completion(choices=[{"error": error, "message": {"content": "Hal"}}]) if inside else {"error": error}
    failure = no_reply(body)
    assert (failure.code, failure.perhaps_billed, failure.error) == (status, False, error)
    assert "no luck" in failure.message


def test_what_a_router_passes_on_of_its_provider_is_shown():
    error = {"message": "Provider returned error", "code": 400, "metadata": {"raw": "temperature must be 1"}}
    assert "temperature must be 1" in no_reply({"error": error}).message
    error["metadata"] = {"provider_name": "Acme", "raw": {"detail": "seed is not supported"}}
    message = no_reply({"error": error}).message
    assert "Acme" in message
    assert "seed is not supported" in message


def test_a_completion_in_a_list_of_its_own_is_read():
    assert read([completion(usage=PAID)]).usage == PAID


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(completion(usage={**PAID, "cost": 0.5}))[:-1],
        json.dumps(completion(usage={**PAID, "cost": 0.5})) + '{"log": 1}',
        json.dumps([completion(usage={"cost": 0.25}), completion(usage={**PAID, "cost": 0.5})]),
        "[" * 2_000 + json.dumps(completion(usage={**PAID, "cost": 0.5})),
    ],
    ids=["cut off", "with something behind it", "two in a list", "in the middle of nothing"],
)
def test_what_a_broken_body_says_of_its_cost_is_counted(body: str):
    reply = read(body.encode())
    assert (reply.cost_usd, reply.usage) == (0.5, PAID)
    assert reply.malformed is not None


def test_an_answer_that_quotes_a_usage_was_not_paid_for_by_that():
    quoted = json.dumps(completion({"content": '{"usage": {"cost": 5}}'}, usage=None))
    assert no_reply(quoted[:-1].encode()).perhaps_billed


def test_long_whole_numbers_are_read_whole_as_far_as_they_fit():
    body, _ = json_object(b'{"no": NaN, "fits": 123456789012345678, "beyond": 1234567890123456789012}')
    assert (body["fits"], type(body["fits"])) == (123456789012345678, int)
    assert (body["beyond"], type(body["beyond"])) == (1234567890123456789012.0, float)


@pytest.mark.parametrize("levels", [3_000, 100_000])
def test_of_a_body_that_is_too_deep_all_that_lies_higher_is_kept(levels: int):
    deep = b"[" * levels + b"]" * levels
    body, _ = json_object(b'{"first": 1, "deep": ' + deep + b', "last": {"usage": [2]}}')
    assert (body["first"], body["last"]) == (1, {"usage": [2]})
    kept, value = 0, body["deep"]
    while value:
        kept, (value,) = kept + 1, value
    assert (kept, value) == (63, None), "the object itself is the first of 64 levels"


def test_a_body_that_ends_within_what_is_too_deep_is_no_object():
    with pytest.raises(BodyError):
        json_object(b'{"deep": ' + b"[" * 100_000 + b"1}")


def test_an_object_in_a_list_is_the_object_and_two_are_none():
    assert json_object(b'[{"a": 1}]') == ({"a": 1}, None)
    for body in (b'[{"a": 1}, {"a": 2}]', b"[]", b"[1]"):
        with pytest.raises(BodyError):
            json_object(body)


@pytest.mark.parametrize("error", ["overloaded", ["overloaded"], 7, {"message": "overloaded"}])
def test_an_error_of_any_shape_is_shown(error: Any):
    assert ("7" if error == 7 else "overloaded") in no_reply({"error": error}).message

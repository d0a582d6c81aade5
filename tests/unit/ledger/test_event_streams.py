"""Answers that a server streams although nobody asked for a stream: put together from their events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from reading_fixtures import PAID, completion, no_reply, read

from daydreaming.ledger.received import Reply


def stream(*chunks: Any) -> bytes:
    lines = [chunk if isinstance(chunk, str) else "data: " + json.dumps(chunk) for chunk in chunks]
    return "\r\n\r\n".join([*lines, "data: [DONE]", ""]).encode()


def chunk(content: str | None = None, finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": content, **delta}, "finish_reason": finish_reason}
    return {"id": "c-1", "object": "chat.completion.chunk", "model": "served", "choices": [choice]}


@pytest.mark.parametrize("headers", [{"content-type": "text/event-stream; charset=utf-8"}, {}])
def test_an_event_stream_is_put_together_from_its_chunks(headers: dict[str, str]):
    body = stream(
        ": keep-alive", chunk(role="assistant"), chunk("Tid"), chunk("es \u2028 é"), chunk(None, "stop"),
        {"id": "c-1", "choices": [], "usage": {**PAID, "cost": 0.5}},
    )  # fmt: skip
    reply = read(body, headers)
    assert (reply.text, reply.finish_reason, reply.cost_usd) == ("Tides \u2028 é", "stop", 0.5)
    assert (reply.usage, reply.served_model, reply.request_id) == (PAID, "served", "c-1")


def test_a_whole_completion_sent_as_one_event_is_read():
    assert read(stream(completion())).text == "Hi."


def test_other_choices_of_a_stream_are_left_out():
    other = {"choices": [{"index": 1, "delta": {"content": "other"}}]}
    assert read(stream(chunk("a"), other, chunk("b", "stop"))).text == "ab"


def test_a_stream_that_breaks_off_is_no_answer_unless_it_was_paid():
    assert "broke off" in no_reply(stream(chunk("half")), incomplete="its connection broke").message
    reply = read(stream(chunk("half"), {"usage": {"cost": 0.5}}), incomplete="its connection broke")
    assert (reply.text, reply.cost_usd) == ("half", 0.5)
    assert "broke off" in reply.malformed
    assert read(stream(chunk("whole", "stop")), incomplete="its connection broke").malformed is None


@pytest.mark.parametrize("body", [b"data: {torn", b": nothing but a comment\n\n", b"data: [1]\n\n", b"data: [DONE]\n"])
def test_a_stream_without_events_is_no_reply(body: bytes):
    assert no_reply(body)


def test_an_error_in_a_stream_is_an_error():
    assert no_reply(stream(chunk("half"), {"error": {"message": "overloaded", "code": 503}})).code == 503


def streamed(*events: str, **values: Any) -> Reply:
    return read("".join(f"{event}\n\n" for event in events).encode(), EVENT_STREAM, **values)


EVENT_STREAM = {"content-type": "text/event-stream"}
HALF = 'data: {"choices": [{"delta": {"content": "Half"}}]}'
END = 'data: {"choices": [{"delta": {"content": " done."}, "finish_reason": "stop"}]}'
USAGE = 'data: {"choices": [], "usage": {"prompt_tokens": 10, "cost": 0.5}}'


def test_a_broken_event_does_not_hide_what_the_others_say_was_paid():
    reply = streamed(HALF, "data: {broken", END, USAGE)
    assert reply.cost_usd == 0.5
    assert reply.malformed is not None
    assert "{broken" in reply.malformed


def test_a_broken_event_behind_the_end_of_an_answer_is_none_of_it():
    reply = streamed(HALF, END, 'data: {"choices": [], "usa', incomplete="its connection broke.")
    assert (reply.text, reply.malformed) == ("Half done.", None)


def test_an_event_on_several_lines_and_events_without_empty_lines_are_read():
    reply = streamed('data: {"choices": [{"delta":\ndata:  {"content": "Half"}}]}', f"{END}\n{USAGE}", "data: [DONE]")
    assert (reply.text, reply.cost_usd, reply.malformed) == ("Half done.", 0.5, None)
    assert streamed(*(event.replace("\n", "\r") for event in (HALF, END))).text == "Half done."


def test_content_parts_in_a_stream_are_put_together():
    parts = 'data: {"choices": [{"delta": {"content": [{"type": "text", "text": "Half"}]}}]}'
    assert streamed(parts, END).text == "Half done."


def test_a_whole_object_that_is_called_an_event_stream_is_read():
    assert read(completion(usage=PAID), EVENT_STREAM).text == "Hi."

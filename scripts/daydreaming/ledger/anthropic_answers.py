"""An answer of Anthropic's Messages API in the words of a chat completion, which everything else here reads."""

from __future__ import annotations

from typing import Any

# What a token costs that is written to the provider's cache for five minutes, for an hour, and one that is read from
# it, as shares of the price of a prompt token (platform.claude.com, "Prompt caching").
WRITTEN, WRITTEN_FOR_AN_HOUR, READ = 1.25, 2.0, 0.1


def as_completion(body: dict[str, Any]) -> dict[str, Any]:
    """The chat completion that says what a message says; any other body as it is."""
    if body.get("type") != "message" or "choices" in body:
        return body
    content = body.get("content")
    choice = {
        "index": 0,
        "finish_reason": body.get("stop_reason"),
        "message": {"role": "assistant", "content": content if isinstance(content, list) else []},
    }
    return {"id": body.get("id"), "model": body.get("model"), "choices": [choice], "usage": _usage(body.get("usage"))}


def _usage(usage: Any) -> dict[str, Any]:
    """Counts of tokens: the prompt's with those that the cache took or gave, which are apart in Anthropic's.

    `billed_prompt_tokens` are the tokens at the full price that cost the same.
    """
    if not isinstance(usage, dict):
        return {}
    given, taken = _count(usage, "cache_read_input_tokens"), _count(usage, "cache_creation_input_tokens")
    plain, completion = usage.get("input_tokens"), usage.get("output_tokens")
    if not isinstance(plain, int) or not isinstance(completion, int):
        return {}
    parts = usage.get("cache_creation")
    for_an_hour = min(taken, _count(parts, "ephemeral_1h_input_tokens") if isinstance(parts, dict) else 0)
    prompt = plain + given + taken
    billed = plain + READ * given + WRITTEN * (taken - for_an_hour) + WRITTEN_FOR_AN_HOUR * for_an_hour
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "billed_prompt_tokens": billed,
    }


def _count(values: dict[str, Any], name: str) -> int:
    value = values.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0

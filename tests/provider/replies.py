"""The bytes of a reply: a plausible text that depends on nothing but the request, in a chat completion."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

from provider.ledger import Call
from provider.rules import Answer

SUBJECTS = ("A tide table", "The slow garden", "An honest map", "A borrowed proof", "The night shift", "A folded score")
VERBS = ("remembers", "bargains with", "translates", "outlives", "rehearses", "repairs")
OBJECTS = ("what the river forgot", "a rule nobody wrote", "the cost of silence", "its own margin", "a second moon")
LINES = 6


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP response: its status, its headers in order, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_raw: bool = False

    def head(self) -> bytes:
        """Return the response's status line and headers, up to and including the empty line; a raw one is its body."""
        if self.is_raw:
            return b""
        fields = {"content-type": "application/json", "content-length": str(len(self.body)), **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"HTTP/1.1 {self.status} {_reason(self.status)}\r\n{lines}\r\n".encode("latin-1")


def reply_for(answer: Answer, call: Call) -> Reply:
    """Return the reply that an answer means for a call."""
    if answer.raw_base64 is not None:
        return Reply(answer.status, {}, base64.b64decode(answer.raw_base64), is_raw=True)
    return Reply(answer.status, {"x-request-id": f"request-{call.sequence}", **answer.headers}, _body(answer, call))


def default_text(model: str | None, prompt: str, seed: Any) -> str:
    """Return a few lines drawn from a hash of the request, in the shape that the prompt asks for.

    A prompt that holds `SCORE:` (in any case) gets `SCORE: 0` to `SCORE: 9` as its last line, one that holds `Verdict:`
    gets `Verdict: A`, `B` or `tie`; one that holds `<essay-idea` or `<essay>` gets the text inside such a block.
    """
    digest = hashlib.sha256(f"{model}\n{seed}\n{prompt}".encode("utf-8", "surrogatepass")).digest()
    text = f"Thought {digest.hex()[:12]}\n" + "\n".join(_sentence(digest[3 * i : 3 * i + 3]) for i in range(LINES))
    if "score:" in prompt.lower():
        return f"{text}\nSCORE: {digest[-1] % 10}"
    if "verdict:" in prompt.lower():
        return f"{text}\nVerdict: {('A', 'B', 'tie')[digest[-1] % 3]}"
    if "<essay-idea" in prompt:
        return f'<essay-idea stage="1">\n{text}\n</essay-idea>'
    if "<essay>" in prompt:
        return f"<essay>\n{text}\n</essay>"
    return text


def _sentence(draws: bytes) -> str:
    subject, verb, object_ = (
        words[draw % len(words)] for words, draw in zip((SUBJECTS, VERBS, OBJECTS), draws, strict=True)
    )
    return f"{subject} {verb} {object_}."


def _body(answer: Answer, call: Call) -> bytes:
    if answer.body_base64 is not None:
        return base64.b64decode(answer.body_base64)
    if answer.body is not None:
        return answer.body.encode()
    if answer.status >= 400:
        return orjson.dumps({"error": {"message": _reason(answer.status), "type": "scripted", "code": answer.status}})
    return orjson.dumps(_completion(answer, call))


def _completion(answer: Answer, call: Call) -> dict[str, Any]:
    text = default_text(call.model, call.prompt, call.seed)
    message = {"role": "assistant", "content": text, "refusal": None, **answer.message}
    content = message["content"]
    if answer.pad_content_to is not None and content:
        repeats = -(-answer.pad_content_to // len(content))
        message["content"] = content = (content * repeats)[: answer.pad_content_to]
    prompt_tokens, completion_tokens = len(call.prompt) // 4, len(content or "") // 4
    return {
        "id": f"chatcmpl-{call.sequence}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": call.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
            **answer.usage,
        },
        **answer.reply,
    }


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"

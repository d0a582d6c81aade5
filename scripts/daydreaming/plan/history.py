"""What past calls tell of the next ones: tokens of a prompt, of a reply, of a text, by model and template."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from daydreaming.base.paths import DataPaths
from daydreaming.generation.specification import CallSpecification
from daydreaming.ledger.journal import read_events

ASSUMED_CHARACTERS_PER_TOKEN = 4.0
# The prompts and replies of so many calls of a model, the latest, are read to learn how long its tokens are.
SAMPLED_REPLIES = 50


@dataclass(frozen=True, slots=True)
class TokenLength:
    """How many characters a model makes one token of, on average, and from how many past replies that is known.

    `replies` 0: nothing is known, and the figures are assumed.
    """

    of_prompts: float = ASSUMED_CHARACTERS_PER_TOKEN
    of_replies: float = ASSUMED_CHARACTERS_PER_TOKEN
    replies: int = 0


@dataclass
class History:
    """The past calls of all cohorts below a data root.

    `completion_tokens` has (sum, number) of the replies by stage, template and model.
    """

    completion_tokens: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    token_lengths: dict[str, TokenLength] = field(default_factory=dict)

    def token_length(self, llm_model_id: str) -> TokenLength:
        """How long a model's tokens are."""
        return self.token_lengths.get(llm_model_id, TokenLength())

    def expected_completion(self, specification: CallSpecification) -> float | None:
        """The mean length in tokens of the template's and model's past replies, at most `max_tokens`; None without."""
        key = (specification.stage, specification.template.template_id, specification.llm_model_id)
        total, number = self.completion_tokens.get(key, (0, 0))
        if not number:
            return None
        limit = specification.sampling.max_tokens
        return total / number if limit is None else min(total / number, limit)


def read_history(paths: DataPaths) -> History:
    """Read the journals of all cohorts, and for each model some of the replies that they name."""
    history = History()
    latest: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=SAMPLED_REPLIES))
    for call in _replied_calls(paths):
        key = (call["stage"], call["template_id"], call["llm_model_id"])
        total, number = history.completion_tokens.get(key, (0, 0))
        history.completion_tokens[key] = (total + call["completion_tokens"], number + 1)
        latest[call["llm_model_id"]].append(call["request_sha256"])
    history.token_lengths = {model_id: _token_length(paths, names) for model_id, names in latest.items()}
    return history


def _replied_calls(paths: DataPaths) -> Iterator[dict[str, Any]]:
    """The calls that brought a reply with a count of its tokens: what they were for, and how they ended."""
    started: dict[str, dict[str, Any]] = {}
    for folder in sorted(paths.cohorts.glob("*/")):
        for event in read_events(paths.cohort(folder.name).journal):
            if event["event"] == "call_started":
                started[event["call"]] = event
            elif event["event"] == "call_ended":
                start = started.pop(event["call"], None)
                if start and event.get("completion_tokens"):
                    yield {**start, **event}


def _token_length(paths: DataPaths, request_names: Iterable[str]) -> TokenLength:
    prompt_characters = prompt_tokens = reply_characters = reply_tokens = replies = 0
    for name in request_names:
        stored = _stored(paths, name)
        if stored is None:
            continue
        replies += 1
        prompt_characters += sum(len(message.content) for message in stored.request.messages)
        prompt_tokens += stored.reply.usage.prompt_tokens
        reply_characters += len(stored.reply.text or "")
        reply_tokens += stored.reply.usage.completion_tokens
    return TokenLength(
        prompt_characters / prompt_tokens if prompt_tokens else ASSUMED_CHARACTERS_PER_TOKEN,
        reply_characters / reply_tokens if reply_tokens else ASSUMED_CHARACTERS_PER_TOKEN,
        replies,
    )


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Reply(msgspec.Struct):
    usage: _Usage
    text: str | None = None


class _Message(msgspec.Struct):
    content: str


class _Request(msgspec.Struct):
    messages: list[_Message]


class _Stored(msgspec.Struct):
    """What an estimate needs of a stored reply."""

    request: _Request
    reply: _Reply


def _stored(paths: DataPaths, request_sha256: str) -> _Stored | None:
    """A file of the reply store; None where it is gone, does not hold the request, or says nothing of this kind."""
    try:
        return msgspec.json.decode(paths.reply(request_sha256).read_bytes(), type=_Stored)
    except (OSError, ValueError, msgspec.MsgspecError):
        return None

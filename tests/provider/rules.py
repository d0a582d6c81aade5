"""Rules: which calls get which answer. They are plain values that travel to the server as JSON."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Reset = Literal["before", "during", "after"]


@dataclass(frozen=True, slots=True)
class When:
    """Which calls a rule is for; a condition that is left out holds for every call.

    `every`, `first`, `nth` and `probability` look only at the calls that `model` and `prompt_contains` select, and
    count from 1 (`every=3`: the third, sixth, ... of them), also those that an earlier rule answered.
    """

    model: str | None = None
    prompt_contains: str | None = None
    every: int | None = None
    first: int | None = None
    nth: int | None = None
    probability: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gets; every field that is left out keeps the default reply's value.

    `body` (text) or `body_base64` (bytes) replaces the whole body. Otherwise a status below 400 gets a chat completion
    in which `message` (e.g. `{"content": None, "refusal": "no"}`), `finish_reason`, `usage` (e.g. `{"cost": 0.1}`)
    and `reply` (top-level keys, e.g. `{"choices": []}`) overwrite what they name; other statuses get an error object.
    The answer is held until `together` calls wait for this rule's at once, and, if `held`, until `Provider.release`;
    only then its latency begins. `latency_s` replaces the server's latency. `hang_s` stays silent so long, then resets
    the connection. `reset` resets it before the reply's first byte, in the middle of the body, or once the reply has
    been taken. `close_during` closes it politely in the middle of the body. `down_for_s` resets all connections and
    refuses new ones for so long, and, if `held`, until `Provider.release`. `pad_content_to` repeats the content up to
    so many characters.
    `raw_base64` (bytes) is sent in place of the whole response, its head included; then the connection is closed.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    body_base64: str | None = None
    raw_base64: str | None = None
    message: Mapping[str, Any] = field(default_factory=dict)
    finish_reason: str = "stop"
    usage: Mapping[str, Any] = field(default_factory=dict)
    reply: Mapping[str, Any] = field(default_factory=dict)
    pad_content_to: int | None = None
    together: int | None = None
    held: bool = False
    latency_s: float | None = None
    hang_s: float | None = None
    reset: Reset | None = None
    close_during: bool = False
    down_for_s: float | None = None

    def __post_init__(self) -> None:
        if self.reset is not None and self.reset not in get_args(Reset):
            raise ValueError(f"reset must be one of {', '.join(get_args(Reset))}, not {self.reset!r}")


@dataclass(frozen=True, slots=True)
class Rule:
    """An answer for some calls, at most `times` times; `name` is what the ledger calls it."""

    name: str
    answer: Answer
    when: When = When()
    times: int | None = None


def rules_from_json(rows: Sequence[Mapping[str, Any]]) -> list[Rule]:
    """Return the rules that a JSON list describes, with the field names of `Rule`, `When` and `Answer`.

    Raises ValueError, naming the rule's position, for an unknown field or value.
    """
    rules = []
    for position, row in enumerate(rows, start=1):
        try:
            answer, when = Answer(**row.get("answer", {})), When(**row.get("when", {}))
            rules.append(Rule(**{"name": f"rule {position}", **row, "answer": answer, "when": when}))
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"rule {position} of the script: {error}") from error
    return rules


class Script:
    """Rules in order, with the counts that their conditions need."""

    def __init__(self, rules: Iterable[Rule] = ()):
        self._counters = [_Counter(rule) for rule in rules]

    def choose(self, model: str | None, prompt: str) -> Rule | None:
        """Return the first rule that wants this call, or None; every rule counts the call."""
        wanting = [counter for counter in self._counters if counter.wants(model, prompt)]
        if not wanting:
            return None
        wanting[0].used += 1
        return wanting[0].rule


class _Counter:
    """How many calls a rule has seen and answered."""

    def __init__(self, rule: Rule):
        self.rule = rule
        self.used = 0
        self._seen = 0
        self._random = random.Random(rule.when.seed)

    def wants(self, model: str | None, prompt: str) -> bool:
        when = self.rule.when
        if when.model is not None and when.model != model:
            return False
        if when.prompt_contains is not None and when.prompt_contains not in prompt:
            return False
        self._seen += 1
        drawn = self._random.random() < when.probability
        if self.rule.times is not None and self.used >= self.rule.times:
            return False
        return (
            drawn
            and (when.every is None or self._seen % when.every == 0)
            and (when.first is None or self._seen <= when.first)
            and (when.nth is None or self._seen == when.nth)
        )

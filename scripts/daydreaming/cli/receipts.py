"""Answers of the reply store as the terminal shows them, and as JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from daydreaming.base.terminal_tables import table_text
from daydreaming.ledger.kept_answers import KeptAnswer, Use

SHOWN_ANSWERS = 50
_SHOWN_DIGITS = 12
_NUMBERS = ("#", "tokens", "USD", "bytes")


def answers_text(answers: Sequence[KeptAnswer]) -> str:
    """A table of answers, the file of each, and why it is not used; at most the first SHOWN_ANSWERS."""
    shown = list(enumerate(answers[:SHOWN_ANSWERS], start=1))
    names = ("#", "request", "answered (UTC)", "status", "ended", "tokens", "USD", "bytes", "use")
    lines = [table_text(names, (_cells(number, answer) for number, answer in shown), numbers=_NUMBERS)]
    for number, answer in shown:
        lines += _words(number, answer)
    if len(answers) > SHOWN_ANSWERS:
        lines.append(f"... and {len(answers) - SHOWN_ANSWERS:,} more: --json shows all.")
    return "\n".join(lines)


def answers_json(answers: Sequence[KeptAnswer]) -> list[dict[str, Any]]:
    """The same as JSON values, numbered as in the table."""
    return [
        {"number": number, **msgspec.to_builtins(answer, enc_hook=str)}
        for number, answer in enumerate(answers, start=1)
    ]


def _cells(number: int, answer: KeptAnswer) -> tuple[str, ...]:
    answered = "" if answer.answered_at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(answer.answered_at))
    tokens = [answer.usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
    return (
        str(number),
        answer.request_sha256[:_SHOWN_DIGITS],
        answered,
        "" if answer.status is None else str(answer.status),
        _printable(answer.finish_reason or ""),
        "+".join("?" if count is None else f"{count}" for count in tokens) if any(tokens) else "",
        "" if answer.cost_usd is None else f"{answer.cost_usd:.6f}",
        "" if answer.body_bytes is None else f"{answer.body_bytes:,}",
        answer.use,
    )


def _words(number: int, answer: KeptAnswer) -> Iterator[str]:
    """Its file, what it was for, and what is wrong with it."""
    account = answer.account
    named = " ".join(filter(None, (account.get("stage"), account.get("gen_id"))))
    yield f"{number:>3}  {answer.path}"
    what = f"{named}: " if named else ""
    if answer.problem or what:
        problem = answer.problem or ("the reply" if answer.use is Use.REPLY else "")
        yield f"     {what}{_printable(problem)}"


def _printable(text: str) -> str:
    """A text that a server sent, without what a terminal would obey."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)

"""Whether an answer is finished: what the reason that a server gives for its end means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.ledger.received import Reply

# A tokenizer makes a token of four to five characters of natural text, and hardly ever of more than six on average.
MOST_CHARACTERS_PER_TOKEN = 8
SHORTEST_CHECKED_PROMPT = 2_000
# What `finish_reasons` calls an answer that names no reason.
NO_REASON = "none"


class Ending(StrEnum):
    """How an answer ended."""

    FINISHED = "finished"
    TRUNCATED = "truncated"
    REFUSED = "refused"


ENDINGS: Mapping[str, Ending] = {
    **dict.fromkeys(("stop", "eos", "eos_token", "end_turn", "stop_sequence"), Ending.FINISHED),
    **dict.fromkeys(("length", "max_tokens", "model_length", "max_output_tokens"), Ending.TRUNCATED),
    **dict.fromkeys(("content_filter", "content_filtered", "refusal", "safety", "prohibited_content"), Ending.REFUSED),
}


def ending_of(finish_reason: str | None, dialect: Mapping[str, str] | None = None) -> Ending:
    """Return how an answer ended, by its finish reason in any case.

    `dialect` maps further words of a server to `finished`, `truncated` or `refused` (`finish_reasons` of an endpoint);
    the word `none` stands for an answer without a reason.
    Raises GenerationError (unfinished), which names the word, for every other reason and for none at all.
    """
    word = (finish_reason or NO_REASON).strip().lower()
    known = {**ENDINGS, **{name.strip().lower(): Ending(value) for name, value in (dialect or {}).items()}}
    if word in known:
        return known[word]
    said = f"the finish reason {finish_reason!r}, which is none of a finished answer" if finish_reason else "none"
    raise GenerationError(
        FailureKind.UNFINISHED,
        f"The answer may be incomplete: the server gave {said}. The reply is kept. If that is this server's word for a "
        f"finished answer, add `finish_reasons: {{{word}: finished}}` to the endpoint in config.yaml and run again.",
    )


def check_prompt_was_read(reply: Reply, prompt: str) -> None:
    """Raise GenerationError (prompt_cut) when the server counted far fewer tokens than a prompt of that length has.

    A server with a small context drops the beginning of a long prompt in silence. Nothing is checked where the server
    does not count, or of prompts below SHORTEST_CHECKED_PROMPT characters. Runs of one character count as three.
    """
    tokens = reply.usage.get("prompt_tokens", 0)
    if tokens <= 0 or len(prompt) < max(SHORTEST_CHECKED_PROMPT, tokens * MOST_CHARACTERS_PER_TOKEN):
        return
    characters = len(re.sub(r"(.)\1{3,}", r"\1\1\1", prompt, flags=re.DOTALL))
    if characters > max(SHORTEST_CHECKED_PROMPT, tokens * MOST_CHARACTERS_PER_TOKEN):
        raise GenerationError(
            FailureKind.PROMPT_CUT,
            f"The server counted {tokens} tokens of a prompt of {len(prompt):,} characters: it read only a part of it. "
            "Raise its context (num_ctx of Ollama, --ctx-size of llama.cpp, --max-model-len of vLLM). The reply is "
            "kept and never used: to ask again afterwards, move its file out of the reply store.",
        )

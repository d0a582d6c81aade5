"""A request as the body of Anthropic's Messages API.

Facts: platform.claude.com, the reference of Messages and "Prompt caching".
"""

from __future__ import annotations

from typing import Any

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.ledger.model_request import ModelRequest


def message_body(request: ModelRequest, *, caches: bool) -> dict[str, Any]:
    """The body of a call. `caches` marks the system message, which the prompts of one rubric share, to be kept.

    Raises GenerationError (api) for what the API has no word for: nothing that was asked for is left out in silence.
    """
    missing = [name for name in ("seed", "response_format") if _said(request, name)]
    if missing or request.output_limit is None:
        what = f"has no {missing[0]}" if missing else "needs max_tokens"
        cure = f"Set {missing[0]} to null" if missing else "Set max_tokens of the stage"
        raise GenerationError(FailureKind.API, f"Anthropic's Messages API {what}. {cure}, or use another endpoint.")
    extra = dict(request.extra_body)
    if "stop" in extra:
        stop = extra.pop("stop")
        extra["stop_sequences"] = [stop] if isinstance(stop, str) else list(stop)
    for name in ("max_tokens", "max_completion_tokens"):
        extra.pop(name, None)
    body: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.output_limit,
        "messages": [dict(message) for message in request.messages if message["role"] != "system"],
    }
    if system := "\n\n".join(message["content"] for message in request.messages if message["role"] == "system"):
        block = {"type": "text", "text": system}
        body["system"] = [{**block, "cache_control": {"type": "ephemeral"}}] if caches else system
    if request.temperature is not None:
        body["temperature"] = request.temperature
    return {**body, **extra}


def _said(request: ModelRequest, name: str) -> bool:
    return getattr(request, name, None) is not None or request.extra_body.get(name) is not None

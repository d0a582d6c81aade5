"""How the tests of the provider call it: the real client, without retries."""

from __future__ import annotations

import time
from collections.abc import Callable

import openai
from openai.types.chat import ChatCompletion

from provider import Provider

PROMPT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Write about tides."}]
PATIENCE_S = 10
# What is waited for comes at once where the machine is quiet, and late where it is not.
LONGEST_WAIT_S = 120


def ask(
    provider: Provider, prompt: str | None = None, timeout: float | openai.Timeout = PATIENCE_S, **fields
) -> ChatCompletion:
    messages = PROMPT if prompt is None else [{"role": "user", "content": prompt}]
    with openai.OpenAI(
        base_url=provider.base_url, api_key=provider.api_key, max_retries=0, timeout=timeout
    ) as api_client:
        return api_client.chat.completions.create(**{"model": "model-a", "messages": messages, **fields})


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def text_of(completion: ChatCompletion) -> str:
    return completion.choices[0].message.content

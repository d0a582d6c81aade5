"""How the tests of the provider call it: the real client, without retries."""

from __future__ import annotations

import time
from collections.abc import Callable

import openai
import psutil
from openai.types.chat import ChatCompletion

from provider import Provider

PROMPT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Write about tides."}]
PATIENCE_S = 120
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


def wait_until(condition: Callable[[], bool], longest_s: float = LONGEST_WAIT_S) -> None:
    deadline = time.monotonic() + longest_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def has_ended(process_id: int) -> bool:
    """Whether a process has ended; in a container, nobody may reap it."""
    try:
        return psutil.Process(process_id).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def text_of(completion: ChatCompletion) -> str:
    return completion.choices[0].message.content

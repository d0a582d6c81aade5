"""The same calls through curator's online processor for OpenAI-compatible servers, with its request files and cache."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from bespokelabs import curator
from calls import calls_from_command_line
from datasets import Dataset

NO_LIMIT = 10**9


class Writer(curator.LLM):
    def prompt(self, row: dict) -> str:
        return row["prompt"]

    def parse(self, row: dict, response: str) -> dict:
        return {"text": response}


def main() -> None:
    calls = calls_from_command_line(__doc__)
    os.environ["TIKTOKEN_CACHE_DIR"] = _tokenizers()
    writer = Writer(
        model_name=calls.model,
        backend="openai",
        backend_params={
            "base_url": calls.base_url,
            "api_key": calls.api_key,
            "max_concurrent_requests": calls.in_flight,
            "max_requests_per_minute": NO_LIMIT,
            "max_tokens_per_minute": NO_LIMIT,
        },
        generation_params={"temperature": calls.temperature, "max_tokens": calls.max_tokens},
    )
    response = writer(Dataset.from_dict({"prompt": calls.prompts}), working_dir=str(calls.folder / "cache"))
    calls.write_texts(list(response.dataset["text"]))


def _tokenizers() -> str:
    """The tokenizers that litellm carries: curator counts tokens, and would fetch them from the network."""
    return str(Path(find_spec("litellm").origin).parent / "litellm_core_utils" / "tokenizers")


if __name__ == "__main__":
    main()

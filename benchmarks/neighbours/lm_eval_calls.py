"""The same calls as an lm-eval task of free generation, through its client for OpenAI-compatible chat servers."""

from __future__ import annotations

import json

import lm_eval
from calls import Calls, calls_from_command_line
from lm_eval.tasks import TaskManager


def main() -> None:
    calls = calls_from_command_line(__doc__)
    results = lm_eval.simple_evaluate(
        model="local-chat-completions",
        model_args={
            "model": calls.model,
            "base_url": f"{calls.base_url}/chat/completions",
            "num_concurrent": calls.in_flight,
            "tokenized_requests": False,
            "tokenizer_backend": None,
        },
        tasks=[_task(calls)],
        # Its own thousands of tasks, which take seconds to list, are not wanted here.
        task_manager=TaskManager(include_defaults=False),
        apply_chat_template=True,
        bootstrap_iters=0,
    )
    calls.write_texts([sample["resps"][0][0] for sample in results["samples"]["bench"]])


def _task(calls: Calls) -> dict:
    data = calls.folder / "prompts.jsonl"
    data.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in calls.prompts), encoding="utf-8")
    return {
        "task": "bench",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data)}},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": "{{prompt}}",
        "doc_to_target": "",
        "generation_kwargs": {
            "until": [],
            "do_sample": True,
            "temperature": calls.temperature,
            "max_gen_toks": calls.max_tokens,
        },
        "metric_list": [{"metric": "bypass"}],
    }


if __name__ == "__main__":
    main()

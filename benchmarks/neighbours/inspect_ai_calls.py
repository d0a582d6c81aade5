"""The same calls as an inspect_ai task without a scorer, through its generic OpenAI-compatible provider."""

from __future__ import annotations

from calls import calls_from_command_line
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, get_model
from inspect_ai.solver import generate


def main() -> None:
    calls = calls_from_command_line(__doc__)
    # The settings that limit or adapt the concurrency are all set to the number in flight.
    config = GenerateConfig(temperature=calls.temperature, max_tokens=calls.max_tokens, max_connections=calls.in_flight)
    model = get_model(f"openai-api/bench/{calls.model}", base_url=calls.base_url, api_key=calls.api_key, config=config)
    task = Task(dataset=MemoryDataset([Sample(input=prompt) for prompt in calls.prompts]), solver=generate())
    log = eval(
        task, model=model, max_samples=calls.in_flight, display="none", score=False, log_dir=str(calls.folder / "logs")
    )[0]
    calls.write_texts([sample.output.completion for sample in log.samples])


if __name__ == "__main__":
    main()

"""The floor: one asyncio loop over the `openai` client, which keeps nothing but the texts."""

from __future__ import annotations

import asyncio

import openai
from calls import Calls, calls_from_command_line


def main() -> None:
    calls = calls_from_command_line(__doc__)
    texts = asyncio.run(_ask_all(calls))
    calls.write_texts(texts)


async def _ask_all(calls: Calls) -> list[str]:
    places = asyncio.Semaphore(calls.in_flight)
    async with openai.AsyncOpenAI(base_url=calls.base_url, api_key=calls.api_key) as client:

        async def ask(prompt: str) -> str:
            async with places:
                completion = await client.chat.completions.create(
                    model=calls.model,
                    messages=[{"role": "user", "content": prompt}],
                    temperature=calls.temperature,
                    max_tokens=calls.max_tokens,
                )
            return completion.choices[0].message.content

        return await asyncio.gather(*map(ask, calls.prompts))


if __name__ == "__main__":
    main()

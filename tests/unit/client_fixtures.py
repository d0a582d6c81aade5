"""A model client with a reply store and a journal, in a folder of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from core_fixtures import request, settings_for

from daydreaming.base.errors import GenerationError
from daydreaming.ledger.journal import Budget, Journal, read_events
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.replies import Reply, ReplyStore
from daydreaming.llm.client import CallContext, ModelClient

CONTEXT = CallContext("draft", "g-1", "cohort", "scripted", "plain", "writer", prices=(1.0, 2.0))


class Caller:
    """A client with everything that it needs, in a folder of its own."""

    def __init__(self, folder: Path, base_url: str, budget: Budget | None = None, **endpoint: Any):
        self.settings = settings_for(base_url, endpoint, data_root=str(folder))
        self.store = ReplyStore(self.settings.paths)
        self.journal = Journal(folder / "journal.jsonl", budget or Budget(), "run", lambda name: None)

    def call(self, *requests: ModelRequest, context: CallContext = CONTEXT) -> list[Reply | GenerationError]:
        """Make all calls at once; returns their replies and failures."""
        return asyncio.run(self._call(requests or (request(),), context))

    def reply(self, **options: Any) -> Reply:
        (answer,) = self.call(**options)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def failure(self, **options: Any) -> GenerationError:
        with pytest.raises(GenerationError) as caught:
            self.reply(**options)
        return caught.value

    def events(self, name: str) -> list[dict[str, Any]]:
        return [event for event in read_events(self.settings.paths.root / "journal.jsonl") if event["event"] == name]

    async def _call(self, requests: tuple[ModelRequest, ...], context: CallContext) -> list[Reply | GenerationError]:
        client = ModelClient(self.settings, self.store)
        try:
            calls = (client.complete(asked, context, self.journal) for asked in requests)
            return await asyncio.gather(*calls, return_exceptions=True)
        finally:
            await client.close()


def several(count: int) -> list[ModelRequest]:
    return [request(replicate=number) for number in range(1, count + 1)]

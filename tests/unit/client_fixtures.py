"""A model client with a reply store and a journal, in a folder of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from core_fixtures import request, settings_for

from daydreaming.base.errors import GenerationError
from daydreaming.ledger.journal import Budget, Journal, read_events
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.received import Reply
from daydreaming.ledger.replies import ReplyStore
from daydreaming.llm.call_account import CallContext
from daydreaming.llm.client import Completion, ModelClient

CONTEXT = CallContext("draft", "g-1", "cohort", "scripted", "plain", "writer", prices=(1.0, 2.0))


class Caller:
    """A client with everything that it needs, in a folder of its own."""

    def __init__(self, folder: Path, base_url: str, budget: Budget | None = None, **endpoint: Any):
        self.settings = settings_for(base_url, endpoint, data_root=str(folder))
        self.store = ReplyStore(self.settings.paths)
        self.journal = Journal(folder / "journal.jsonl", budget or Budget(), "run", lambda name: None)

    def call(self, *requests: ModelRequest, context: CallContext = CONTEXT) -> list[Reply | GenerationError]:
        """Make all calls at once; returns their replies and failures."""
        return [
            answer.reply if isinstance(answer, Completion) else answer
            for answer in self.completions(*(requests or (request(),)), context=context)
        ]

    def completions(
        self, *requests: ModelRequest, context: CallContext = CONTEXT, one_by_one: bool = False
    ) -> list[Completion | GenerationError]:
        """Make calls, all at once or one after the other; returns what came of them."""
        return asyncio.run(self._complete(requests, context, one_by_one))

    def call_while(
        self, meanwhile: Coroutine[Any, Any, None], *requests: ModelRequest
    ) -> list[Reply | GenerationError]:
        """Make calls while something else happens in their event loop; returns their replies and failures."""

        async def both() -> list[Reply | GenerationError]:
            answers, _ = await asyncio.gather(self._complete(requests or [request()], CONTEXT, False), meanwhile)
            return [answer.reply if isinstance(answer, Completion) else answer for answer in answers]

        return asyncio.run(both())

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

    async def _complete(self, requests: Any, context: CallContext, one_by_one: bool) -> list[Any]:
        client = ModelClient(self.settings, self.store)
        try:
            calls = [client.complete(asked, context, self.journal) for asked in requests]
            if one_by_one:
                return [(await asyncio.gather(call, return_exceptions=True))[0] for call in calls]
            return await asyncio.gather(*calls, return_exceptions=True)
        finally:
            await client.close()


class LoopClock:
    """The clock of the running event loop, which goes on by itself and can be put forward.

    Put forward at once, it is for the loop as if its process had stood still so long.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._now, self._ahead_s = loop.time, 0.0
        loop.time = lambda: self._now() + self._ahead_s  # type: ignore[method-assign]

    def put_forward(self, seconds: float) -> None:
        self._ahead_s += seconds

    async def let_pass(self, seconds: float) -> None:
        """Let so many seconds pass in steps in which no process could have stood still."""
        from daydreaming.llm.transport import STOOD_STILL_S

        step_s = STOOD_STILL_S / 2
        for _ in range(round(seconds / step_s)):
            self.put_forward(step_s)
            await asyncio.sleep(0)


def several(count: int) -> list[ModelRequest]:
    return [request(replicate=number) for number in range(1, count + 1)]

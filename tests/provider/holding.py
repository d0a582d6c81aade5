"""Answers that are held until a scene is set, so that no test depends on how fast a machine is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from provider.rules import Answer


@dataclass(slots=True)
class _Gathering:
    """Calls that wait for each other."""

    wanted: int
    waiting: int = 0
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    async def join(self) -> None:
        self.waiting += 1
        try:
            if self.waiting >= self.wanted:
                self.complete.set()
            await self.complete.wait()
        finally:
            self.waiting -= 1


class Holding:
    """The calls whose answers are held. Used from one event loop."""

    def __init__(self) -> None:
        self._release = asyncio.Event()
        self._gatherings: dict[str, _Gathering] = {}

    def begin_anew(self) -> None:
        """Forget who has gathered: other rules hold from now on. Who waits goes on waiting."""
        self._gatherings = {}

    def release(self) -> None:
        """Let go whoever waits for it now."""
        self._release.set()
        self._release = asyncio.Event()

    async def released(self) -> None:
        """Wait for the next release."""
        await self._release.wait()

    async def wait(self, rule: str, answer: Answer) -> None:
        """Wait for as long as an answer is to be held; `rule` is the name of its rule."""
        if answer.together is not None:
            await self._gatherings.setdefault(rule, _Gathering(answer.together)).join()
        if answer.held:
            await self.released()

"""The calls that one process has in flight: never more than allowed, in order, and first those that others wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from daydreaming.llm.call_slots import CallSlots


class Callers:
    """Callers of one loop that each hold a slot until they are told to end."""

    def __init__(self, slots: CallSlots):
        self._slots = slots
        self.holding: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Event] = {}

    async def come(self, names: Iterable[str], kind: str = "", step: int = 0) -> None:
        for name in names:
            self._ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._call(name, kind, step))
        await settled()

    def tell(self, name: str) -> None:
        self._ends[name].set()

    async def end(self, name: str) -> None:
        self.tell(name)
        await settled()

    async def _call(self, name: str, kind: str, step: int) -> None:
        async with self._slots.slot(kind, step):
            self.holding.append(name)
            try:
                await self._ends[name].wait()
            finally:
                self.holding.remove(name)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_never_more_than_allowed_and_in_the_order_in_which_they_came():
    async def scene() -> None:
        callers = Callers(CallSlots(2))
        await callers.come("abcd")
        assert callers.holding == ["a", "b"]
        await callers.end("b")
        assert callers.holding == ["a", "c"]
        await callers.end("a")
        await callers.end("c")
        await callers.end("d")
        await callers.come("efg")
        assert callers.holding == ["e", "f"]

    asyncio.run(scene())


def test_what_a_longer_rest_waits_for_is_next_whoever_came_before():
    async def scene() -> None:
        callers = Callers(CallSlots(1))
        await callers.come("abc", step=2)
        await callers.come("x", step=3)
        await callers.come("12", step=1)
        order = []
        for _ in range(6):
            order += callers.holding
            await callers.end(callers.holding[0])
        assert "".join(order) == "a12bcx"

    asyncio.run(scene())


def test_those_that_others_wait_for_are_next_whoever_came_before():
    async def scene() -> None:
        waited_for: list[str] = []
        callers = Callers(CallSlots(1, lambda: waited_for))
        await callers.come("abc")
        await callers.come("xyz", kind="new")
        order = []
        for _ in range(6):
            order += callers.holding
            waited_for[:] = ["another", "new"] if order[-1] in "bx" else []
            await callers.end(callers.holding[0])
        assert "".join(order) == "abxycz"

    asyncio.run(scene())


@pytest.mark.parametrize("waited_for", [(), ("new",)])
def test_who_is_cancelled_takes_nobody_s_slot(waited_for: tuple[str, ...]):
    async def scene() -> None:
        callers = Callers(CallSlots(1, lambda: waited_for))
        await callers.come("abcd", kind="new")
        callers.tasks["b"].cancel()
        await settled()
        assert callers.holding == ["a"]
        callers.tell("a")
        while "a" in callers.holding:
            await asyncio.sleep(0)
        callers.tasks["c"].cancel()  # it may have got its slot, and not know it yet
        await settled()
        assert callers.holding == ["d"]
        callers.tasks["d"].cancel()
        await callers.come("e")
        assert callers.holding == ["e"]

    asyncio.run(scene())


def test_without_a_number_nobody_waits():
    async def scene() -> None:
        callers = Callers(CallSlots(None))
        await callers.come("abcdefgh")
        assert callers.holding == list("abcdefgh")

    asyncio.run(scene())

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from pathlib import Path

from core_fixtures import python
from provider_fixtures import wait_until

from daydreaming.base.locks import RangeLocks, locked_file

HOLDS = """
import sys
from pathlib import Path
from daydreaming.base.locks import RangeLocks
locks = RangeLocks(Path(sys.argv[1]))
for number in sys.argv[2:]:
    print(locks.try_acquire(int(number)), flush=True)
input()
"""
# Holds its first lock, and waits for its second, which another process holds that waits for the first.
CROSSWISE = """
import asyncio, sys
from pathlib import Path
from daydreaming.base.locks import RangeLocks
async def main(path, first, second):
    locks = RangeLocks(path)
    async def one():
        async with locks.hold(first):
            print("has", first, flush=True)
            input()
            waiting = asyncio.create_task(other())
            await asyncio.sleep(0.2)
        await waiting
    async def other():
        async with locks.hold(second):
            print("has", second, flush=True)
    await one()
asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
"""


def holder(path: Path, *numbers: int):
    """Start a process that holds these locks until it reads a line, or dies."""
    process = python(HOLDS, path, *numbers)
    assert [process.stdout.readline() for _ in numbers] == ["True\n"] * len(numbers)
    return process


def test_a_lock_has_one_owner_and_can_be_given_back(tmp_path: Path):
    locks = RangeLocks(tmp_path / "new folder" / "locks")
    assert locks.try_acquire(5)
    assert not locks.try_acquire(5)
    assert locks.try_acquire(6)
    locks.release(5)
    assert locks.try_acquire(5)
    assert not locks.try_acquire(6)


def test_numbers_may_be_as_large_as_the_names_of_requests(tmp_path: Path):
    locks = RangeLocks(tmp_path / "locks")
    assert locks.try_acquire(16**15 - 1)
    assert locks.try_acquire(16**15 - 2)
    assert (tmp_path / "locks").stat().st_size == 0


def test_only_one_thread_gets_a_lock(tmp_path: Path):
    locks, taken = RangeLocks(tmp_path / "locks"), []
    together = threading.Barrier(8)

    def take() -> None:
        together.wait()
        taken.append(locks.try_acquire(1))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 7 + [True]


def test_a_dead_owner_holds_nothing(tmp_path: Path):
    path = tmp_path / "locks"
    locks, owner = RangeLocks(path), holder(path, 1, 2)
    assert not locks.try_acquire(1)
    assert locks.try_acquire(3)
    os.kill(owner.pid, signal.SIGKILL)
    owner.communicate()
    assert locks.try_acquire(1)
    assert locks.try_acquire(2)


def test_a_lock_that_is_given_back_is_free_for_other_processes(tmp_path: Path):
    path = tmp_path / "locks"
    locks = RangeLocks(path)
    locks.try_acquire(1)
    locks.try_acquire(2)
    locks.release(1)
    owner = holder(path, 1)
    assert not locks.try_acquire(1)
    locks.close()
    holder(path, 2).communicate("\n")
    owner.communicate("\n")
    assert locks.try_acquire(1)


def test_waits_for_another_task_and_gives_back_on_errors(tmp_path: Path):
    locks, order = RangeLocks(tmp_path / "locks"), []

    async def work(name: str, seconds: float) -> None:
        async with locks.hold(1) as taken:
            order.append((name, taken))
            await asyncio.sleep(seconds)
            order.append((name, "done"))
            raise KeyError(name)

    async def both() -> None:
        await asyncio.gather(work("a", 0.05), work("b", 0), return_exceptions=True)

    asyncio.run(both())
    assert order == [("a", True), ("a", "done"), ("b", True), ("b", "done")]
    assert locks.try_acquire(1)


def test_stops_waiting_when_there_is_no_more_reason_to(tmp_path: Path):
    locks, answers = RangeLocks(tmp_path / "locks"), iter([False, False, True])

    async def wait() -> bool:
        async with locks.hold(1, until=lambda: next(answers)) as taken:
            return taken

    assert locks.try_acquire(1)
    assert asyncio.run(wait()) is False
    assert not locks.try_acquire(1), "what was not taken was given back"
    locks.release(1)
    assert asyncio.run(wait()) is True


def test_a_task_that_is_cancelled_while_it_waits_takes_nothing(tmp_path: Path):
    locks = RangeLocks(tmp_path / "locks")

    async def wait() -> None:
        async with locks.hold(1):
            raise AssertionError("it cannot have the lock")

    async def cancel() -> None:
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0.02)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    assert locks.try_acquire(1)
    asyncio.run(cancel())
    locks.release(1)
    assert locks.try_acquire(1)


def test_processes_that_wait_crosswise_both_go_on(tmp_path: Path):
    """The kernel takes two blocking waits of this kind for a deadlock, and fails one of them."""
    path = tmp_path / "locks"
    one, other = python(CROSSWISE, path, 1, 2), python(CROSSWISE, path, 2, 1)
    assert (one.stdout.readline(), other.stdout.readline()) == ("has 1\n", "has 2\n")
    for process in (one, other):
        process.stdin.write("\n")
        process.stdin.flush()
    assert (one.communicate(timeout=120)[0], other.communicate(timeout=120)[0]) == ("has 2\n", "has 1\n")
    assert (one.returncode, other.returncode) == (0, 0)


def test_a_locked_file_is_held_against_every_other_descriptor(tmp_path: Path):
    path, order = tmp_path / "a", []
    first, second = (os.open(path, os.O_RDWR | os.O_CREAT) for _ in range(2))

    def wait() -> None:
        with locked_file(second):
            order.append("second")

    with locked_file(first):
        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.05)
        order.append("first")
    wait_until(lambda: len(order) == 2)
    waiting.join()
    assert order == ["first", "second"]
    os.close(first)
    os.close(second)

"""A process that is killed in any gap between two writes or answers while it orders and collects batches: nothing is
lost and nothing bought twice."""

import os
import random
import signal

import pytest
from batch_fixtures import KEY_VARIABLE, KINDS, Study

from daydreaming.ledger.journal import Budget
from daydreaming.llm.batches.finding import SETTLES_IN_S
from provider import Provider
from provider.batch_faults import BatchFault

REQUESTS = 3
SAMPLE, ALL = 24, 1000
WRITING = ("write", "pwrite", "replace", "fsync", "fdatasync", "ftruncate", "posix_fallocate", "unlink", "rename")
# Of three requests, by the test below.
GAPS_OF_ORDER, GAPS_OF_COLLECTION = 25, 44
LATER_S = SETTLES_IN_S + 1
# A process of the trial may have sent something with its clock that far ahead.
WELL_LATER_S = 2 * LATER_S


@pytest.fixture(scope="module")
def server():
    with Provider() as started:
        yield started


class Gaps:
    """Counts the gaps of a process, and ends it in one of them."""

    def __init__(self, kill_at: int | None = None):
        self.number = 0
        self._kill_at = kill_at

    def passed(self, *_):
        self.number += 1
        if self.number == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch_calls(self):
        """Every call that changes a file is a gap, too."""
        for name in WRITING:
            setattr(os, name, self._watched(getattr(os, name)))

    def _watched(self, function):
        def watched(*args, **options):
            self.passed()
            return function(*args, **options)

        return watched


def killed(work, kill_at: int | None) -> int:
    """Do work in a process of its own that is killed in a gap; returns how many gaps there are if it is not."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        gaps = Gaps(kill_at)
        try:
            gaps.watch_calls()
            work(gaps.passed)
            number = gaps.number
            os.write(writing, str(number).encode())
        finally:
            os._exit(1)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    assert told or os.WTERMSIG(status) == signal.SIGKILL
    return int(told or 0)


def order(study: Study, later_s: float = 0.0):
    def work(checkpoint):
        exchange = study.exchange(checkpoint=checkpoint, later_s=later_s)
        exchange.bring_up_to_date()
        exchange.submit(study.wanted(REQUESTS))

    return work


def finish(study: Study) -> None:
    """Start again and again, as a user does, until all is there."""
    for _ in range(4):
        study.look(later_s=WELL_LATER_S)
        study.submit(REQUESTS)
        study.provider.go_on()
        if study.stored(REQUESTS) == REQUESTS and not study.records.open():
            return
    study.look(later_s=WELL_LATER_S)


def trial(server, folder, kind, number, monkeypatch) -> None:
    """One life of a study whose processes are killed twice, each in a gap that a seed chooses."""
    monkeypatch.setenv(KEY_VARIABLE, "test-key")
    server.go_on("vanish")
    server.forget_bought()
    draw = random.Random(number)
    study = Study(folder, server, kind, Budget(usd=1.0))
    server.batch_faults(*([BatchFault("create", "lost answer")] if draw.random() < 0.2 else []))
    killed(order(study), 1 + number % GAPS_OF_ORDER)
    server.batch_faults()
    if draw.random() < 0.5:
        server.go_on(draw.choice(["completed", "completed", "expired", "answer"]), share=draw.choice([1.0, 0.5]))
    killed(order(study, draw.choice([0.0, LATER_S])), draw.randint(1, GAPS_OF_COLLECTION + 5))
    finish(study)
    assert study.stored(REQUESTS) == REQUESTS
    assert sorted(server.batches()["bought"].values()) == [1] * REQUESTS
    account = study.account
    assert account.reserved_usd == 0
    costs = sum(study.store.cost_usd(one.request.sha256) for one in study.wanted(REQUESTS))
    assert account.spent_usd == pytest.approx(costs)
    assert not study.records.open()
    assert not list(study.settings.paths.batches.glob("*.requests"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_gap_is_counted(server, tmp_path, kind, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "test-key")
    server.go_on("vanish")
    study = Study(tmp_path, server, kind, Budget(usd=1.0))
    ordering = killed(order(study), None)
    server.go_on()
    collecting = killed(order(study), None)
    assert (ordering, collecting) == (GAPS_OF_ORDER, GAPS_OF_COLLECTION)
    assert study.stored(REQUESTS) == REQUESTS


CASES = [
    pytest.param(kind, number, marks=[] if number < SAMPLE // 2 else [pytest.mark.full_set])
    for kind in KINDS
    for number in range(ALL // 2)
]


@pytest.mark.parametrize(("kind", "number"), CASES)
def test_a_kill_in_any_gap_loses_nothing_and_buys_nothing_twice(server, tmp_path, kind, number, monkeypatch):
    trial(server, tmp_path, kind, number, monkeypatch)

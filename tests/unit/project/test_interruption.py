"""Ctrl-C and SIGTERM between a signal and the executor's cancel()."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest
from provider_fixtures import wait_until

from snakemake_executor_plugin_daydreaming import interruption
from snakemake_executor_plugin_daydreaming.interruption import Interruption


@pytest.fixture
def stops() -> list[str]:
    return []


@pytest.fixture
def listening(stops: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Interruption]:
    """With the handlers of a program on a terminal, whatever the tests were started from."""
    monkeypatch.setattr(interruption, "SNAKEMAKE_TAKES_S", 3600.0)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda number, frame: stops.append("snakemake"))
    made = Interruption(lambda: stops.append("calls"))
    made.listen()
    yield made
    made.end()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    for number, handler in before.items():
        signal.signal(number, handler)


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)


def test_a_second_ctrl_c_before_snakemake_has_cancelled_ends_nothing(listening: Interruption, capfd):
    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c()
    press_ctrl_c()
    assert "Calls in flight are paid for" in capfd.readouterr().err
    gave_up: list[None] = []
    listening.cancelling(lambda: gave_up.append(None))
    assert not gave_up
    press_ctrl_c()
    assert gave_up


def test_no_ctrl_c_interrupts_a_run_that_cancels(listening: Interruption, capfd):
    """An exception anywhere in cancel() would be a stack trace, also one while what the last one said is written."""
    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c()
    gave_up: list[None] = []
    listening.cancelling(lambda: gave_up.append(None))
    press_ctrl_c()
    assert "Calls in flight are paid for" in capfd.readouterr().err
    assert not gave_up
    press_ctrl_c()
    press_ctrl_c()
    assert len(gave_up) == 2


def test_no_ctrl_c_interrupts_a_run_that_cancels_before_its_first_call(capfd):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    made, gave_up = Interruption(lambda: None), list[None]()
    try:
        made.cancelling(lambda: gave_up.append(None))
        press_ctrl_c()
        assert "Calls in flight are paid for" in capfd.readouterr().err
        press_ctrl_c()
        assert gave_up
        made.end()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_three_times_ctrl_c_on_the_way_to_cancel_give_the_calls_up(listening: Interruption):
    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c()
    press_ctrl_c()
    press_ctrl_c()
    gave_up: list[None] = []
    listening.cancelling(lambda: gave_up.append(None))
    assert gave_up


def test_ctrl_c_is_heard_again_where_snakemake_did_not_cancel(listening: Interruption, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c()
    monkeypatch.setattr(interruption, "SNAKEMAKE_TAKES_S", 0.0)
    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c()


def test_a_program_that_ignores_ctrl_c_goes_on_ignoring_it(stops: list[str]):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        made = Interruption(lambda: None)
        made.listen()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        made.end()
    finally:
        signal.signal(signal.SIGINT, before)


def test_sigterm_stops_the_calls_and_then_snakemake(listening: Interruption, stops: list[str]):
    os.kill(os.getpid(), signal.SIGTERM)
    wait_until(lambda: len(stops) == 2)
    assert stops == ["calls", "snakemake"]

"""What holds for all tests: the full sets, Ctrl-C, bytecode, and that a slow machine is no failure."""

from __future__ import annotations

import os
import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is.
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full-sets", action="store_true", help="also run the cases that are marked full_set")


def pytest_configure() -> None:
    # A shell starts what runs in the background with SIGINT ignored, and children inherit that: the programs that tests
    # send a Ctrl-C would never see it. A handler of ours is not inherited; they begin with the default.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Tests start hundreds of processes, each of which would compile the library again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full-sets"):
        return
    left_out = [item for item in items if item.get_closest_marker("full_set")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]

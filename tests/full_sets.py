"""Cases of which `make test` takes a fixed sample."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def sampled(cases: Iterable[Any], *, full_set: Iterable[Any]) -> list[Any]:
    """The cases of a test: those of `full_set` run with --full-sets only. ValueError where one of them is no case."""
    cases, left_out = list(cases), list(full_set)
    for case in left_out:
        if case not in cases:
            raise ValueError(f"{case!r} is none of the cases: {cases}")
    return [pytest.param(case, marks=pytest.mark.full_set) if case in left_out else case for case in cases]

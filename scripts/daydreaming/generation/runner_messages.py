"""What the process of Snakemake and the one that makes generations say to each other, over a socket.

Pickled messages, each behind its length.
"""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass
from typing import Any

LENGTH = struct.Struct("!I")
# The environment variable by which processes that work for one run write their calls down as parts of it.
RUN_VARIABLE = "DAYDREAMING_RUN"


@dataclass(frozen=True, slots=True)
class Failure:
    """How a generation failed, in words, with its stack trace. `was_stopped`: it needed a call and got no turn."""

    message: str
    trace: str = ""
    was_stopped: bool = False


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What all generations of a run have in common; sent first."""

    run_id: str
    calls_in_flight: int


@dataclass(frozen=True, slots=True)
class Asked:
    """One generation: the number under which its result comes back, and the arguments of run_stage.py."""

    ticket: int
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """Load the cohort that these arguments of run_stage.py name, before the first generation is asked for."""

    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StopCalling:
    """Start no call any more."""


@dataclass(frozen=True, slots=True)
class RunEnd:
    """A run that ends: the (stage, gen_id) that it had planned, whether it wanted scores, how many seconds it took."""

    planned: tuple[tuple[str, str], ...]
    wants_scores: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Loaded:
    """The cohort is loaded, and calls may start; its journal tells how the run goes."""

    journal: str


@dataclass(frozen=True, slots=True)
class Ended:
    """What a run came to, in words."""

    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one generation."""

    ticket: int
    failure: Failure | None


def packed(message: Any) -> bytes:
    """A message as it is sent: its length, and itself."""
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(content)) + content

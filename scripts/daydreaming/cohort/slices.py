"""Slices of a cohort for a cluster: whole chains, so that no generation is in two slices or waits for another one.

A chain is a draft with all that is made from it; where texts of one combo are compared, all that is made from a combo.
Which slice it is in depends on the id of the draft, or the combo, and the number of slices alone: each process works
that out for itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from daydreaming.base.errors import Fault, InputError
from daydreaming.cohort.membership import Membership
from daydreaming.inputs.records import Generation

Key = tuple[str, str]  # stage, gen_id


@dataclass(frozen=True, slots=True, order=True)
class Slice:
    """One of `count` slices, numbered from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Slice:
        """Read a slice as the configuration has it: `2/5`. Raises InputError."""
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            problem = f"{text!r} is not a slice."
            raise InputError(Fault("config.yaml", problem, "Give it as i/n, with i from 1 to n: 2/5.", key="slice"))
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def slice_of(first: str, count: int) -> Slice:
    """Return the slice, of `count`, that takes a draft (by its gen_id), or a combo, and all that is made from it."""
    digest = hashlib.sha256(first.encode()).digest()
    return Slice(int.from_bytes(digest[:8], "big") % count + 1, count)


def membership_of_slice(membership: Membership, wanted: Slice) -> Membership:
    """Return the part of a cohort that a slice takes."""
    taken = {
        key: generation
        for key, generation in membership.generations.items()
        if slice_of(_first_of(membership, generation), wanted.count) == wanted
    }
    return Membership(membership.cohort_id, taken, membership.stages)


def _first_of(membership: Membership, generation: Generation) -> str:
    first = membership.chain(generation)[0]
    return first.combo_id if membership.stages.comparing else first.gen_id


def slices_needed(generations: int, generations_per_slice: int) -> int:
    """Return how many slices there are so that each has `generations_per_slice` generations, on the average."""
    return -(-generations // generations_per_slice)


def plan_slices(membership: Membership, open_keys: Collection[Key], count: int) -> Mapping[Slice, list[Key]]:
    """Return those of `count` slices that have work, each with its generations of `open_keys`, in order of numbers.

    Each generation is in one slice, whichever targets it is needed for.
    """
    planned: dict[Slice, list[Key]] = {}
    for key in open_keys:
        first = _first_of(membership, membership.get(*key))
        planned.setdefault(slice_of(first, count), []).append(key)
    return dict(sorted(planned.items()))

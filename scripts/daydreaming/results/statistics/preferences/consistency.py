"""Whether judges contradict themselves: verdicts that flip with the order, and preferences that go in circles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from daydreaming.results.statistics.intervals import Floats
from daydreaming.results.statistics.observations import Codes
from daydreaming.results.statistics.preferences.rates import clustered_rate
from daydreaming.results.statistics.preferences.verdicts import Comparisons, scopes
from daydreaming.results.statistics.tables import as_frame, joined

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "judge", "figure", "value", "low", "high", "numerator", "denominator", "n_left_out", "n_combos", "method", "note",
)  # fmt: skip
_PAIRS = "pairs that were judged in both orders"
_TRIADS = "three essays of which each two were judged and none tied"
_DECIDED = "verdicts that are no ties"


def consistency(comparisons: Comparisons) -> pd.DataFrame:
    """For each scope: how verdicts depend on the order, and how many triads of essays are cyclic.

    Of the pairs that one judge judged in both orders (and in the same replicate): `flips with the order`, where each
    order's verdict names another essay, which are those of `first both times` and `second both times`; `tie in one
    order only`; `same in both orders`. These four are of all such pairs; `n_left_out` counts pairs with one order only.

    `first preferred` is the share of wins of the text that stood first, of all verdicts that are no ties.

    `cyclic triads` are three essays of a combo of which A beats B, B beats C and C beats A (Kendall and Babington Smith
    1940, On the method of paired comparisons, Biometrika 31), of all three essays whose three pairs one judge decided,
    both orders and replicates together; random verdicts make one in four. `n_left_out` counts those with a tie.
    """
    rows: list[dict[str, Any]] = []
    for judge in scopes(comparisons):
        name = {"judge": "" if judge is None else comparisons.judges[judge]}
        judged = comparisons.by_judge(judge).judged
        rows += [name | row for row in (*_order_rows(judged), _position_row(judged), _triad_row(judged))]
    return as_frame(rows, COLUMNS)


def _order_rows(judged: Comparisons) -> list[dict[str, Any]]:
    chosen, swapped, combo, n_single = _both_orders(judged)
    first = (chosen == 1.0) & (swapped == 1.0)
    second = (chosen == 0.0) & (swapped == 0.0)
    figures = {
        "flips with the order": first | second,
        "first both times": first,
        "second both times": second,
        "tie in one order only": (chosen == 0.5) != (swapped == 0.5),
        "same in both orders": chosen == 1 - swapped,
    }
    return [
        {"figure": figure, "n_left_out": n_single} | clustered_rate(marked.astype(float), combo, _PAIRS).row()
        for figure, marked in figures.items()
    ]


def _both_orders(judged: Comparisons) -> tuple[Floats, Floats, Codes, int]:
    """What the essay that stood first got in either order, the combos, and how many pairs have one order only."""
    keys, place = np.unique(
        np.stack([judged.pair, judged.judge, judged.replicate], axis=1), axis=0, return_inverse=True
    )
    place = place.reshape(-1)
    points = np.full((2, len(keys)), np.nan)
    points[judged.order - 1, place] = judged.points
    combo = np.zeros(len(keys), np.int64)
    combo[place] = judged.combo
    both = ~np.isnan(points).any(axis=0)
    return points[0, both], points[1, both], combo[both], int((~both).sum())


def _position_row(judged: Comparisons) -> dict[str, Any]:
    decided = judged.points != 0.5
    rate = clustered_rate(judged.points[decided], judged.combo[decided], _DECIDED)
    return {"figure": "first preferred", "n_left_out": int((~decided).sum())} | rate.row()


def _triad_row(judged: Comparisons) -> dict[str, Any]:
    cyclic, combo, n_tied = cyclic_triads(judged)
    rate = clustered_rate(cyclic, combo, _TRIADS)
    row = {"figure": "cyclic triads", "n_left_out": n_tied} | rate.row()
    return row | {"note": joined(rate.note, "of random verdicts 0.25 would be" if len(cyclic) else "")}


def cyclic_triads(judged: Comparisons) -> tuple[Floats, Codes, int]:
    """For each decided triad of each judge: 1 if it is cyclic, else 0; its combo; how many have a tie instead."""
    cyclic: list[Floats] = [np.zeros(0)]
    combos: list[Codes] = [np.zeros(0, np.int64)]
    n_tied = 0
    for judge in np.unique(judged.judge):
        low, high, sign, combo = net_preferences(judged.by_judge(judge))
        order = np.argsort(combo, kind="stable")
        used, sizes = np.unique(combo, return_counts=True)
        for one, own in zip(used, np.split(order, np.cumsum(sizes)[:-1]), strict=True):
            n_cyclic, n_decided, n_with_tie = _count_triads(low[own], high[own], sign[own])
            cyclic.append(np.repeat([1.0, 0.0], [n_cyclic, n_decided - n_cyclic]))
            combos.append(np.full(n_decided, one))
            n_tied += n_with_tie
    return np.concatenate(cyclic), np.concatenate(combos), n_tied


def net_preferences(comparisons: Comparisons) -> tuple[Codes, Codes, Floats, Codes]:
    """For each pair that was judged: its two essays, the sign of the preference for the first of them, its combo.

    All verdicts on the pair count alike, in both orders and of all judges; 0 where they are even.
    """
    low, high = np.minimum(comparisons.first, comparisons.second), np.maximum(comparisons.first, comparisons.second)
    for_low = np.where(comparisons.first == low, 1.0, -1.0) * (comparisons.points - 0.5)
    _, at, place = np.unique(comparisons.pair, return_index=True, return_inverse=True)
    sign = np.sign(np.bincount(place, for_low, len(at)))
    return low[at], high[at], sign, comparisons.combo[at]


def _count_triads(low: Codes, high: Codes, sign: Floats) -> tuple[int, int, int]:
    """How many triads are cyclic, have three decided pairs, have three judged pairs of which one is even at least."""
    essays = np.unique(np.concatenate([low, high]))
    i, j = np.searchsorted(essays, low), np.searchsorted(essays, high)
    beats = np.zeros((len(essays), len(essays)), np.int64)
    judged = np.zeros_like(beats)
    judged[i, j] = judged[j, i] = 1
    beats[i[sign > 0], j[sign > 0]] = 1
    beats[j[sign < 0], i[sign < 0]] = 1
    decided = beats + beats.T
    # Walks of three steps that come back: three for each cycle, six for each triangle.
    n_cyclic, n_decided, n_judged = (
        int(np.trace(matrix @ matrix @ matrix)) // walks for matrix, walks in ((beats, 3), (decided, 6), (judged, 6))
    )
    return n_cyclic, n_decided, n_judged - n_decided

"""Which essays are compared with which: pairs of essays of one combo, each to be judged in both orders.

Essays of different combos answer different questions and are never paired. All choices are made of digests of the seed
and the ids, so that neither the order of a table nor the version of Python changes them.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, count, islice, zip_longest
from statistics import fmean
from typing import NamedTuple

# They bound the search for a round in which all play.
_MOST_STEPS = 10_000
_MOST_SEARCHED = 400


class Pair(NamedTuple):
    """Two essays of one combo, as they are shown: `first` as A, `second` as B."""

    combo_id: str
    first: str
    second: str

    @property
    def swapped(self) -> Pair:
        """The same pair the other way round."""
        return Pair(self.combo_id, self.second, self.first)

    @property
    def essays(self) -> frozenset[str]:
        """The two essays, whatever their order."""
        return frozenset((self.first, self.second))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A pair that was judged, and what the first essay got: 1.0 for a win, 0.5 for a tie, 0.0 for a loss."""

    pair: Pair
    points: float


Combos = Mapping[str, Sequence[str]]


def all_pairs(combos: Combos) -> list[Pair]:
    """All pairs of the essays of each combo (`{combo_id: essays}`), each once, in the order of their ids.

    Raises ValueError for an essay that is listed twice.
    """
    _check_listed_once(combos)
    return [
        Pair(combo_id, first, second)
        for combo_id in sorted(combos)
        for first, second in combinations(sorted(combos[combo_id]), 2)
    ]


def sampled_pairs(combos: Combos, n: int, seed: int) -> list[Pair]:
    """A random sample of `n` of all pairs, in the order in which they are drawn; each pair once.

    The same seed gives the same pairs, and a larger `n` these and more. Combos take turns in an order drawn by lot, so
    that each has as many pairs as another, within one, until it has no more. Within a combo the pairs come in rounds:
    after any number of pairs each of its essays was drawn equally often within one. Which of two essays is first is
    drawn by lot.

    Raises ValueError if there are fewer than `n` pairs, `n` is negative, or an essay is listed twice.
    """
    _check_listed_once(combos)
    total = sum(len(essays) * (len(essays) - 1) // 2 for essays in combos.values())
    if not 0 <= n <= total:
        raise ValueError(f"there are {total:,} pairs of essays of one combo, and {n:,} are asked for")
    turns = _shuffled(combos, f"{seed}\x1eturns")
    rounds = zip_longest(*(_drawn(combo_id, combos[combo_id], seed) for combo_id in turns))
    return list(islice((pair for one_round in rounds for pair in one_round if pair is not None), n))


def swiss_round(combos: Combos, results: Iterable[Comparison], seed: int) -> list[Pair]:
    """The next round of a Swiss-style tournament in each combo: essays with about equal points, not yet paired.

    Points are the mean over the essays that an essay has met of what it got against each, so that both orders and
    several judges of a pair are one meeting; without any it has 0.5. From the highest to the lowest, each essay is
    paired with the next one that it has not met; equal points are put in order by lot. No essay is in two pairs of a
    round. Of an odd number the one that has met most others pauses, the lowest of several; others pause where all that
    are left have met them. No pair is chosen twice, so that at last the rounds are empty. Of two essays the one that
    was first less often is first.

    Raises ValueError for results of essays that the combos do not list, points outside 0 to 1, and an essay that is
    listed twice.
    """
    _check_listed_once(combos)
    by_combo: defaultdict[str, list[Comparison]] = defaultdict(list)
    for result in results:
        _check_result(result, combos)
        by_combo[result.pair.combo_id].append(result)
    return [
        pair
        for combo_id in sorted(combos)
        for pair in _round(combo_id, combos[combo_id], by_combo[combo_id], f"{seed}\x1e{combo_id}")
    ]


def both_orders(pairs: Iterable[Pair]) -> list[Pair]:
    """Each pair, and right behind it the same pair the other way round."""
    return [shown for pair in pairs for shown in (pair, pair.swapped)]


def _check_listed_once(combos: Combos) -> None:
    counts = Counter(essay for essays in combos.values() for essay in essays)
    doubled = sorted(essay for essay, count in counts.items() if count > 1)
    if doubled:
        raise ValueError(f"essays that are listed more than once: {', '.join(doubled[:5])}")


def _check_result(result: Comparison, combos: Combos) -> None:
    pair = result.pair
    unknown = [essay for essay in (pair.first, pair.second) if essay not in combos.get(pair.combo_id, ())]
    if unknown:
        raise ValueError(f"the combo {pair.combo_id!r} has no essay {unknown[0]!r}, and there is a result of it")
    if pair.first == pair.second or not 0.0 <= result.points <= 1.0:
        raise ValueError(f"no result of a comparison: {result}")


def _drawn(combo_id: str, essays: Sequence[str], seed: int) -> Iterator[Pair]:
    """All pairs of a combo in the order in which they are drawn."""
    name = f"{seed}\x1e{combo_id}"
    order = _shuffled(essays, f"{name}\x1eessays")
    for one, other in _tournament(order):
        first, second = sorted((one, other))
        if _digest(f"{name}\x1efirst\x1e{first}\x1e{second}") % 2:
            first, second = second, first
        yield Pair(combo_id, first, second)


def _tournament(essays: Sequence[str]) -> Iterator[tuple[str, str]]:
    """All pairs, in an order in which after any number of them each essay was drawn equally often within one.

    An even number: the rounds of the circle method, in each of which everyone plays once. An odd number cannot do that;
    its pairs are split into cycles through all essays (Walecki's, in Alspach 2008, The wonderful Walecki construction,
    Bull. Inst. Combin. Appl. 52), and of each cycle every other pair comes first, then those between.
    """
    if len(essays) % 2 == 0:
        ring = list(essays)
        for _ in range(len(ring) - 1):
            yield from ((ring[place], ring[-1 - place]) for place in range(len(ring) // 2))
            ring = [ring[0], ring[-1], *ring[1:-1]]
        return
    hub, rim = essays[-1], essays[:-1]
    zigzag = [place // 2 if place % 2 == 0 else -(place + 1) // 2 for place in range(len(rim))]
    for turn in range(len(rim) // 2):
        cycle = [*(rim[(turn + place) % len(rim)] for place in zigzag), hub]
        yield from zip(cycle[:-1:2], cycle[1::2], strict=True)
        yield cycle[-1], cycle[0]
        yield from zip(cycle[1::2], cycle[2::2], strict=True)


def _round(combo_id: str, essays: Sequence[str], results: Sequence[Comparison], name: str) -> Iterable[Pair]:
    points: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for result in results:
        points[result.pair.first, result.pair.second].append(result.points)
        points[result.pair.second, result.pair.first].append(1.0 - result.points)
    meetings: defaultdict[str, list[float]] = defaultdict(list)
    for (essay, _), got in points.items():
        meetings[essay].append(fmean(got))
    met = {result.pair.essays for result in results}
    lots = _shuffled(essays, f"{name}\x1e{len(met)}")
    means = {essay: fmean(meetings[essay]) if meetings[essay] else 0.5 for essay in lots}
    standing = sorted(lots, key=lambda essay: -means[essay])
    firsts = Counter(result.pair.first for result in results)
    if len(standing) % 2:
        standing.remove(max(reversed(standing), key=lambda essay: len(meetings[essay])))
    for one, other in _matched(standing, met):
        first, second = (one, other) if firsts[one] <= firsts[other] else (other, one)
        yield Pair(combo_id, first, second)


def _matched(standing: Sequence[str], met: Collection[frozenset[str]]) -> list[tuple[str, str]]:
    """Pairs of neighbours that have not met: of all essays where a search of bounded length finds that."""
    if len(standing) <= _MOST_SEARCHED and (complete := _complete_matching(standing, met, count())) is not None:
        return complete
    left, pairs = list(standing), []
    while left:
        one = left.pop(0)
        place = next((place for place, other in enumerate(left) if frozenset((one, other)) not in met), None)
        if place is not None:
            pairs.append((one, left.pop(place)))
    return pairs


def _complete_matching(
    left: Sequence[str], met: Collection[frozenset[str]], steps: Iterator[int]
) -> list[tuple[str, str]] | None:
    """The first pairing of all, from the highest to the lowest; None where none was found in so many steps."""
    if not left:
        return []
    for place in range(1, len(left)):
        if frozenset((left[0], left[place])) in met:
            continue
        if next(steps) > _MOST_STEPS:
            return None
        rest = _complete_matching([*left[1:place], *left[place + 1 :]], met, steps)
        if rest is not None:
            return [(left[0], left[place]), *rest]
    return None


def _shuffled(items: Iterable[str], seed: str) -> list[str]:
    return sorted(items, key=lambda item: (_digest(f"{seed}\x1e{item}"), item))


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")

"""Which essays are compared: all pairs, samples that can grow, rounds of a Swiss-style tournament, both orders."""

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daydreaming.cohort.pairs import Comparison, Pair, all_pairs, both_orders, sampled_pairs, swiss_round

COMBOS = {"k2": ["e5", "e4"], "k1": ["e3", "e1", "e2"]}


def combos_of(*sizes: int) -> dict[str, list[str]]:
    return {f"k{combo}": [f"e{combo}-{essay}" for essay in range(size)] for combo, size in enumerate(sizes)}


SOME_COMBOS = st.lists(st.integers(0, 9), min_size=1, max_size=4).map(lambda sizes: combos_of(*sizes))


def test_all_pairs_of_each_combo_in_the_order_of_ids():
    assert all_pairs(COMBOS) == [
        ("k1", "e1", "e2"),
        ("k1", "e1", "e3"),
        ("k1", "e2", "e3"),
        ("k2", "e4", "e5"),
    ]


def test_both_orders_stand_behind_each_other():
    assert both_orders([Pair("k1", "e1", "e2"), Pair("k2", "e4", "e5")]) == [
        ("k1", "e1", "e2"),
        ("k1", "e2", "e1"),
        ("k2", "e4", "e5"),
        ("k2", "e5", "e4"),
    ]


@given(combos=SOME_COMBOS, seed=st.integers(0, 99), data=st.data())
def test_a_larger_sample_begins_with_the_smaller_one_and_the_whole_has_each_pair_once(combos, seed, data):
    every = all_pairs(combos)
    whole = sampled_pairs(combos, len(every), seed)
    assert {(pair.combo_id, pair.essays) for pair in whole} == {(pair.combo_id, pair.essays) for pair in every}
    assert len(whole) == len(every)
    n = data.draw(st.integers(0, len(every)))
    assert sampled_pairs(combos, n, seed) == whole[:n]


@settings(max_examples=50)
@given(size=st.integers(2, 25), seed=st.integers(0, 9))
def test_after_any_number_of_pairs_each_essay_was_drawn_equally_often_within_one(size, seed):
    [(combo_id, essays)] = combos_of(size).items()
    drawn = Counter(dict.fromkeys(essays, 0))
    for pair in sampled_pairs({combo_id: essays}, size * (size - 1) // 2, seed):
        drawn.update(pair.essays)
        assert max(drawn.values()) - min(drawn.values()) <= 1


@given(combos=SOME_COMBOS, seed=st.integers(0, 9), data=st.data())
def test_combos_take_turns_until_one_has_no_more_pairs(combos, seed, data):
    every = Counter(pair.combo_id for pair in all_pairs(combos))
    n = data.draw(st.integers(0, every.total()))
    drawn = Counter(pair.combo_id for pair in sampled_pairs(combos, n, seed))
    most = max((drawn[combo] for combo in every), default=0)
    assert all(drawn[combo] >= min(most - 1, every[combo]) for combo in every)


def test_the_order_of_the_tables_is_no_choice_and_the_seed_is_one():
    combos = combos_of(6, 7)
    turned = {combo: list(reversed(essays)) for combo, essays in reversed(combos.items())}
    assert sampled_pairs(turned, 20, seed=1) == sampled_pairs(combos, 20, seed=1)
    assert sampled_pairs(combos, 20, seed=2) != sampled_pairs(combos, 20, seed=1)


def test_which_essay_is_first_is_drawn_by_lot():
    pairs = sampled_pairs(combos_of(40), 780, seed=1)
    in_order = sum(pair.first < pair.second for pair in pairs)
    assert 340 <= in_order <= 440  # four standard deviations, 14 each, around one half


def test_the_sample_of_a_seed_is_always_the_same():
    assert sampled_pairs(COMBOS, 3, seed=1) == [("k1", "e3", "e2"), ("k2", "e4", "e5"), ("k1", "e1", "e2")]


@pytest.mark.parametrize("n", [-1, 5])
def test_more_pairs_than_there_are_is_an_error(n):
    with pytest.raises(ValueError, match="there are 4 pairs of essays"):
        sampled_pairs(COMBOS, n, seed=1)


@pytest.mark.parametrize("combos", [{"k1": ["e1", "e1"]}, {"k1": ["e1"], "k2": ["e1"]}])
def test_an_essay_that_is_listed_twice_is_an_error(combos):
    for choose in (all_pairs, lambda them: sampled_pairs(them, 0, 1), lambda them: swiss_round(them, [], 1)):
        with pytest.raises(ValueError, match="more than once: e1"):
            choose(combos)


def played(pairs: list[Pair], strength: dict[str, float]) -> list[Comparison]:
    return [Comparison(pair, float(strength[pair.first] > strength[pair.second])) for pair in pairs]


@settings(max_examples=40)
@given(size=st.integers(2, 12), seed=st.integers(0, 9))
def test_rounds_of_a_swiss_tournament_never_repeat_a_pair_and_end_when_all_have_met(size, seed):
    combos = combos_of(size)
    essays = combos["k0"]
    strength = {essay: float(place) for place, essay in enumerate(essays)}
    results: list[Comparison] = []
    for _ in range(size * size):
        pairs = swiss_round(combos, results, seed)
        if not pairs:
            break
        own = [essay for pair in pairs for essay in pair.essays]
        assert len(own) == len(set(own))
        results += played(pairs, strength)
    met = [result.pair.essays for result in results]
    assert len(met) == len(set(met))
    assert set(met) == {frozenset(pair) for pair in combinations(essays, 2)}


def test_the_first_round_pairs_all_and_the_next_those_with_equal_points():
    combos = combos_of(8)
    strength = {essay: float(place) for place, essay in enumerate(combos["k0"])}
    first = swiss_round(combos, [], seed=3)
    assert len(first) == 4
    results = played(first, strength)
    winners = {max(pair.essays, key=strength.__getitem__) for pair in first}
    second = swiss_round(combos, results, seed=3)
    assert len(second) == 4
    assert all(len(pair.essays & winners) in (0, 2) for pair in second)


def test_of_an_odd_number_each_pauses_once_before_any_pauses_twice():
    combos = combos_of(5)
    strength = {essay: float(place) for place, essay in enumerate(combos["k0"])}
    results: list[Comparison] = []
    pausing = []
    for _ in range(4):
        pairs = swiss_round(combos, results, seed=1)
        [paused] = set(combos["k0"]) - {essay for pair in pairs for essay in pair.essays}
        pausing.append(paused)
        results += played(pairs, strength)
    assert len(set(pausing)) == 4


def test_both_orders_and_several_judges_are_one_meeting():
    pair = Pair("k0", "e0-0", "e0-1")
    results = [Comparison(pair, 1.0), Comparison(pair.swapped, 0.5), Comparison(pair, 1.0)]
    [next_pair] = swiss_round(combos_of(3), results, seed=1)
    assert next_pair.essays != pair.essays
    assert "e0-2" in next_pair.essays


def test_a_pair_that_many_judges_saw_weighs_no_more_than_another():
    """e0-0 lost one meeting, which nine judges saw, and won one: e0-2, which lost its only one, is below."""
    results = [Comparison(Pair("k0", "e0-0", "e0-1"), 0.0)] * 9
    results += [Comparison(Pair("k0", "e0-0", "e0-3"), 1.0), Comparison(Pair("k0", "e0-3", "e0-2"), 1.0)]
    pairs = [{pair.essays for pair in swiss_round(combos_of(6), results, seed)} for seed in range(20)]
    assert 0 < sum(frozenset({"e0-0", "e0-2"}) in chosen for chosen in pairs) < 20


def test_whoever_was_first_less_often_is_first_now():
    combos = combos_of(4)
    results = [Comparison(Pair("k0", "e0-0", "e0-1"), 0.5), Comparison(Pair("k0", "e0-0", "e0-2"), 0.5)]
    for seed in range(5):
        assert all(pair.first != "e0-0" for pair in swiss_round(combos, results, seed))


@pytest.mark.parametrize(
    ("pair", "points", "problem"),
    [
        (Pair("k0", "e0-0", "other"), 1.0, "no essay 'other'"),
        (Pair("k9", "e0-0", "e0-1"), 1.0, "the combo 'k9' has no essay"),
        (Pair("k0", "e0-0", "e0-1"), 2.0, "no result"),
        (Pair("k0", "e0-0", "e0-1"), float("nan"), "no result"),
        (Pair("k0", "e0-0", "e0-0"), 1.0, "no result"),
    ],
)
def test_results_that_do_not_belong_here_are_errors(pair, points, problem):
    with pytest.raises(ValueError, match=problem):
        swiss_round(combos_of(3), [Comparison(pair, points)], seed=1)


def test_a_large_combo_is_paired_in_a_bounded_search():
    combos = combos_of(200)
    results = played(sampled_pairs(combos, 200 * 190 // 2, seed=1), dict.fromkeys(combos["k0"], 0.0))
    met = {result.pair.essays for result in results}
    pairs = swiss_round(combos, results, seed=1)
    assert len(pairs) >= 50
    assert not {pair.essays for pair in pairs} & met

from __future__ import annotations

from collections import Counter

import pytest
from score_fixtures import draft, essay, evaluation, generation, membership

from daydreaming.base.errors import InputError
from daydreaming.cohort.membership import Membership
from daydreaming.cohort.slices import Slice, membership_of_slice, plan_slices, slice_of, slices_needed
from daydreaming.inputs.configuration import settings_from_config

CHAINS = 200
COHORT = membership(
    *(draft(f"d{number}") for number in range(CHAINS)),
    *(essay(f"e{number}-{which}", f"d{number}") for number in range(CHAINS) for which in "ab"),
    *(evaluation(f"v{number}", f"e{number}-a") for number in range(CHAINS)),
)


@pytest.mark.parametrize("text", ["0/3", "4/3", "2", "a/b", "1/0", "-1/3", "1/3/5", ""])
def test_what_is_no_slice_is_refused(text: str):
    with pytest.raises(InputError, match="key 'slice'"):
        Slice.parse(text)


def test_a_slice_is_read_as_it_is_written():
    assert Slice.parse("2/5") == Slice(2, 5)
    assert str(Slice(2, 5)) == "2/5"


def test_the_slice_of_a_draft_is_the_same_on_every_machine():
    assert [slice_of(name, 7).number for name in ("d0", "d1", "el5n5dcdj5zqksfk")] == [4, 1, 4]


def test_slices_share_a_cohort_out_and_keep_chains_whole():
    parts = [membership_of_slice(COHORT, Slice(number, 4)) for number in range(1, 5)]
    assert Counter(key for part in parts for key in part.generations) == Counter(list(COHORT.generations))
    for part in parts:
        assert all(part.parent(one) is not None for one in part.stage("essay") + part.stage("evaluation"))
        assert CHAINS / 8 < len(part.stage("draft")) < CHAINS / 2


def test_a_plan_has_the_open_generations_of_each_slice_and_no_slice_without_work():
    open_keys = [("essay", "e3-b"), ("evaluation", "v3"), ("draft", "d9")]
    assert plan_slices(COHORT, open_keys, 1) == {Slice(1, 1): open_keys}
    plan = plan_slices(COHORT, open_keys, 3)
    assert {key: slice_ for slice_, keys in plan.items() for key in keys} == {
        ("essay", "e3-b"): slice_of("d3", 3),
        ("evaluation", "v3"): slice_of("d3", 3),
        ("draft", "d9"): slice_of("d9", 3),
    }
    assert list(plan) == sorted(plan)


def test_nothing_open_needs_no_slice():
    assert plan_slices(COHORT, [], 5) == {}


def test_slices_are_as_large_as_asked_for_on_the_average():
    assert len(COHORT.generations) == 800
    plan = plan_slices(COHORT, list(COHORT.generations), slices_needed(800, 250))
    assert list(plan) == [Slice(number, 4) for number in range(1, 5)]


def test_what_compares_texts_of_a_combo_is_in_the_slice_of_both():
    stages = settings_from_config({"stages": {"comparison": {"parent": "essay", "makes": "preference"}}}).stage_table
    rows = [
        *(draft(f"d{combo}-{which}", combo_id=f"k{combo}") for combo in range(40) for which in "ab"),
        *(essay(f"e{combo}-{which}", f"d{combo}-{which}") for combo in range(40) for which in "ab"),
        *(generation("comparison", f"c{n}", f"e{n}-a", second_parent_gen_id=f"e{n}-b") for n in range(40)),
    ]
    whole = Membership("c1", {(row.stage, row.gen_id): row for row in rows}, stages)
    parts = [membership_of_slice(whole, Slice(number, 4)) for number in range(1, 5)]
    assert Counter(key for part in parts for key in part.generations) == Counter(list(whole.generations))
    assert all(len(part.further(one)) == 1 for part in parts for one in part.stage("comparison"))

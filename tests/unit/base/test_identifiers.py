from __future__ import annotations

import re

import pytest

from daydreaming.base.identifiers import content_id, generation_id, is_valid_id

USUAL = {
    "stage": "essay",
    "template_id": "plain",
    "model_id": "writer",
    "parent_or_combo": "d1",
    "replicate": 1,
}


def test_a_generation_id_is_16_characters_of_base_36_and_a_valid_id():
    name = generation_id(**USUAL)
    assert re.fullmatch("[0-9a-z]{16}", name)
    assert is_valid_id(name)


def test_generation_ids_never_change():
    """Every generation that users have paid for is found by its id: this value is for good."""
    assert generation_id(**USUAL) == "30wgtarls8gzr503"


@pytest.mark.parametrize(
    "change",
    [{"stage": "draft"}, {"template_id": "other"}, {"model_id": "other"}, {"parent_or_combo": "d2"}, {"replicate": 2}],
)
def test_every_property_is_part_of_the_id(change: dict):
    assert generation_id(**{**USUAL, **change}) != generation_id(**USUAL)


def test_neighbouring_properties_do_not_run_together():
    assert generation_id("essay", "ab", "c", "d", 1) != generation_id("essay", "a", "bc", "d", 1)


def test_the_order_of_keys_is_no_content_and_the_order_of_lists_is():
    assert content_id({"a": 1, "b": 2}, 12) == content_id({"b": 2, "a": 1}, 12)
    assert content_id([1, 2], 12) != content_id([2, 1], 12)


@pytest.mark.parametrize("text", ["a", "A-1_b.c", "...", "0"])
def test_ids_that_can_name_a_file(text: str):
    assert is_valid_id(text)


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "../a", "a\\b", "a b", "ä", "a\n", "a\x00"])
def test_ids_that_cannot_name_a_file(text: str):
    assert not is_valid_id(text)

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from core_fixtures import copy_of_draft, specification, template

from daydreaming.generation.specification import ConceptText, parser_digest, text_digest
from daydreaming.inputs.setting_models import StageSettings

SAMPLING = StageSettings(temperature=0.5, max_tokens=1000, min_lines=3, seed=20240115, extra_body={"a": 1, "b": 2})
BASE = specification(
    concepts=(ConceptText("tide", "Tides", Path("t"), "d1"), ConceptText("loom", "L", Path("l"), "d2")),
    sampling=SAMPLING,
)


def test_every_part_can_be_read_in_the_fingerprint():
    fingerprint = BASE.fingerprint()
    for words in (
        "template draft-template@t1",
        "acme/writer at http://127.0.0.1:1/v1",
        "temperature 0.5",
        "replicate 1",
    ):
        assert words in fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"template_digest": "t2"},
        {"template": replace(BASE.template, template_id="other")},
        {"template": replace(BASE.template, generator="copy")},
        {"parser": "essay_block"},
        {"parser": "essay_block", "parser_digest": "p2"},
        {"parent": ("draft", "other")},
        {"concepts": BASE.concepts[:1]},
        {"concepts": BASE.concepts[::-1]},
        {"concepts": (replace(BASE.concepts[0], digest="d3"), BASE.concepts[1])},
        {"model": "acme/other"},
        {"answerer": "http://elsewhere/v1"},
        {"replicate": 2},
        {"sampling": SAMPLING.model_copy(update={"temperature": 0.50000001})},
        {"sampling": SAMPLING.model_copy(update={"temperature": None})},
        {"sampling": SAMPLING.model_copy(update={"max_tokens": 1001})},
        {"sampling": SAMPLING.model_copy(update={"min_lines": 4})},
        {"sampling": SAMPLING.model_copy(update={"seed": 20240116})},
        {"sampling": SAMPLING.model_copy(update={"extra_body": {"a": 1, "b": 3}})},
        {"sampling": SAMPLING.model_copy(update={"extra_body": {}})},
    ],
    ids=str,
)
def test_what_decides_the_result_changes_the_fingerprint(change: dict[str, Any]):
    assert replace(BASE, **change).fingerprint() != BASE.fingerprint()


def test_the_code_of_a_parser_is_part_of_it():
    parsed = specification("evaluation")
    assert replace(parsed, parser_digest="p2").fingerprint() != parsed.fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"cohort_id": "other"},
        {"endpoint": "renamed"},
        {"prices": (9.0, 9.0)},
        {"llm_model_id": "renamed"},
        {"sampling": SAMPLING.model_copy(update={"extra_body": {"b": 2, "a": 1}})},
        {"concepts": (replace(BASE.concepts[0], path=Path("moved")), BASE.concepts[1])},
    ],
    ids=str,
)
def test_what_decides_nothing_leaves_it(change: dict[str, Any]):
    assert replace(BASE, **change).fingerprint() == BASE.fingerprint()


def test_a_whole_temperature_is_a_temperature():
    as_int, as_float = (
        replace(BASE, sampling=SAMPLING.model_copy(update={"temperature": value})) for value in (1, 1.0)
    )
    assert as_int.fingerprint() == as_float.fingerprint()


def test_a_copy_has_neither_model_nor_sampling():
    copy = copy_of_draft()
    assert copy.is_copy
    assert not BASE.is_copy
    assert "model" not in copy.fingerprint()
    assert "temperature" not in copy.fingerprint()


def test_digests_are_those_of_the_content():
    assert text_digest(b"a") == text_digest(b"a") != text_digest(b"b")
    assert parser_digest() == parser_digest()
    assert template("essay", "x").path is None


def test_what_an_adopted_generation_must_agree_with_is_its_row_and_the_texts_behind_it():
    asked_otherwise = replace(
        BASE, sampling=SAMPLING.model_copy(update={"temperature": 1.0}), parser_digest="p2", answerer="there"
    )
    assert asked_otherwise.row_fingerprint() == BASE.row_fingerprint()
    others = ({"template_digest": "t2"}, {"model": "other"}, {"replicate": 2}, {"parent": ("draft", "x")})
    for change in others:
        assert replace(BASE, **change).row_fingerprint() != BASE.row_fingerprint()


RUBRIC = specification("evaluation")


@pytest.mark.parametrize("change", [{"score_min": 1.0}, {"score_max": 5.0}, {"score_key": "novelty"}], ids=str)
def test_the_scale_and_the_key_of_a_rubric_are_part_of_the_fingerprint(change: dict[str, Any]):
    changed = replace(RUBRIC, template=replace(RUBRIC.template, **change))
    [(name, value)] = change.items()
    assert f"; {name} {str(value).removesuffix('.0')}; " in changed.fingerprint()
    assert changed.fingerprint() != RUBRIC.fingerprint()
    assert (changed.row_fingerprint() != RUBRIC.row_fingerprint()) == (name != "score_key")


def test_scales_that_hardly_differ_are_told_apart():
    first, second = (
        replace(RUBRIC, template=replace(RUBRIC.template, score_max=end)).fingerprint()
        for end in (1_000_000.25, 1_000_000.5)
    )
    assert first != second


def test_the_usual_scale_and_key_add_no_word():
    for words in ("score_min", "score_max", "score_key"):
        assert words not in RUBRIC.fingerprint()

"""Why a generation is made again, in words."""

from dataclasses import replace

import pytest
from core_fixtures import copy_of_draft, specification

from daydreaming.generation.reasons import OLD_RECORD, disagreements, fingerprint_changes, why_out_of_date
from daydreaming.generation.specification import ConceptText, Specification
from daydreaming.inputs.setting_models import StageSettings
from daydreaming.ledger.metadata import Metadata, MetadataReading, Origin


def concepts(tmp_path, *digests: str) -> tuple[ConceptText, ...]:
    return tuple(
        ConceptText(f"c{number}", "C", tmp_path / f"c{number}.txt", digest) for number, digest in enumerate(digests)
    )


def changes(now: Specification, before: Specification) -> list[str]:
    return list(fingerprint_changes(now, before.fingerprint(), now.fingerprint()))


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ({"template_digest": "t0"}, "draft-template (inline content of the draft template) changed"),
        ({"model": "acme/poet"}, "model is acme/writer at http://here, was acme/poet at http://here"),
        ({"answerer": "http://a@b"}, "model is acme/writer at http://here, was acme/writer at http://a@b"),
        ({"sampling": StageSettings(max_tokens=1000)}, "temperature is 0.5, was not set"),
        ({"sampling": StageSettings(temperature=0.5, max_tokens=1000, seed=3)}, "seed is not set, was 3"),
        ({"sampling": StageSettings(temperature=0.5, max_tokens=1000, extra_body={"top_p": 1})}, "extra_body changed"),
        ({"replicate": 2}, "replicate is 1, was 2"),
        ({"parser": "essay_block"}, "parser is identity, was essay_block"),
    ],
)
def test_each_difference_is_named(before: dict, words: str):
    now = specification(answerer="http://here")
    assert changes(now, replace(now, **before)) == [words]


def test_a_changed_parser_is_told_from_changed_code_of_the_parser():
    now = specification("evaluation")
    assert changes(now, replace(now, parser="complex")) == ["parser is in_last_line, was complex"]
    assert changes(now, replace(now, parser_digest="p0")) == ["the code of the parser in_last_line changed"]


def test_another_scale_of_the_rubric_is_named():
    now = specification("evaluation")
    before = replace(now, template=replace(now.template, score_min=1.0, score_max=5.0, score_key="novelty"))
    words = ["score_min is 1, was not set", "score_max is 5, was not set", "score_key is novelty, was not set"]
    assert changes(before, now) == words


def test_a_foreign_record_of_another_scale_disagrees():
    made = specification("evaluation")
    record = foreign(score_min=0.0, score_max=5.0)
    assert list(disagreements(made, record, "")) == ["metadata.json says score_max 5, the rubric's is 10"]
    assert list(disagreements(specification("essay"), record, "")) == []


def test_a_changed_description_is_told_from_other_concepts(tmp_path):
    now = specification(concepts=concepts(tmp_path, "1", "2"))
    edited = replace(now, concepts=concepts(tmp_path, "1", "0"))
    assert changes(now, edited) == [f"{tmp_path / 'c1.txt'} (or the concept's name) changed"]
    other = replace(now, concepts=concepts(tmp_path, "1"))
    assert changes(now, other) == ["concepts is c0 c1, was c0"]


def test_several_differences_are_all_named():
    now = specification("essay")
    before = replace(now, template_digest="t0", parent=("draft", "parent-0"))
    assert len(changes(now, before)) == 2


def record(made: Specification, **changes) -> Metadata:
    values = {"error": "none", "fingerprint": made.fingerprint(), "parent_sha256": "p", "parsed_sha256": "t", **changes}
    return Metadata(**values)


def foreign(**values) -> MetadataReading:
    return MetadataReading(Origin.FOREIGN, Metadata(**values))


def test_a_record_that_agrees_is_no_reason_and_another_parent_text_is_one():
    made = copy_of_draft()
    assert why_out_of_date(made, record(made), "p") == ""
    assert why_out_of_date(made, record(made), "q") == "the text of its parent, draft parent-1, changed"
    assert why_out_of_date(made, record(made), None) == "the text of its parent, draft parent-1, changed"
    assert why_out_of_date(made, record(made, parsed_sha256=None), "p") == OLD_RECORD


def test_an_adopted_record_is_compared_with_the_row_alone():
    made = specification("essay")
    adopted = record(made, adopted=True, fingerprint=made.row_fingerprint())
    assert why_out_of_date(replace(made, sampling=StageSettings()), adopted, "p") == ""
    assert why_out_of_date(replace(made, model="acme/poet"), adopted, "p") == "model is acme/poet, was acme/writer"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"template_id": "other"}, "template_id 'other'"),
        ({"model": "acme/poet"}, "model 'acme/poet'"),
        ({"model_id": "poet"}, "llm_model_id 'poet'"),
        ({"llm_model_id": "poet"}, "llm_model_id 'poet'"),
        ({"parent_gen_id": "parent-9"}, "parent_gen_id 'parent-9'"),
        ({"combo_id": "combo-9"}, "combo_id 'combo-9'"),
        ({"replicate": 2}, "replicate 2"),
        ({"stage": "draft"}, "stage 'draft'"),
        ({"gen_id": "essay-9"}, "gen_id 'essay-9'"),
        ({"skip_llm": True}, "a copy"),
    ],
    ids=str,
)
def test_what_a_foreign_record_says_must_agree_with_the_row(values: dict, words: str):
    (problem,) = disagreements(specification("essay"), foreign(**values), "combo-1")
    assert words in problem


def test_what_a_foreign_record_does_not_say_is_no_disagreement():
    says = {"stage": "essay", "template_id": "essay-template", "model_id": "writer", "combo_id": "combo-1"}
    assert list(disagreements(specification("essay"), foreign(**says), "combo-1")) == []
    assert list(disagreements(copy_of_draft(), foreign(model="whatever", model_id="writer"), "combo-1")) == []


def test_a_value_that_is_not_understood_agrees_with_nothing():
    reading = MetadataReading(Origin.FOREIGN, Metadata(), not_understood=("template_id", "usage"))
    assert list(disagreements(specification("essay"), reading, "")) == [
        "metadata.json has a template_id of a type that is not understood"
    ]

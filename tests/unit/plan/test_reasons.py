"""Why a generation is made again, in words."""

from dataclasses import replace

import pytest
from core_fixtures import copy_of_draft, specification

from daydreaming.base.paths import GenerationFiles
from daydreaming.generation.specification import ConceptText, Specification
from daydreaming.inputs.settings import StageSettings
from daydreaming.plan.reasons import fingerprint_changes, why_made


def concepts(tmp_path, *digests: str) -> tuple[ConceptText, ...]:
    return tuple(
        ConceptText(f"c{number}", "C", tmp_path / f"c{number}.txt", digest) for number, digest in enumerate(digests)
    )


def changes(now: Specification, before: Specification) -> list[str]:
    return list(fingerprint_changes(now, before.fingerprint()))


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
        ({"parser": "essay_block"}, "parser is not set, was essay_block"),
    ],
)
def test_each_difference_is_named(before: dict, words: str):
    now = specification(answerer="http://here")
    assert changes(now, replace(now, **before)) == [words]


def test_a_changed_parser_is_told_from_changed_code_of_the_parser():
    now = specification("evaluation")
    assert changes(now, replace(now, parser="complex")) == ["parser is in_last_line, was complex"]
    assert changes(now, replace(now, parser_digest="p0")) == ["the code of the parser in_last_line changed"]


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


def test_files_and_failures_are_reasons(tmp_path):
    made, files = copy_of_draft(), GenerationFiles(tmp_path)
    metadata = {"error": "none", "fingerprint": made.fingerprint(), "prompt_sha256": "p"}
    assert why_made(made, None, files, "p") == "new: nothing of it was made yet"
    assert why_made(made, metadata, files, "p") == f"{files.parsed} is missing"
    assert why_made(made, {**metadata, "error": "api"}, files, "p") == "it failed last time (api)"
    files.parsed.write_text("old")
    assert why_made(made, metadata, files, "p") == "its text is not that of its parent, draft parent-1,"
    assert why_made(made, metadata, files, "q") == "the text of its parent, draft parent-1, changed"
    assert why_made(made, {"error": "none"}, files, "p") == "its metadata.json does not say what it was made of"

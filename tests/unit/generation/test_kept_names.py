"""Templates without front matter: their replies and records have the names that they had before there was any.

A changed value here means that every existing study is made, and paid for, again.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from inputs_fixtures import EVALUATIONS, RAW, make_project, settings_with, write

from daydreaming.cohort.writer import build_cohort
from daydreaming.generation.prompting import Prompter, model_request
from daydreaming.generation.specification import CallSpecification, Specification, text_digest
from daydreaming.generation.study import load_study

BODY = {"provider": {"order": ["a"]}, "top_p": 1}
ENDPOINT = {"base_url": "http://127.0.0.1:1/v1/", "extra_body": BODY, "stages": {"essay": {"max_tokens": 9}}}
CONFIG = {"cohort": "c", "default_endpoint": "mine", "endpoints": {"mine": ENDPOINT}}
# Texts that look as if they said something else than what they say: rules, keys, names of messages.
RULED = "Judge this.\n---\nsystem: no key\n---\n\n===== user =====\n{{ response }}\r\n"
WRITE = "  Write about {{ links_block }}.\n\n{# no message #}{% if draft_block %}---{% endif %}\n"

NAMES = {
    "draft": ("08087d3ef8acf9ce", "8e79b9f6af832988"),
    "essay write": ("436a33cf98e3eef1", "a24fcb2e9ab49599"),
    "essay pass": ("736de26eee90a7bd", ""),
    "evaluation": ("a3b0362a5914ba3b", "1f1fee1b95593f4f"),
    "evaluation ruled": ("be1bf5df53ac3b03", "fdb9fd660bac195d"),
}


@pytest.fixture
def specifications(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Specification]:
    make_project(tmp_path, monkeypatch)
    write(RAW / "generation_templates/essay/write.txt", WRITE)
    write(RAW / "evaluation_templates.csv", EVALUATIONS + "ruled,llm,complex,true\n")
    write(RAW / "evaluation_templates/ruled.txt", RULED)
    build_cohort(settings_with(**CONFIG))
    study = load_study(CONFIG)
    found: dict[str, Specification] = {}
    for row in study.membership.generations.values():
        name = row.stage if row.template_id in ("plain", "rubric") else f"{row.stage} {row.template_id}"
        found.setdefault(name, study.specification(row.stage, row.gen_id))
    return found


@pytest.mark.parametrize("name", list(NAMES))
def test_a_text_without_front_matter_is_asked_as_it_always_was(name: str, specifications: dict[str, Specification]):
    one = specifications[name]
    if isinstance(one, CallSpecification):
        # The code of the parsers is meant to change it: then stored replies are read again, without a call.
        one = replace(one, parser_digest="parser", answerer="http://127.0.0.1:1/v1")
    prompter = Prompter()
    parent_text = None if one.stage == "draft" else "A text.\r\n---\nEnd."
    prompt = prompter.prompt(prompter.sources(one), [] if parent_text is None else [parent_text])
    request = model_request(one, prompt, attempt=0).sha256[:16] if isinstance(one, CallSpecification) else ""
    assert (text_digest(one.fingerprint().encode()), request) == NAMES[name]

"""The schema of a spec for editors: it accepts and refuses what the workflow does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from cohort_fixtures import make_cohort_project
from spec_fixtures import write_models

from daydreaming.inputs.cohort_spec.models import spec_schema

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_cohort_project(tmp_path, monkeypatch)
    write_models()


def test_the_published_schema_is_that_of_the_model():
    path = PROJECT / "schemas/cohort_spec.schema.json"
    assert json.loads(path.read_text(encoding="utf-8")) == spec_schema()


@pytest.mark.parametrize(
    "text",
    [
        "axes: {combo: {k_of: {concepts: [tide, moss], k: 2}}, draft_replicate: 2, draft_llm: '@file:a.csv'}",
        "axes: {combo: active, essay_llm: null, draft_replicate: [1, 2]}\nrules: {ties: {t: [draft_llm, essay_llm]}}",
        "rules: {pairs: {p: {left: combo, right: bundle, allowed: [[a, [b, c]]]}}, tuples: {t: "
        "{axes: [combo], items: '@file:a.csv'}}}",
        "sample: {n: 200, seed: 1, balance: [draft_template, evaluation_llm]}",
    ],
)
def test_editors_accept_what_the_workflow_accepts(text: str):
    jsonschema.validate(yaml.safe_load(text), dict(spec_schema()))


def test_the_examples_of_the_page_fit_the_schema():
    examples = re.findall(r"```yaml\n(.*?)```", (PROJECT / "docs/cohorts.md").read_text(), re.DOTALL)
    assert len(examples) >= 5
    for example in examples:
        jsonschema.validate(yaml.safe_load(example), dict(spec_schema()))


def test_editors_refuse_what_the_workflow_refuses():
    for text in ("axis: {}", "axes: {draft_templates: [a]}", "sample: {seed: 1}", "axes: {draft_template: {a: b}}"):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.safe_load(text), dict(spec_schema()))

from __future__ import annotations

from pathlib import Path

import pytest
from inputs_fixtures import RAW, make_project, settings_with, write

from daydreaming.base.errors import Fault, InputError
from daydreaming.cohort.writer import build_cohort
from daydreaming.generation.specification import CallSpecification, CopySpecification
from daydreaming.generation.study import Study, load_study

ENDPOINTS = {"mine": {"base_url": "http://127.0.0.1:1/v1/", "stages": {"essay": {"max_tokens": 9}}}}
CONFIG = {"cohort": "c", "default_endpoint": "mine", "endpoints": ENDPOINTS, "stages": {"draft": {"max_tokens": 50}}}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three combos, one draft template, a copied and a written essay, one rubric, and the cohort of all of them."""
    make_project(tmp_path, monkeypatch)
    build_cohort(settings_with(**CONFIG))
    return tmp_path


def load(**config: object) -> Study:
    return load_study({**CONFIG, **config})


def faults_of(**config: object) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        load(**config)
    return caught.value.faults


def fingerprints(study: Study) -> dict[tuple[str, str], str]:
    """The fingerprint of every generation, by stage and what tells it from its sisters."""
    rows = study.membership.generations.values()
    return {(row.stage, row.gen_id): study.specification(row.stage, row.gen_id).fingerprint() for row in rows}


def changed_stages(before: Study) -> dict[str, int]:
    """How many generations of each stage would be made again, now that something was edited."""
    old, new = fingerprints(before), fingerprints(load())
    changed = [stage for stage, gen_id in old if old[stage, gen_id] != new[stage, gen_id]]
    return {stage: changed.count(stage) for stage in dict.fromkeys(changed)}


def first(study: Study, stage: str, template_id: str | None = None):
    """The specification of the first generation of a stage, or of the first one with that template."""
    rows = (row for row in study.membership.stage(stage) if template_id in (None, row.template_id))
    return study.specification(stage, next(rows).gen_id)


def test_a_draft_is_made_of_concepts_by_a_model_at_its_endpoint():
    draft = first(load(), "draft")
    assert [text.concept_id for text in draft.concepts] == ["tide", "loom"]
    assert draft.concepts[0].path == Path("data/1_raw/concepts/descriptions-paragraph/tide.txt")
    assert (draft.parent, draft.parser, draft.model, draft.endpoint) == (None, "essay_block", "acme/writer", "mine")
    assert draft.answerer == "http://127.0.0.1:1/v1"
    assert (draft.sampling.max_tokens, draft.sampling.min_lines) == (50, 3)
    assert draft.prices == (0.5, 1.5)


def test_essays_are_copied_or_written():
    study = load()
    copied, written = first(study, "essay", "pass"), first(study, "essay", "write")
    assert isinstance(copied, CopySpecification)
    assert isinstance(written, CallSpecification)
    assert (written.model, written.sampling.max_tokens) == ("acme/writer", 9)
    assert copied.parent == written.parent == ("draft", study.membership.stage("draft")[0].gen_id)
    assert study.parent_parsed("essay", written.gen_id) == f"data/gens/draft/{written.parent[1]}/parsed.txt"
    assert study.parent_parsed("draft", written.parent[1]) is None


def test_an_evaluation_is_made_at_the_endpoint_of_its_model():
    evaluation = first(load(), "evaluation")
    assert (evaluation.endpoint, evaluation.model, evaluation.parser) == ("embedded", "acme/judge", "in_last_line")
    assert evaluation.answerer.startswith("embedded:")
    assert evaluation.parent[0] == "essay"


def test_files_are_below_the_data_root_as_it_was_given():
    study = load()
    draft = first(study, "draft")
    assert study.files("draft", draft.gen_id).parsed == Path("data/gens/draft") / draft.gen_id / "parsed.txt"
    assert study.cohort_files.folder == Path("data/cohorts/c")


def test_a_generation_of_another_cohort_is_not_known():
    with pytest.raises(InputError, match="nobody"):
        load().specification("draft", "nobody")


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("generation_templates/draft/plain.txt", "c.name", "c.name | upper", {"draft": 3}),
        ("generation_templates/essay/write.txt", "Write", "Tell", {"essay": 3}),
        ("generation_templates/essay/pass.txt", "{{", "Copy: {{", {"essay": 3}),
        ("evaluation_templates/rubric.txt", "Judge", "Weigh", {"evaluation": 6}),
        ("concepts/descriptions-paragraph/tide.txt", "rise", "surge", {"draft": 2}),
        ("concepts_metadata.csv", "Looms", "Hand looms", {"draft": 2}),
        ("concepts_metadata.csv", "Salt", "Sea salt", {}),
        ("llm_models.csv", "acme/writer", "acme/writer-2", {"draft": 3, "essay": 3}),
        ("llm_models.csv", "Writer", "The writer", {}),
        ("llm_models.csv", "0.5,1.5", "9,9", {}),
        ("draft_templates.csv", "essay_block", "essay_idea_last", {"draft": 3}),
        ("draft_templates.csv", "Plain,", "Plainer,", {}),
        ("essay_templates.csv", "write,llm", "write,copy", {"essay": 3}),
    ],
)
def test_an_edit_remakes_what_it_concerns_and_nothing_else(file: str, old: str, new: str, changed: dict[str, int]):
    before = load()
    fingerprints(before)
    text = (RAW / file).read_text()
    assert text.count(old) >= 1
    write(RAW / file, text.replace(old, new, 1))
    assert changed_stages(before) == changed


def test_an_endpoint_s_name_and_limits_remake_nothing():
    before = fingerprints(load())
    moved = {"here": {**ENDPOINTS["mine"], "base_url": "http://127.0.0.1:1/v1", "timeout_s": 1, "max_concurrency": 2}}
    assert fingerprints(load(default_endpoint="here", endpoints=moved)) == before


def test_the_name_of_a_model_s_limit_remakes_what_that_model_writes_and_nothing_else():
    before = fingerprints(load())
    named = fingerprints(load(models={"writer": {"output_limit_parameter": "max_completion_tokens"}}))
    changed = {stage for stage, gen_id in before if named[stage, gen_id] != before[stage, gen_id]}
    assert changed == {"draft", "essay"}
    as_it_was = {"writer": {"output_limit_parameter": "max_tokens"}, "judge": {"output_limit_parameter": None}}
    assert fingerprints(load(models=as_it_was)) == before


def test_another_address_is_another_answerer():
    elsewhere = {"mine": {**ENDPOINTS["mine"], "base_url": "http://127.0.0.1:2/v1"}}
    before, after = load(), load(endpoints=elsewhere)
    assert first(before, "draft").fingerprint() != first(after, "draft").fingerprint()
    assert first(before, "evaluation").fingerprint() == first(after, "evaluation").fingerprint()


def test_a_budget_needs_prices_and_lengths():
    write(RAW / "llm_models.csv", (RAW / "llm_models.csv").read_text().replace("embedded,,", "embedded,1,1"))
    unlimited = {stage: {"max_tokens": None} for stage in ("essay", "evaluation")}
    faults = faults_of(
        budget_usd=1,
        stages=unlimited,
        endpoints={"mine": {"base_url": "http://127.0.0.1:1/v1"}, "embedded": {"stages": unlimited}},
    )
    assert [(fault.file, fault.key) for fault in faults] == [
        ("config.yaml", "stages.essay.max_tokens"),
        ("config.yaml", "endpoints.embedded.stages.evaluation.max_tokens"),
    ]
    stages = {stage: {"max_tokens": 9} for stage in ("draft", "essay", "evaluation")}
    assert load(budget_usd=1, stages=stages).settings.budget_usd == 1


def test_a_budget_names_every_model_without_prices_once():
    write(RAW / "llm_models.csv", (RAW / "llm_models.csv").read_text().replace("0.5,1.5", ","))
    faults = faults_of(budget_usd=1)
    assert [("writer" in fault.problem, "judge" in fault.problem) for fault in faults] == [(True, False), (False, True)]
    assert all("usd_per_mtok_in" in str(fault) for fault in faults)
    load(budget_calls=1)


def test_a_free_model_may_answer_at_any_length():
    prices = (RAW / "llm_models.csv").read_text().replace("0.5,1.5", "0,0").replace("embedded,,", "embedded,0,0")
    write(RAW / "llm_models.csv", prices)
    unlimited = {stage: {"max_tokens": None} for stage in ("draft", "essay", "evaluation")}
    endpoints = {**ENDPOINTS, "embedded": {"stages": unlimited}}
    assert load(budget_usd=1, stages=unlimited, endpoints=endpoints).settings.budget_usd == 1


def test_a_cohort_that_was_not_built_is_an_error_with_its_cure():
    (fault,) = faults_of(cohort="other")
    assert "other" in str(fault)
    assert "snakemake membership" in str(fault)


def front_matter(path: str, text: str) -> None:
    file = RAW / path
    write(file, f"---\n{text}\n---\n{file.read_text()}")


def test_front_matter_makes_again_what_uses_it_and_only_for_what_decides_a_result():
    before = load()
    front_matter("evaluation_templates/rubric.txt", "description: For people.\nparser: in_last_line")
    front_matter("generation_templates/draft/plain.txt", "# A remark.")
    assert changed_stages(before) == {}
    write(RAW / "evaluation_templates/rubric.txt", "---\ntemperature: 0.3\n---\nJudge this: {{ response }}\n")
    assert list(changed_stages(before)) == ["evaluation"]
    write(RAW / "evaluation_templates/rubric.txt", "---\nsystem: Be brief.\n---\nJudge this: {{ response }}\n")
    assert list(changed_stages(before)) == ["evaluation"]


def test_front_matter_and_models_reach_the_specification():
    front_matter("generation_templates/draft/plain.txt", "stop: END\nmin_lines: 1\ntemperature:")
    models = {"writer": {"max_tokens": 16, "reasoning_effort": "low", "context_length": 99}}
    draft, essay = (first(load(models=models), stage, name) for stage, name in (("draft", None), ("essay", "write")))
    assert (draft.sampling.max_tokens, draft.sampling.min_lines, draft.sampling.temperature) == (16, 1, None)
    assert draft.sampling.extra_body == {"stop": "END", "reasoning_effort": "low"}
    assert essay.sampling.extra_body == {"reasoning_effort": "low"}
    assert (draft.context_length, first(load(models=models), "evaluation").context_length) == (99, None)
    assert draft.settings["stop"].place == "data/1_raw/generation_templates/draft/plain.txt, line 2"


def test_a_setting_of_a_model_makes_again_what_that_model_is_asked():
    before, after = fingerprints(load()), fingerprints(load(models={"judge": {"top_p": 0.5}}))
    assert {key[0] for key in before if before[key] != after[key]} == {"evaluation"}
    assert fingerprints(load(models={"judge": {"context_length": 5}})) == before


def test_a_shared_text_makes_again_what_includes_it():
    write(RAW / "shared_templates/scale.txt", "From 0 to 10.")
    write(RAW / "evaluation_templates/rubric.txt", "{% include 'scale.txt' %} Judge this: {{ response }}\n")
    before = load()
    rubric = before.catalogs.templates["evaluation"]["rubric"]
    assert before.texts_of(rubric) == [
        str(RAW / "evaluation_templates/rubric.txt"),
        f"{RAW}/shared_templates/scale.txt",
    ]
    write(RAW / "shared_templates/scale.txt", "From 1 to 5.")
    write(RAW / "shared_templates/other.txt", "Nobody's.")
    assert list(changed_stages(before)) == ["evaluation"]


def test_a_budget_takes_the_limit_that_holds():
    unlimited = {stage: {"max_tokens": None} for stage in ("draft", "essay")}
    endpoints = {"mine": {"base_url": "http://127.0.0.1:1/v1"}}
    write(RAW / "llm_models.csv", (RAW / "llm_models.csv").read_text().replace("embedded,,", "embedded,0,0"))
    config = {"budget_usd": 1, "stages": unlimited, "endpoints": endpoints}
    assert load(**config, models={"writer": {"max_tokens": 9}}).settings.budget_usd == 1
    front_matter("generation_templates/draft/plain.txt", "max_tokens:")
    (fault,) = faults_of(**config, models={"writer": {"max_tokens": 9}})
    assert fault.file == "data/1_raw/generation_templates/draft/plain.txt, line 2"

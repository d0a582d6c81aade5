"""A folder of the original project is brought in, run, and added to: what came is never asked for again."""

from __future__ import annotations

import shutil

import pytest
from agreement import dry_run_generations, plan

from daydreaming.results.score_table import read_scores
from provider import Provider
from studies import Study
from studies.original import COHORT, EARLIER, NOW, Original, write_original


# tests/unit/importing tries both dialects with everything; here `make test` takes the first test for both.
@pytest.fixture(params=[NOW, pytest.param(EARLIER, marks=pytest.mark.full_set)])
def original(request: pytest.FixtureRequest, tmp_path) -> Original:
    return write_original(tmp_path / "old" / "data", request.param)


@pytest.fixture
def study(tmp_path, provider: Provider) -> Study:
    """A study of its own, with a cohort of its own."""
    study = Study.create(tmp_path / "study", provider)
    study.build()
    return study


def bring_in(study: Study, original: Original) -> None:
    study.script("import_study.py", str(original.data.parent), "--apply")


@pytest.mark.parametrize("dialect", [NOW, EARLIER])
def test_what_was_brought_in_is_scored_without_a_call(study: Study, dialect: str, tmp_path):
    original = write_original(tmp_path / "old" / "data", dialect)
    bring_in(study, original)
    study.configure(cohort=COHORT)
    assert set(plan(study).values()) == {"adopted"}
    assert dry_run_generations(study) == set()
    run = study.run("-j4", "all")
    assert run.calls == ()
    rows = read_scores(study.paths.cohort(COHORT).scores)
    assert [(row.score, row.adopted, row.error) for row in rows] == [(7.0, True, "")] * 4
    assert study.run("-n").did_nothing


def test_a_reply_without_a_parsed_text_is_read_without_a_call(study: Study, original: Original):
    original.file("evaluation", "v_one", "parsed.txt").unlink()
    bring_in(study, original)
    study.configure(cohort=COHORT)
    assert study.run("-j4").calls == ()
    assert [row.score for row in read_scores(study.paths.cohort(COHORT).scores)] == [7.0] * 4


def test_what_has_no_text_there_is_made_and_nothing_else(study: Study, original: Original):
    for name in ("parsed.txt", "raw.txt"):
        original.file("evaluation", "v_one", name).unlink()
    bring_in(study, original)
    study.configure(cohort=COHORT)
    assert dry_run_generations(study) == {("evaluation", "v_one")}
    run = study.run("-j4")
    assert len(run.calls) == 1
    assert run.calls[0].prompt.startswith("Essay e_one.\n")
    scores = read_scores(study.paths.cohort(COHORT).scores)
    assert sorted(row.adopted for row in scores if row.score is not None) == [True] * 4


def test_a_cohort_that_is_a_spec_alone_is_compiled_and_only_what_it_lacks_is_made(study: Study, tmp_path):
    """Its spec asks for every evaluation twice; one of each is there."""
    original = write_original(tmp_path / "old" / "data", NOW)
    original.membership.unlink()
    original.spec.write_text(original.spec.read_text().replace("['1']", "['1', '2']"))
    bring_in(study, original)
    study.configure(cohort=COHORT)
    assert sorted(plan(study).values()) == ["adopted"] * 10 + ["call"] * 4
    table = study.paths.cohort(COHORT).membership
    before = table.read_bytes()
    study.run("membership")
    assert table.read_bytes() == before
    assert len(study.run("-j4").calls) == 4
    scores = read_scores(study.paths.cohort(COHORT).scores)
    assert [row.adopted for row in scores if row.replicate == 1] == [True] * 4
    assert len(scores) == 8
    assert study.run("-n").did_nothing


def test_the_cohort_that_was_here_is_as_it_was(study: Study, original: Original):
    study.run("-j4")
    before = study.snapshot(study.paths.gens)
    bring_in(study, original)
    assert study.run("-n").did_nothing
    assert {path: state for path, state in study.snapshot(study.paths.gens).items() if path in before} == before


def test_a_dry_run_says_what_would_come_and_a_second_import_that_all_is_here(study: Study, original: Original):
    before = study.snapshot()
    output = study.script("import_study.py", str(original.data)).output
    assert "Nothing was written: --apply does it." in output
    assert study.snapshot() == before
    bring_in(study, original)
    output = study.script("import_study.py", str(original.data.parent), "--apply").output
    assert "All of it is here. Nothing was written." in output


def test_a_collision_ends_with_1_and_changes_nothing(study: Study, original: Original):
    study.write("gens/draft/d_one/parsed.txt", "Mine.\n")
    before = study.snapshot()
    output = study.script("import_study.py", str(original.data), "--apply", code=1).output
    assert "the draft 'd_one' has another text here than in" in output
    assert study.snapshot() == before


def test_nothing_comes_while_a_run_goes_on(study: Study, original: Original):
    locks = study.folder / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.input.lock").write_text("data/x\n")
    output = study.script("import_study.py", str(original.data), "--apply", code=1).output
    assert "a run of Snakemake goes on here" in output
    shutil.rmtree(locks)
    bring_in(study, original)

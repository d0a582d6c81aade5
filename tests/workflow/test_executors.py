"""The same study by different executors: the same files, the configuration of the run in every process, `-j` calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from provider import Provider
from studies import Choice, Study

LOCAL = ("--executor", "local", "--logger", "daydreaming")


def files_of(study: Study) -> dict[str, str]:
    """The texts of all generations: prompts, replies and results."""
    texts = [path for name in ("prompt", "raw", "parsed") for path in study.paths.gens.glob(f"*/*/{name}.txt")]
    return {str(path.relative_to(study.data)): path.read_text(encoding="utf-8") for path in sorted(texts)}


@pytest.fixture
def own_provider():
    """A provider that nobody else calls: what it has seen is of one study alone."""
    with Provider(latency_s=0.3) as started:
        yield started


def test_the_local_executor_makes_the_same_files(finished: Study, tmp_path: Path, provider: Provider):
    choice = {"drafts": ("thread",), "essays": ("copied", "developed"), "evaluations": ("novelty",)}
    here, there = (Study.create(tmp_path / name, provider, Choice(**choice)) for name in ("plugin", "local"))
    for study in (here, there):
        study.build()
    by_plugin, by_local = here.run("-j4"), there.run("-j2", *LOCAL)
    assert by_local.outcomes == by_plugin.outcomes
    assert files_of(there) == files_of(here)
    assert "Each generation is a process of its own" in by_local.output
    assert by_local.output.count("Run of cohort c1") == 1
    for again in (LOCAL, ()):
        assert there.run("-n", *again).did_nothing


def test_options_of_the_command_line_hold_in_every_process(make_study, tmp_path: Path):
    study = make_study()
    extra = tmp_path / "other.yaml"
    extra.write_text("stages: {draft: {max_tokens: 77}}\n", encoding="utf-8")
    options = ["-j2", "--configfile", str(extra)]
    offline = study.run(*options, *LOCAL, "--config", "offline=true", code=1)
    assert offline.calls == ()
    assert "offline is true" in offline.output
    limited = study.run("drafts", *options, *LOCAL, "--config", "budget_calls=1")
    assert [call.body["max_tokens"] for call in limited.calls] == [77]
    refused = study.run(*options, *LOCAL, "--config", "budget_calls=1", code=1)
    assert refused.calls == ()
    assert "budget_calls is 1" in refused.output
    # The same configuration by the plugin finds what the local executor has made.
    assert study.run("-n", "drafts", "--configfile", str(extra)).did_nothing


@pytest.mark.parametrize("executor", [(), LOCAL], ids=["plugin", "local"])
def test_as_many_calls_are_in_flight_as_the_command_says(executor, tmp_path: Path, own_provider: Provider):
    chains = {"replicates": {"draft": 5}, "stages": {"draft": {"seed": 1}}}
    study = Study.create(tmp_path / "study", own_provider, Choice(config=chains))
    study.build()
    study.run("-j3", *executor, "--", "drafts")
    assert own_provider.stats().peak_in_flight <= 3
    if not executor:
        assert own_provider.stats().peak_in_flight == 3


def test_options_of_snakemake_see_the_whole_graph(finished: Study, tmp_path: Path):
    study = finished.copy(tmp_path / "study")
    assert study.run("--summary").output.count("parsed.txt") == len(study.parsed_texts())
    before = study.parsed_texts()
    touched = study.run("-j2", "--touch")
    assert touched.calls == ()
    assert study.parsed_texts() == before
    assert study.run("-n").did_nothing
    cut = study.run("-n", "--batch", "evaluations=1/2", "evaluations")
    assert cut.calls == ()
    assert study.run("-n", "--until", "draft").did_nothing

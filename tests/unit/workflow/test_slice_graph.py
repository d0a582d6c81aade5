"""How a run on a cluster is cut into jobs: each generation in one of them, whatever targets need it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from score_fixtures import draft, essay, evaluation, generation

from daydreaming.cohort.membership import Membership
from daydreaming.generation.study import Study
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.inputs.records import Catalogs
from daydreaming.workflow.slice_run import SliceGraph

STAGES = {
    "revision": {"parent": "essay"},
    "second_evaluation": {"parent": "revision", "makes": "score", "templates": "evaluation_templates.csv"},
    "comparison": {"parent": "essay", "makes": "preference"},
}
CHAINS = 60


def graph_of(*names: str, per_slice: int = 100) -> SliceGraph:
    """The graph of a cohort in which everything is open; `names` are the targets of the command."""
    settings = settings_from_config({"cohort": "c1", "stages": STAGES, "generations_per_slice": per_slice})
    rows = [
        row
        for n in range(CHAINS)
        for row in (
            *(draft(f"d{n}{which}", combo_id=f"k{n}") for which in "ab"),
            *(essay(f"e{n}{which}", f"d{n}{which}") for which in "ab"),
            *(evaluation(f"v{n}{which}", f"e{n}{which}") for which in "ab"),
            generation("revision", f"r{n}", f"e{n}a"),
            generation("second_evaluation", f"s{n}", f"r{n}"),
            generation("comparison", f"c{n}", f"e{n}a", second_parent_gen_id=f"e{n}b"),
        )
    ]
    membership = Membership("c1", {(row.stage, row.gen_id): row for row in rows}, settings.stage_table)
    study = Study(settings, Catalogs({}, {}, {}), {}, membership)
    return SliceGraph(study, shows_all=True, run_id="run", names=names)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ask_for_results(graph: SliceGraph) -> set[str]:
    """The markers of the slices, as Snakemake comes to them for the scores and the verdicts."""
    graph.evaluations_to_score()
    graph.comparisons_to_gather()
    return {marker for target in ("evaluations", "second_evaluations", "comparisons") for marker in graph.files(target)}


def test_each_generation_is_in_one_slice_whatever_needs_it():
    graph = graph_of()
    markers = ask_for_results(graph)
    assert Counter(graph.planned) == Counter(list(graph.study.membership.generations))
    assert len(markers) == len(graph.slices) == 6
    assert graph.targets == ["evaluations", "second_evaluations", "comparisons"]


def test_a_slice_makes_what_is_needed_and_nothing_else():
    graph = graph_of("scores")
    graph.evaluations_to_score()
    assert graph.targets == ["evaluations", "second_evaluations"]
    assert not [key for key in graph.planned if key[0] == "comparison"]
    assert len(graph.planned) == 8 * CHAINS


@pytest.mark.parametrize(("target", "number"), [("drafts", 2), ("evaluations", 4), ("second_evaluations", 4)])
def test_slices_have_their_size_by_the_target_that_is_asked_for(target: str, number: int):
    graph = graph_of(target)
    graph.texts(graph.study.membership.stages.of_target(target))
    assert len(graph.slices) == number
    assert {len(graph.files(target))} == {number}


def test_of_a_target_on_the_way_to_another_only_that_one_is_told():
    graph = graph_of("drafts", "revisions")
    graph.texts("draft")
    graph.texts("revision")
    assert graph.targets == ["revisions"]


def test_the_words_for_a_slice_have_all_that_it_makes():
    graph = graph_of("drafts", per_slice=1000)
    graph.texts("draft")
    assert graph.work("1") == "120 open drafts"
    graph = graph_of(per_slice=1000)
    ask_for_results(graph)
    assert graph.work("1").startswith("120 open drafts, 120 open essays, 120 open evaluations, 60 open revisions")

"""The digest of what results are made from: where it is the same, so are the results, whatever happened in between."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from plan_fixtures import PlannedStudy, made_in_process
from random_edits import EDITS

from daydreaming.base.errors import InputError
from daydreaming.generation.inspection import inspect_cohort
from daydreaming.results.made_results import source_digest
from daydreaming.results.score_table import scores_text
from daydreaming.results.scores import collect_scores
from provider import Provider
from studies import Choice
from studies import Study as Folder

CHOICE = Choice(essays=("copied", "developed"), combos=(("sleep", "tides"), ("sleep", "maps")))


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory, server: Provider) -> Folder:
    return made_in_process(tmp_path_factory.mktemp("made") / "study", server, CHOICE)


def looked_at(folder: Folder) -> tuple[str, str]:
    """The digest of what results are made from now, and the table of scores that is counted now."""
    study = PlannedStudy(folder).loaded()
    inspection = inspect_cohort(study)
    return source_digest(study, inspection), scores_text(collect_scores(study, inspection))


@pytest.mark.parametrize("seed", range(12))
def test_the_same_digest_means_the_same_scores(
    made_once: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
):
    folder, draw = made_once.copy(tmp_path / "study"), random.Random(seed)
    monkeypatch.chdir(folder.folder)
    seen = dict([looked_at(folder)])
    tables = set(seen.values())
    for _ in range(8):
        draw.choice(EDITS)(folder, draw)
        if draw.random() < 0.3:
            PlannedStudy(folder).run()
        try:
            digest, table = looked_at(folder)
        except InputError:
            continue
        assert seen.setdefault(digest, table) == table
        tables.add(table)
    assert len(seen) >= len(tables) > 1

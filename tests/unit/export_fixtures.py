"""A small cohort that was really made, in this process, and its export."""

from __future__ import annotations

from pathlib import Path

from plan_fixtures import PlannedStudy

from daydreaming.generation.study import Study
from daydreaming.results.export.files import export_cohort
from provider import Provider
from studies import Choice
from studies import Study as Folder

CHOICE = Choice(
    drafts=("thread", "contrast"),
    essays=("copied", "developed"),
    evaluations=("novelty", "soundness"),
    combos=(("sleep", "tides"), ("sleep", "maps")),
)
DRAFTS, ESSAYS, EVALUATIONS = 4, 8, 16


def made_cohort(folder: Path, provider: Provider) -> Folder:
    """Make the cohort; the current folder must be `folder`."""
    study = Folder.create(folder, provider, CHOICE)
    study.build()
    PlannedStudy(study).run()
    return study


def loaded(folder: Folder) -> Study:
    """The study as it is on the disk now; its folder must be the current one."""
    return PlannedStudy(folder).loaded()


def exported(folder: Folder) -> dict[str, Path]:
    """Export the cohort; returns the files by their suffix."""
    return {path.suffix: folder.folder / path for path in export_cohort(loaded(folder))}

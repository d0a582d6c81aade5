"""A small cohort that was really made, in this process, and its export."""

from __future__ import annotations

import re
from pathlib import Path

from plan_fixtures import PlannedStudy

from daydreaming.generation.study import Study
from daydreaming.results.export.files import export_cohort
from provider import Provider
from studies import Choice
from studies import Study as Folder

PROJECT = Path(__file__).resolve().parents[2]
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


def documented(heading: str) -> list[tuple[str, str, str]]:
    """The rows of the table below a heading of docs/data_out.md."""
    text = (PROJECT / "docs" / "data_out.md").read_text(encoding="utf-8")
    section = re.split(r"^#+ ", text.split(f"### {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if "|" in line]
    return [(name.strip(" `"), kind.strip(), meaning.strip(" |")) for name, kind, meaning in cells[2:]]

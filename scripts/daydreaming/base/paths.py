"""The only place where a path below `data/` is spelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

# The layout of every study of this project has this folder beside the one for all other stages.
_FOLDERS: Mapping[str, str] = {"evaluation": "evaluation_templates"}
DESCRIPTION_LEVELS = ("sentence", "paragraph", "article")


@dataclass(frozen=True, slots=True)
class GenerationFiles:
    """The four files of one generation."""

    folder: Path

    @property
    def prompt(self) -> Path:
        return self.folder / "prompt.txt"

    @property
    def raw(self) -> Path:
        return self.folder / "raw.txt"

    @property
    def parsed(self) -> Path:
        return self.folder / "parsed.txt"

    @property
    def metadata(self) -> Path:
        return self.folder / "metadata.json"


@dataclass(frozen=True, slots=True)
class CohortFiles:
    """The files of one cohort: its spec (of either name), its tables, its journal of calls, its reports."""

    folder: Path

    @property
    def spec(self) -> Path:
        return self.folder / "spec.yaml"

    @property
    def spec_folder(self) -> Path:
        return self.folder / "spec"

    @property
    def spec_in_folder(self) -> Path:
        return self.spec_folder / "config.yaml"

    @property
    def membership(self) -> Path:
        return self.folder / "membership.csv"

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.json"

    def made(self, result: str) -> Path:
        """The record of a result: what it was made from, and what its files were."""
        return self.folder / "made" / f"{result}.json"

    @property
    def journal(self) -> Path:
        return self.folder / "journal.jsonl"

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    @property
    def scores(self) -> Path:
        return self.reports / "parsed_scores.csv"

    @property
    def preferences(self) -> Path:
        """The verdicts of judges who compared two texts, one a row."""
        return self.reports / "parsed_preferences.csv"

    @property
    def failures(self) -> Path:
        return self.reports / "failures.csv"

    @property
    def report(self) -> Path:
        return self.reports / "report.html"

    @property
    def plots(self) -> Path:
        """The folder of the report's charts as files."""
        return self.reports / "plots"

    @property
    def export(self) -> Path:
        return self.folder / "export"

    @property
    def parquet(self) -> Path:
        return self.export / f"{self.folder.name}.parquet"

    @property
    def verdicts_parquet(self) -> Path:
        return self.export / f"{self.folder.name}.verdicts.parquet"

    @property
    def sqlite(self) -> Path:
        return self.export / f"{self.folder.name}.sqlite"

    @property
    def datasette(self) -> Path:
        return self.export / f"{self.folder.name}.datasette.json"

    @property
    def bundle(self) -> Path:
        """The cohort in one file."""
        return self.export / f"{self.folder.name}.zip"

    @property
    def reading_pages(self) -> Path:
        return self.reports / "read"

    @property
    def reading_index(self) -> Path:
        return self.reading_pages / "index.html"


class TemplatePlace(NamedTuple):
    """Where the templates of a stage are, below data/1_raw: their table and the folder of their texts; "": as usual."""

    stage: str
    table: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class DataPaths:
    """Every place below one data root. `root` is kept as the user gave it, so relative paths stay relative.

    `template_places` has the stages whose templates are in places of their own.
    """

    root: Path
    template_places: tuple[TemplatePlace, ...] = ()

    @property
    def raw(self) -> Path:
        return self.root / "1_raw"

    @property
    def concepts(self) -> Path:
        return self.raw / "concepts_metadata.csv"

    @property
    def models(self) -> Path:
        return self.raw / "llm_models.csv"

    @property
    def shared_texts(self) -> Path:
        return self.raw / "shared_templates"

    @property
    def selected_combos(self) -> Path:
        return self.root / "2_tasks" / "selected_combo_mappings.csv"

    @property
    def selected_essays(self) -> Path:
        return self.root / "2_tasks" / "selected_essays.txt"

    @property
    def human_scores(self) -> Path:
        return self.root / "2_tasks" / "human_scores.csv"

    @property
    def combos(self) -> Path:
        return self.root / "combo_mappings.csv"

    @property
    def gens(self) -> Path:
        return self.root / "gens"

    @property
    def importing(self) -> Path:
        """Where the folder of a generation that is brought in is filled before it gets its name."""
        return self.gens / ".importing"

    @property
    def cohorts(self) -> Path:
        return self.root / "cohorts"

    @property
    def replies(self) -> Path:
        return self.root / "replies"

    @property
    def batches(self) -> Path:
        """The records of provider batches."""
        return self.root / "batches"

    @property
    def adopted_texts(self) -> Path:
        """Texts that no stored reply holds, kept before anything replaces them."""
        return self.replies / "adopted"

    @property
    def archive(self) -> Path:
        """What nothing here needs any more, in the folders in which it lay."""
        return self.root / "archive"

    @property
    def archive_list(self) -> Path:
        """What was moved to the archive, when and why."""
        return self.archive / "moves.csv"

    @property
    def limits(self) -> Path:
        return self.root / "limits"

    def concept_text(self, level: str, concept_id: str) -> Path:
        """The description of a concept at a level (`sentence`, `paragraph`, `article`)."""
        return self.raw / "concepts" / f"descriptions-{level}" / f"{concept_id}.txt"

    def templates(self, stage: str) -> Path:
        """The catalog of a stage's templates."""
        return self.raw / (self._place(stage).table or f"{stage}_templates.csv")

    def template_text(self, stage: str, template_id: str) -> Path:
        """Where a template's text is when its row names neither `content` nor `template_path`."""
        folder = self._place(stage).folder or _FOLDERS.get(stage, f"generation_templates/{stage}")
        return self.raw / folder / f"{template_id}.txt"

    def _place(self, stage: str) -> TemplatePlace:
        return next((place for place in self.template_places if place.stage == stage), TemplatePlace(stage))

    def stages_on_disk(self) -> list[str]:
        """The stages of which there are generations, or texts that were kept, here or in the archive."""
        places = (self.gens, self.adopted_texts)
        folders = [folder for place in places for folder in (place, self.archived(place)) if folder.is_dir()]
        found = {entry.name for folder in folders for entry in folder.iterdir() if entry.is_dir()}
        return sorted(name for name in found if not name.startswith("."))

    def generation(self, stage: str, gen_id: str) -> GenerationFiles:
        """The files of a generation."""
        return GenerationFiles(self.gens.joinpath(stage, gen_id))

    def generation_folder(self, stage: str, gen_id: str) -> str:
        """The folder of a generation, as text: every generation is looked at at every start."""
        return f"{self.root}/gens/{stage}/{gen_id}"

    def parsed_text(self, stage: str, gen_id: str) -> str:
        """The file of a generation's result, as text: it is asked for of every generation at every start."""
        return f"{self.root}/gens/{stage}/{gen_id}/parsed.txt"

    def cohort(self, cohort_id: str) -> CohortFiles:
        """The files of a cohort."""
        return CohortFiles(self.cohorts / cohort_id)

    def reply(self, request_sha256: str) -> Path:
        """The stored reply to a request."""
        return self.root.joinpath("replies", request_sha256[:2], f"{request_sha256}.json")

    def archived(self, path: Path) -> Path:
        """Where a file or folder below the data root lies after it was moved to the archive."""
        return self.archive / path.relative_to(self.root)

"""The chains of a curated cohort: chosen essays and their drafts, rebuilt from their metadata."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.paths import DataPaths
from daydreaming.cohort.links import NumberedRow
from daydreaming.inputs.records import Generation
from daydreaming.inputs.stages import DEFAULT_STAGES, StageTable
from daydreaming.inputs.tables import IDENTIFIER_CURE, gathering, identifier_problem
from daydreaming.ledger.metadata import Metadata, Origin, read_metadata


def selected_chains(paths: DataPaths, stages: StageTable = DEFAULT_STAGES) -> list[NumberedRow]:
    """Return the drafts, then the essays, of the chains that selected_essays.txt chooses, with their line there.

    With other stages: the texts that the study is about (`StageTable.main`), and before them what they are made from.
    Ids are kept, a draft of several essays comes once, and the rows belong to no cohort yet (`cohort_id` is "").
    Raises InputError with all faults of the file and of the metadata that it leads to.
    """
    faults: list[Fault] = []
    found: dict[str, dict[str, NumberedRow]] = {stage: {} for stage in stages.chain(stages.main)}

    def generation(stage: str, gen_id: str, line: int) -> Generation:
        if gen_id not in found[stage]:
            record, above = _Source(paths, line, stage, gen_id).read(), stages[stage].parent
            parent = generation(above, record.text("parent_gen_id"), line) if above else None
            found[stage][gen_id] = (line, record.generation(parent))
        return found[stage][gen_id][1]

    for line, gen_id in _chosen_essays(paths.selected_essays, faults):
        with gathering(faults):
            generation(stages.main, gen_id, line)
    if faults:
        raise InputError(faults)
    return [row for of_stage in found.values() for row in of_stage.values()]


def _chosen_essays(path: Path, faults: list[Fault]) -> Iterable[tuple[int, str]]:
    """The lines that name an essay, without comments and blank lines; what is wrong with others goes to `faults`."""
    lines: dict[str, int] = {}
    for line, text in enumerate(_read_lines(path), start=1):
        essay_id = text.partition("#")[0].strip()
        if not essay_id:
            continue
        problem = identifier_problem(essay_id)
        if problem is not None:
            faults.append(Fault(str(path), problem, IDENTIFIER_CURE, line))
        elif essay_id in lines:
            problem = f"the essay {essay_id!r} is already in line {lines[essay_id]}."
            faults.append(Fault(str(path), problem, "Delete one of the lines.", line))
        else:
            lines[essay_id] = line
    if not lines and not faults:
        cure = "Write one gen_id of an essay per line, or delete the file to build a cohort of all combinations."
        faults.append(Fault(str(path), "no essay is chosen.", cure))
    return [(line, essay_id) for essay_id, line in lines.items()]


def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(Fault(str(path), f"is not UTF-8 text ({error.reason}).", "Save it as UTF-8.")) from error
    except OSError as error:
        raise InputError(Fault(str(path), f"cannot be read ({error.strerror}).", "Make it a readable file.")) from error


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a generation was recorded, and the line of the selection that asks for it."""

    paths: DataPaths
    line: int
    stage: str
    gen_id: str

    def error(self, what: str) -> InputError:
        """Say what is wrong with the record, at the line of the selection."""
        file = self.paths.generation(self.stage, self.gen_id).metadata
        problem = f"the {self.stage} {self.gen_id!r} cannot be rebuilt, for {file} {what}."
        cure = "Delete the line, or make the generation again in the cohort that it came from."
        return InputError(Fault(str(self.paths.selected_essays), problem, cure, self.line))

    def read(self) -> _Record:
        """Read the record; raise InputError if there is none, or one of another generation."""
        reading = read_metadata(self.paths.generation(self.stage, self.gen_id).metadata)
        if reading.origin is Origin.NONE:
            raise self.error("does not exist")
        if reading.origin is Origin.DAMAGED:
            raise self.error(f"cannot be used ({reading.problem})")
        if (reading.metadata.stage, reading.metadata.gen_id) != (self.stage, self.gen_id):
            raise self.error("describes something else")
        for key in ("template_id", "combo_id", "parent_gen_id", "llm_model_id", "replicate"):
            if key in reading.not_understood:
                raise self.error(f"has no {key!r} that can be understood")
        return _Record(self, reading.metadata)


@dataclass(frozen=True, slots=True)
class _Record:
    """What metadata.json says of a generation. The methods raise InputError for what it should say and does not."""

    source: _Source
    values: Metadata

    def generation(self, parent: Generation | None) -> Generation:
        """The generation that was recorded, made of that parent; without one, of a combo."""
        return Generation(
            stage=self.source.stage,
            gen_id=self.source.gen_id,
            cohort_id="",
            parent_gen_id=parent.gen_id if parent else "",
            combo_id=parent.combo_id if parent else self.text("combo_id"),
            template_id=self.text("template_id"),
            llm_model_id=self.values.catalog_model or "",
            # Records of other programs know no replicates.
            replicate=1 if self.values.replicate is None else self.values.replicate,
        )

    def text(self, key: str) -> str:
        """A value that the generation cannot be rebuilt without."""
        text: str | None = getattr(self.values, key)
        if not text:
            raise self.source.error(f"has no {key!r}")
        return text

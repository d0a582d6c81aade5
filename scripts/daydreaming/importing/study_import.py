"""What an import would bring: generations, catalogs and cohorts, what is missing for the others, what is in the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from daydreaming.base.errors import Fault, InputError
from daydreaming.cohort.build import cohort_id_for
from daydreaming.importing.already_here import Place, place_of
from daydreaming.importing.catalog_entries import Catalog, Status
from daydreaming.importing.catalogs_after import catalogs_after, new_faults
from daydreaming.importing.cohort_tables import IncomingCohort, incoming_cohorts, known_rows
from daydreaming.importing.concepts_and_models import combo_catalog, concept_catalog, model_catalog
from daydreaming.importing.generations import Key, SourceGeneration, SourceGenerations, read_generations
from daydreaming.importing.rows import Rows
from daydreaming.importing.source import SourceFolder
from daydreaming.importing.spec_trial import SpecTrial
from daydreaming.importing.tables_of_cohorts import read_cohorts
from daydreaming.importing.templates import template_catalog
from daydreaming.importing.uses import roles_of_models, use_of_templates
from daydreaming.inputs.catalogs import CatalogReading, read_catalogs
from daydreaming.inputs.records import Combo, Generation
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.stages import DEFAULT_STAGES
from daydreaming.inputs.tables import gathering
from daydreaming.results.score_table import parse_score


@dataclass(frozen=True)
class ImportPlan:
    """All that an import would do. `rows` are the generations that come or are here, by stage and gen_id.

    `coming` are those with texts to be written, `here` those whose texts are here. `left_out` says why a generation of
    the source does not come; `unused_in_the_way` names entries of catalogs that nothing needs and that are others here.
    With `faults`, nothing may be written.
    """

    source: SourceFolder
    settings: Settings
    catalogs: Mapping[str, Catalog]
    combos: Sequence[Combo]
    rows: Mapping[Key, Generation]
    coming: Sequence[SourceGeneration]
    here: frozenset[Key]
    left_out: Mapping[Key, str]
    cohorts: Sequence[IncomingCohort]
    notes: Sequence[str]
    faults: Sequence[Fault]

    @property
    def changes_nothing(self) -> bool:
        """Whether all that could come is here."""
        entries = [entry for catalog in self.catalogs.values() for entry in catalog.of_status(Status.COMES)]
        return not (self.coming or entries or any(cohort.come or cohort.files for cohort in self.cohorts))


def plan_import(
    folder: Path, settings: Settings, encoding: str | None = None, *, with_specs: bool = True
) -> ImportPlan:
    """Find out what an import of a folder would bring, `with_specs` of its cohorts or without. Writes nothing.

    Raises InputError for a folder that is none of the original project's, tables that cannot be read, or faults of
    what is here; what concerns single generations stands in the plan. OSError for folders that cannot be listed.
    """
    source = SourceFolder.open(folder, encoding)
    _refuse_itself(source, settings)
    _refuse_other_stages(settings)
    with TemporaryDirectory(prefix="daydreaming-import-") as trial:
        return _Planner(source, settings, Path(trial)).plan(with_specs=with_specs)


def _refuse_other_stages(settings: Settings) -> None:
    """What comes has the usual stages: the study here must have them, too, each made from the same."""
    table = settings.stage_table
    for usual in DEFAULT_STAGES:
        if usual.name not in table or table[usual.name].parent != usual.parent:
            problem = f"what comes has the stage {usual.name!r}, which is not here, or made from something else."
            cure = "Bring it into a data root whose `stages` leave draft, essay and evaluation as they are."
            raise InputError(Fault("config.yaml", problem, cure, key=f"stages.{usual.name}"))


def _refuse_itself(source: SourceFolder, settings: Settings) -> None:
    here, there = settings.paths.root.resolve(), source.root.resolve()
    if here == there or here in there.parents or there in here.parents:
        problem = f"it and the data root {settings.paths.root} are one, or one lies in the other."
        raise InputError(Fault(str(source.root), problem, "Give a folder that lies elsewhere."))


@dataclass
class _Planner:
    """Works the plan out, step by step; what goes wrong on the way is gathered."""

    source: SourceFolder
    settings: Settings
    trial: Path
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def plan(self, *, with_specs: bool) -> ImportPlan:
        generations = read_generations(self.source)
        cohorts = read_cohorts(self.source, self.faults)
        here = self._catalogs_here()
        rows = Rows(generations, cohorts, self._model_ids())
        specs = SpecTrial(self.source, self.settings, self.trial, self.faults)
        specs.read(cohorts if with_specs else [])
        catalogs, combos = self._catalogs(here, generations, rows, specs.roles())
        for key, row in list(rows.by_key.items()):
            if problem := self._problem(row, generations.found.get(key), catalogs, here):
                rows.leave_out(key, problem)
        for key, row in list(rows.by_key.items()):
            if problem := _problem_of_copy(row, generations, _generator(row, catalogs, here)):
                rows.leave_out(key, problem)
        coming, there = self._places(rows, generations)
        after = catalogs_after(self.settings, here.catalogs, catalogs)
        self.faults += new_faults(self.settings, here.catalogs, after)
        known = {one.cohort_id: known_rows(self.settings, one, rows, generations) for one in cohorts}
        compiled = specs.compile(after, combos.values(), known, catalogs)
        incoming = incoming_cohorts(self.settings, cohorts, rows, specs, compiled, self.faults)
        with_text = {generation.key for generation in coming} | there
        made_here = {key for key in rows.by_key if self.settings.paths.generation(*key).parsed.is_file()}
        self._note_what_was_found(generations, rows, with_text)
        self.faults += generations.faults
        self.faults += self._renamed_cohort(here, catalogs["model"])
        planned = [row for spec in compiled.values() for row in spec.generations]
        needed = _needed([*rows.by_key.values(), *planned], combos)
        return ImportPlan(
            self.source,
            self.settings,
            catalogs,
            [combo for combo in combos.values() if combo.combo_id in needed],
            rows.by_key,
            coming,
            frozenset(there),
            rows.left_out,
            [cohort.with_texts(with_text | made_here) for cohort in incoming],
            self.notes,
            tuple(dict.fromkeys(self.faults)),
        )

    def _catalogs_here(self) -> CatalogReading:
        """What is here. A table that is not there yet is no fault: it is written. Raises InputError for all others."""
        reading = read_catalogs(self.settings)
        faults = [fault for fault in reading.faults if Path(fault.file).exists()]
        if faults:
            raise InputError(faults)
        return reading

    def _model_ids(self) -> dict[str, str]:
        """The ids of models by the names that providers know them by, where these are of one model only."""
        rows = self.source.table(self.source.models_table(), ("id", "model"))
        ids = {row.values["id"] for row in rows}
        names = Counter(row.values["model"] for row in rows)
        return {
            row.values["model"]: row.values["id"]
            for row in rows
            if names[row.values["model"]] == 1 and row.values["model"] not in ids
        }

    def _catalogs(
        self, here: CatalogReading, generations: SourceGenerations, rows: Rows, planned: Mapping[str, set[str]]
    ) -> tuple[dict[str, Catalog], dict[str, Combo]]:
        """Compare all catalogs. Raises InputError with the faults of all that cannot be read."""
        faults: list[Fault] = []
        catalogs: dict[str, Catalog] = {}
        combos: dict[str, Combo] = {}
        use = use_of_templates(generations)
        with gathering(faults):
            catalogs["concept"] = concept_catalog(self.source, self.settings, here, self.notes.append)
        for stage in DEFAULT_STAGES.names:
            with gathering(faults):
                catalogs[f"{stage} template"] = template_catalog(
                    self.source, self.settings, here, stage, use[stage], self.notes.append
                )
        with gathering(faults):
            roles = roles_of_models(rows.by_key.values(), generations)
            catalogs["model"] = model_catalog(self.source, self.settings, here, roles, planned, self.notes.append)
        if "concept" in catalogs:
            with gathering(faults):
                catalogs["combo"], combos = combo_catalog(self.source, self.settings, here, catalogs["concept"])
        if faults:
            raise InputError([*faults, *self.faults, *generations.faults])
        return catalogs, combos

    def _problem(
        self,
        row: Generation,
        generation: SourceGeneration | None,
        catalogs: Mapping[str, Catalog],
        here: CatalogReading,
    ) -> str:
        """Say what keeps a generation from coming, besides its parent; "" if nothing does."""
        needs = [(f"{row.stage} template", row.template_id), ("model", row.llm_model_id)]
        if DEFAULT_STAGES[row.stage].is_first:
            needs.append(("combo", row.combo_id))
        problems = [catalogs[kind].problem(name) for kind, name in needs]
        for kind, name in needs:
            entry = catalogs[kind].entries.get(name)
            if entry is not None:
                self.faults += entry.faults
        if any(problems):
            return next(filter(None, problems))
        if generation is None:
            return ""
        recorded, model = generation.record.model, _model_string(row, catalogs, here)
        if recorded and not generation.is_copy and recorded not in (model, row.llm_model_id):
            return f"its metadata.json says that {recorded} wrote it, and the model {row.llm_model_id} is {model}"
        return ""

    def _places(self, rows: Rows, generations: SourceGenerations) -> tuple[list[SourceGeneration], set[Key]]:
        """Which texts come, and which are here. Another text of the same name is a fault."""
        coming, there = [], set()
        for key in rows.by_key:
            generation = generations.found.get(key)
            if generation is None or not generation.has_text:
                continue
            place = place_of(self.settings.paths, self.source, generation)
            if place is Place.FREE:
                coming.append(generation)
            elif place is Place.HERE:
                there.add(key)
            else:
                files = self.settings.paths.generation(*key)
                problem = f"the {key[0]} {key[1]!r} has another text here than in {generation.folder}."
                cure = "Move one of the folders away, or give one of them another gen_id; nothing here is overwritten."
                self.faults.append(Fault(str(files.folder), problem, cure))
        return coming, there

    def _note_what_was_found(self, generations: SourceGenerations, rows: Rows, with_text: set[Key]) -> None:
        """Say of what comes what a reader of its scores should know."""
        kept = [generations.found[key] for key in rows.by_key if key in generations.found]
        cut = sum(one.is_cut_off and one.key in with_text for one in kept)
        if cut:
            self.notes.append(f"Texts whose replies were cut off, and that come as they counted there: {cut}.")
        replies = [one for one in kept if "raw.txt" in one.texts or "parsed.txt" in one.texts]
        failed = sum(one.key not in with_text and not one.has_text for one in replies)
        if failed:
            self.notes.append(f"Replies that were cut off or failed there, and do not come: {failed}.")
        odd = [one for one in kept if one.key in with_text and one.stage == "evaluation" and self._is_no_score(one)]
        if odd:
            what = f"Evaluations that hold no number from 0 to 10 and get no score: {len(odd)}"
            self.notes.append(f"{what}; the first is {odd[0].folder / 'parsed.txt'}.")

    def _is_no_score(self, generation: SourceGeneration) -> bool:
        if "parsed.txt" not in generation.texts:
            return False
        return parse_score(self.source.text(generation.folder / "parsed.txt")) is None

    def _renamed_cohort(self, here: CatalogReading, models: Catalog) -> Iterator[Fault]:
        """A cohort that has no name is named by what is in it: more models would make it another one."""
        if self.settings.cohort is not None:
            return
        allowed = [entry.name for entry in models.of_status(Status.COMES) if "true" in _permissions(entry.row)]
        try:
            cohort_id = cohort_id_for(self.settings, here.catalogs)
        except InputError:
            return
        if allowed and self.settings.paths.cohort(cohort_id).membership.exists():
            others = ", ".join(allowed)
            problem = f"the cohort {cohort_id} is made of all models that may be used, and {others} would come."
            yield Fault("config.yaml", problem, f"Give it its name first: `cohort: {cohort_id}`.", key="cohort")


def _permissions(row: Mapping[str, str]) -> tuple[str, ...]:
    return row.get("for_generation", ""), row.get("for_evaluation", "")


def _needed(rows: Iterable[Generation], combos: Mapping[str, Combo]) -> set[str]:
    return {row.combo_id for row in rows if row.combo_id in combos}


def _model_string(row: Generation, catalogs: Mapping[str, Catalog], here: CatalogReading) -> str:
    known = here.catalogs.models.get(row.llm_model_id)
    return known.model if known else catalogs["model"].entries[row.llm_model_id].row["model"]


def _generator(row: Generation, catalogs: Mapping[str, Catalog], here: CatalogReading) -> str:
    known = here.catalogs.templates[row.stage].get(row.template_id)
    return known.generator if known else catalogs[f"{row.stage} template"].entries[row.template_id].row["generator"]


def _problem_of_copy(row: Generation, generations: SourceGenerations, generator: str) -> str:
    """Say where a generation and its template disagree on who wrote it; "" if they agree."""
    generation = generations.found.get((row.stage, row.gen_id))
    if generation is None:
        return ""
    if generation.is_copy is not None and generation.is_copy != (generator == "copy"):
        is_copy = "a copy" if generation.is_copy else "written by a model"
        return f"its metadata.json says that it is {is_copy}, and the generator of {row.template_id} is {generator}"
    parent = generations.found.get(("draft", row.parent_gen_id))
    text = generation.texts.get("parsed.txt")
    if generator == "copy" and text and parent is not None and text != parent.texts.get("parsed.txt"):
        return f"it is a copy, and not of the text of its draft {row.parent_gen_id} as it is"
    return ""

"""The specs that come with an import, compiled as they would be here after it, in a folder that is thrown away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from daydreaming.base.errors import Fault, InputError
from daydreaming.cohort.spec_compiler import CompiledSpec, compile_spec
from daydreaming.importing.catalog_entries import Catalog, NewFile
from daydreaming.importing.generations import Key
from daydreaming.importing.source import SourceFolder
from daydreaming.importing.specs import COHORTS, SourceSpec, files_of, read_spec, spec_here
from daydreaming.importing.tables_of_cohorts import SourceCohort
from daydreaming.inputs.cohort_spec.reading import read_cohort_spec
from daydreaming.inputs.cohort_spec.records import CohortSpec, Level
from daydreaming.inputs.concepts import append_combos
from daydreaming.inputs.records import Catalogs, Combo, Generation
from daydreaming.inputs.settings import Settings

WITHOUT_SPECS = "Or leave the specs where they are: `--without-specs`."


@dataclass(frozen=True)
class TriedSpec:
    """A spec that comes or is here, the files of it that come, and what to know of it."""

    spec: CohortSpec
    source: SourceSpec
    files: Sequence[NewFile]
    remarks: Sequence[str]


class SpecTrial:
    """Reads specs of the source, and compiles them with the catalogs as an import leaves them.

    What is wrong with them goes to `faults`, with the place in the source. Nothing is compiled for those that do not
    come: `other_here` are specs here that are others than those of the source, `lacking` says of which something that
    they need cannot come.
    """

    def __init__(self, source: SourceFolder, settings: Settings, folder: Path, faults: list[Fault]):
        """`folder` is an empty one."""
        self.tried: dict[str, TriedSpec] = {}
        self.other_here: dict[str, Path] = {}
        self.lacking: dict[str, str] = {}
        self._source, self._settings, self._faults = source, settings, faults
        self._trial = settings.below(folder)

    def read(self, cohorts: Iterable[SourceCohort]) -> None:
        """Read the specs of cohorts."""
        for cohort in cohorts:
            if cohort.spec is not None:
                with self._told():
                    self._read(cohort.cohort_id, cohort.spec)

    def _read(self, cohort_id: str, file: Path) -> None:
        text = read_spec(self._source, cohort_id, file, self._trial.paths.root)
        if other := spec_here(self._settings, text):
            self.other_here[cohort_id] = other
            return
        place = self._trial.paths.root / file.relative_to(self._source.root)
        spec = read_cohort_spec(place, self._trial.paths, self._settings.stage_table)
        files = files_of(self._source, self._settings, text)
        self.tried[cohort_id] = TriedSpec(spec, text, files, list(self._remarks(spec)))

    def roles(self) -> dict[str, set[str]]:
        """What each model that a spec names is to do, as the columns of the table of models call it."""
        roles: dict[str, set[str]] = defaultdict(set)
        for tried in self.tried.values():
            for name, axis in tried.spec.table.axes.items():
                if axis.kind == "model":
                    for model_id in _levels_named(tried.spec, name):
                        roles[model_id].add(self._settings.stage_table[axis.stage].permission)
        return roles

    def compile(
        self,
        after: Catalogs,
        combos: Iterable[Combo],
        known: Mapping[str, Sequence[Generation]],
        catalogs: Mapping[str, Catalog],
    ) -> dict[str, CompiledSpec]:
        """What the specs come to, by cohort.

        `after` and `combos` are what will be here, `known` rows by cohort, `catalogs` say what cannot come.
        """
        for path in (self._settings.paths.selected_combos, self._settings.paths.combos):
            if path.is_file():
                copy = self._trial.paths.root / path.relative_to(self._settings.paths.root)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
        append_combos(self._trial.paths.combos, combos)
        compiled = {}
        for cohort_id, tried in list(self.tried.items()):
            settings = self._trial.model_copy(update={"cohort": cohort_id})
            lacking = _cannot_come(tried.spec, catalogs)
            if lacking:
                self.lacking[cohort_id] = lacking
                del self.tried[cohort_id]
                continue
            rows = partial(_whatever_is_given, known[cohort_id])
            with self._told():
                compiled[cohort_id] = compile_spec(tried.spec, settings, after, cohort_id, rows)
        return compiled

    def _remarks(self, spec: CohortSpec) -> Iterator[str]:
        bound = {axis for rule in spec.couplings for axis in rule.binds}
        left_out = [
            name
            for name, axis in spec.table.axes.items()
            if name not in {*spec.axes, *bound}
            and not (axis.follows and not spec.rules_on(name))
            and (axis.kind != "replicate" or self._settings.replicates.get(axis.stage, 1) > 1)
        ]
        if left_out:
            yield f"its spec leaves out {', '.join(left_out)}: there is all that is active here, or configured"

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Keep the faults of the block, with the places that the user knows in place of the folder of the trial."""
        try:
            yield
        except InputError as error:
            self._faults += [self._placed(fault) for fault in error.faults]

    def _placed(self, fault: Fault) -> Fault:
        file, problem, cure = map(self._with_places, (fault.file, fault.problem, fault.cure))
        return replace(fault, file=file, problem=problem, cure=f"{cure} {WITHOUT_SPECS}")

    def _with_places(self, text: str) -> str:
        trial = self._trial.paths.root
        text = text.replace(str(trial / COHORTS), str(self._source.root / COHORTS))
        return text.replace(str(trial), str(self._settings.paths.root))


def _whatever_is_given(rows: Sequence[Generation], given: Collection[Key]) -> Sequence[Generation]:
    return rows


def _cannot_come(spec: CohortSpec, catalogs: Mapping[str, Catalog]) -> str:
    """Say which level of a spec is in the source, or here, and cannot be used; "" where there is none."""
    for name, axis in spec.table.axes.items():
        kind = f"{axis.stage} template" if axis.kind == "template" else axis.kind
        if kind in catalogs:
            for level in _levels_named(spec, name):
                if level in catalogs[kind].entries and (problem := catalogs[kind].problem(level)):
                    return problem
    return ""


def _levels_named(spec: CohortSpec, name: str) -> Iterator[str]:
    """The levels of an axis that a spec writes down, in its list or in the rows of its rules."""
    given = spec.axes.get(name)
    if given is not None and isinstance(given.levels, tuple):
        yield from (level.text for level in given.levels if isinstance(level, Level))
    for rule in spec.couplings:
        if name in rule.axes:
            column = next(index for index, axes in enumerate(rule.columns) if name in axes)
            yield from (row.levels[column] for row in rule.rows)

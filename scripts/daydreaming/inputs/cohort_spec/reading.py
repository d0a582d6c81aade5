"""Reading a spec: its names resolved, its helper files read, every fault with its line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.nearest_names import did_you_mean
from daydreaming.base.paths import DataPaths
from daydreaming.inputs.cohort_spec.axes import axis_table
from daydreaming.inputs.cohort_spec.helper_files import HelperFiles, coupling_rows
from daydreaming.inputs.cohort_spec.models import (
    ACTIVE,
    ComboChoice,
    Rules,
    SpecModel,
    validation_faults,
)
from daydreaming.inputs.cohort_spec.records import (
    AxisLevels,
    CohortSpec,
    ConceptChoices,
    Coupling,
    CouplingRow,
    Level,
    PairChoice,
    Place,
    Sample,
    Subset,
    Tie,
)
from daydreaming.inputs.cohort_spec.yaml_lines import Document, Step, read_document
from daydreaming.inputs.stages import DEFAULT_STAGES, StageTable
from daydreaming.inputs.tables import gathering


def read_cohort_spec(file: Path, paths: DataPaths, stages: StageTable = DEFAULT_STAGES) -> CohortSpec:
    """Read a spec with the files that it names; raise InputError with all faults of its form.

    Its axes are those of the study's `stages`. Whether its levels exist is a question to the catalogs.
    """
    document, table = read_document(file), axis_table(stages)
    try:
        model = SpecModel.model_validate({} if document.value is None else document.value, context=table)
    except ValidationError as error:
        raise InputError(dict.fromkeys(validation_faults(error, document))) from None
    helpers = HelperFiles(file, (Path(), paths.root), table)
    return _Resolver(file, document, model, helpers, stages).spec()


class _Resolver:
    """One pass over a spec whose form is right."""

    def __init__(self, file: Path, document: Document, model: SpecModel, helpers: HelperFiles, stages: StageTable):
        self._file = file
        self._stages = stages
        self._table = table = axis_table(stages)
        self._document = document
        self._model = model
        self._helpers = helpers
        self._rules = model.rules or Rules()
        self._faults: list[Fault] = []
        # What the sides of a pair and the axes of a tuple may name: the columns that it stands for.
        self._columns: dict[str, tuple[tuple[str, ...], ...]] = {name: ((name,),) for name in table.axes}

    def spec(self) -> CohortSpec:
        """The spec; raises InputError with all faults."""
        self._check_names()
        self._check_output()
        axes = dict(self._axes())
        subsets = dict(self._subsets())
        ties = tuple(self._ties())
        # Pairs may name tuples, which is why these are read first; that they apply later makes no difference to them.
        tuples = tuple(self._tuples())
        couplings = (*self._pairs(), *tuples)
        sample = self._sample()
        comparisons = dict(self._comparisons())
        if self._faults:
            raise InputError(dict.fromkeys(self._faults))
        return CohortSpec(
            (self._file, *self._helpers.read), self._table, axes, subsets, ties, couplings, sample, comparisons
        )

    def _check_names(self) -> None:
        """Each axis has one name in a mapping, and no two rules have the same one."""
        for section, names in (("axes", self._model.axes), ("rules.subsets", self._rules.subsets)):
            seen: dict[str, str] = {}
            for name in names or {}:
                axis = self._table.canonical(name)
                if axis in seen:
                    problem = f"{name!r} is another name of the axis {seen[axis]!r}, which is here already."
                    self._add(self._place(*section.split("."), name), problem, "Keep one of the two.")
                seen.setdefault(axis, name)
        kinds: defaultdict[str, list[str]] = defaultdict(list)
        for kind in ("ties", "pairs", "tuples"):
            for name in getattr(self._rules, kind) or {}:
                kinds[name].append(kind)
                own = self._rules.ties[name].axes if kind == "ties" and self._rules.ties else []
                if self._table.canonical(name) in self._table.axes and name not in own:
                    problem = f"the rule has the name of the axis {name!r}."
                    self._add(self._place("rules", kind, name), problem, "Give it a name of its own.")
        for name, where in kinds.items():
            if len(where) > 1:
                problem = f"there is a rule {name!r} under {where[0]}, too."
                self._add(self._place("rules", where[1], name), problem, "Give one of them another name.")

    def _check_output(self) -> None:
        order = (self._model.output.field_order if self._model.output else None) or []
        for index, name in enumerate(order):
            if name not in self._table.names:
                cure = did_you_mean(name, self._table.names, f"The axes are: {', '.join(self._table.axes)}.")
                self._add(self._place("output", "field_order", index), f"there is no axis {name!r}.", cure)

    def _axes(self) -> Iterator[tuple[str, AxisLevels]]:
        for name, value in (self._model.axes or {}).items():
            axis, place = self._table.canonical(name), self._place("axes", name)
            if value is None or value == ACTIVE:
                yield axis, AxisLevels(place, None)
            elif isinstance(value, ComboChoice):
                yield axis, AxisLevels(place, self._choices(name, value))
                if axis != "combo":
                    self._add(place, "only combos are made of concepts.", "Write a list of levels.")
            elif isinstance(value, str) and value.isdigit():
                yield axis, AxisLevels(place, int(value))
                if self._table.axes[axis].kind != "replicate":
                    self._add(place, "only replicates are given by their number.", "Write a list of levels.")
            else:
                yield axis, AxisLevels(place, self._levels(value, axis, ("axes", name)))

    def _choices(self, name: str, value: ComboChoice) -> ConceptChoices:
        path: tuple[Step, ...] = ("axes", name, "k_of", "concepts")
        given = value.k_of.concepts
        concepts = None if given == ACTIVE else self._levels(given, "concept_id", path)
        return ConceptChoices(concepts, value.k_of.k, self._place("axes", name, "k_of"))

    def _subsets(self) -> Iterator[tuple[str, Subset]]:
        for name, levels in (self._rules.subsets or {}).items():
            path = ("rules", "subsets", name)
            yield (
                self._table.canonical(name),
                Subset(self._place(*path), self._levels(levels, self._table.canonical(name), path)),
            )

    def _ties(self) -> Iterator[Tie]:
        tied: dict[str, str] = {}
        for name, rule in (self._rules.ties or {}).items():
            place, axes = (
                self._place("rules", "ties", name),
                tuple(dict.fromkeys(map(self._table.canonical, rule.axes))),
            )
            for axis in axes:
                if axis in tied:
                    problem = f"the tie {tied[axis]!r} holds the axis {axis!r} already."
                    self._add(place, problem, "Make one tie of the two.")
                tied[axis] = name
                # Whoever names one of them means all.
                self._columns[axis] = (axes,)
            self._columns[name] = (axes,)
            yield Tie(name, place, axes)

    def _tuples(self) -> Iterator[Coupling]:
        for name, rule in (self._rules.tuples or {}).items():
            path = ("rules", "tuples", name)
            columns = self._resolved(rule.axes, path, "axes")
            binds = tuple(axis for axis in map(self._table.canonical, rule.axes) if axis in self._table.axes)
            rows = self._rows(rule.items, columns, (*path, "items"))
            yield Coupling("tuple", name, self._place(*path), columns, rows, binds)
            self._columns[name] = columns

    def _pairs(self) -> Iterator[Coupling]:
        for name, rule in (self._rules.pairs or {}).items():
            path = ("rules", "pairs", name)
            left = self._resolved([rule.left], path, "left")
            right = self._resolved([rule.right], path, "right")
            columns = (*left, *right)
            rows = self._rows(rule.allowed, columns, (*path, "allowed"))
            yield Coupling("pair", name, self._place(*path), columns, rows, (), rule.balance, len(left))

    def _resolved(self, names: Sequence[str], path: tuple[Step, ...], key: str) -> tuple[tuple[str, ...], ...]:
        """The columns that names stand for; names that do not exist are faults."""
        columns: list[tuple[str, ...]] = []
        for index, name in enumerate(names):
            # A tie may have the name of one of its axes, which another name of that axis has, too.
            found = self._columns.get(name) or self._columns.get(self._table.canonical(name))
            if found is None:
                known = [*self._table.names, *self._columns]
                cure = did_you_mean(
                    name, known, f"Name an axis ({', '.join(self._table.axes)}), a tie or a tuple rule."
                )
                self._add(self._place(*path, key, index), f"there is no axis or rule {name!r}.", cure)
            columns += found or ()
        return tuple(columns)

    def _rows(
        self, table: Sequence[Sequence[object]] | str, columns: tuple[tuple[str, ...], ...], path: tuple[Step, ...]
    ) -> tuple[CouplingRow, ...]:
        """The rows of a pair or tuple rule; what is wrong with them or with its axes is a fault."""
        axes = [axis for column in columns for axis in column]
        for axis in dict.fromkeys(axis for axis in axes if axes.count(axis) > 1):
            problem = f"the rule names the axis {axis!r} twice (a tie counts as all its axes)."
            self._add(self._place(*path[:-1]), problem, "Name different axes.")
        with gathering(self._faults):
            if isinstance(table, str):
                return tuple(self._helpers.rows(table, self._place(*path), [column[0] for column in columns]))
            paths = [(*path, index) for index in range(len(table))]
            return tuple(coupling_rows(table, len(columns), paths, self._document))
        return ()

    def _levels(self, value: Sequence[str] | str, axis: str, path: tuple[Step, ...]) -> tuple[Level, ...]:
        if not isinstance(value, str):
            return tuple(Level(text, self._place(*path, index)) for index, text in enumerate(value))
        with gathering(self._faults):
            return tuple(self._helpers.levels(value, self._place(*path), axis))
        return ()

    def _sample(self) -> Sample | None:
        given = self._model.sample
        if given is None:
            return None
        # Sorted, so that the order in which axes are named chooses no other rows.
        balance = tuple(axis for axis in self._table.axes if axis in set(map(self._table.canonical, given.balance)))
        return Sample(given.n, given.seed, balance, self._place("sample"))

    def _comparisons(self) -> Iterator[tuple[str, PairChoice]]:
        comparing = [stage.name for stage in self._stages.comparing]
        for name, rule in (self._model.comparisons or {}).items():
            place = self._place("comparisons", name)
            if name not in comparing:
                known = f"Stages that compare: {', '.join(comparing) or 'none; config.yaml adds them'}."
                self._add(place, f"no stage {name!r} makes preferences.", did_you_mean(name, comparing, known))
            needed = {"sample": "n", "swiss": "rounds"}.get(rule.choose)
            for key in ("n", "rounds"):
                if (getattr(rule, key) is None) == (key == needed):
                    problem = f"{rule.choose} {'needs' if key == needed else 'has no'} {key!r}."
                    self._add(place, problem, "Add it." if key == needed else "Take it out.")
            yield name, PairChoice(place, rule.choose, (rule.n or rule.rounds or 0), rule.seed)

    def _place(self, *steps: Step) -> Place:
        return self._document.place(*steps)

    def _add(self, place: Place, problem: str, cure: str) -> None:
        self._faults.append(place.fault(problem, cure))

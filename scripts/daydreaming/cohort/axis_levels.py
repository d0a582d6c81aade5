"""The levels of each axis of a spec: what it lists, or all that is active; each checked against the catalogs."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.nearest_names import did_you_mean
from daydreaming.inputs.cohort_spec.axes import FOLLOWS, NO_MODEL, Axis
from daydreaming.inputs.cohort_spec.models import MOST_REPLICATES
from daydreaming.inputs.cohort_spec.records import CohortSpec, ConceptChoices, Coupling, Level, Place
from daydreaming.inputs.concepts import cohort_combos, combos_of_concepts, load_combos
from daydreaming.inputs.records import Catalogs, Combo
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.tables import gathering

MOST_COMBOS = 1_000_000


@dataclass
class AxisReader:
    """Finds the levels of a spec's axes. `combos` are those that are a level of the axis `combo`, by id."""

    spec: CohortSpec
    settings: Settings
    catalogs: Catalogs
    combos: dict[str, Combo] = field(default_factory=dict)
    _faults: list[Fault] = field(default_factory=list, repr=False)

    def levels(self) -> dict[str, tuple[str, ...]]:
        """The levels of all axes, in the order in which they are listed. Raises InputError with all faults."""
        levels = {name: tuple(dict.fromkeys(self._levels_of(axis))) for name, axis in self.spec.table.axes.items()}
        if self._faults:
            raise InputError(dict.fromkeys(self._faults))
        return levels

    def _levels_of(self, axis: Axis) -> Iterable[str]:
        given = self.spec.axes.get(axis.name)
        bound = [rule for rule in self.spec.couplings if axis.name in rule.binds]
        if bound:
            if given and given.levels is not None:
                problem = f"the axis takes its levels from the rows of the tuple rule {bound[0].name!r}."
                self._faults.append(given.place.fault(problem, "Take the axis out here, or out of the rule."))
            # By name, so that the order of rules in the file makes no difference.
            rules = sorted(bound, key=lambda rule: rule.name)
            return self._checked(axis, (level for rule in rules for level in _levels_in(rule, axis.name)))
        if given is None or given.levels is None:
            follows = axis.follows and not self.spec.rules_on(axis.name) and given is None
            return (FOLLOWS,) if follows else self._default(axis)
        if isinstance(given.levels, ConceptChoices):
            return self._combos_of(given.levels)
        if isinstance(given.levels, int):
            return map(str, range(1, given.levels + 1))
        return self._checked(axis, given.levels)

    def _default(self, axis: Axis) -> Iterable[str]:
        """All that is active; where nothing is, a fault of the catalog."""
        if axis.kind == "combo":
            with gathering(self._faults):
                self.combos.update((combo.combo_id, combo) for combo in self._active_combos)
            return list(self.combos)
        if axis.kind == "replicate":
            return map(str, range(1, self.settings.replicates.get(axis.stage, 1) + 1))
        paths = self.settings.paths
        if axis.kind == "template":
            found = [one.template_id for one in self.catalogs.templates[axis.stage].values() if one.active]
            place, column, what = paths.templates(axis.stage), "active", f"no {axis.stage} template is active."
        else:
            column = self.settings.stage_table[axis.stage].permission
            found = [one.id for one in self.catalogs.models.values() if getattr(one, column)]
            place, what = paths.models, f"no model may be used for {axis.stage}s."
        if not found:
            cure = f"Set {column} to true for at least one, or list levels of {axis.name} in {self.spec.file}."
            self._faults.append(Fault(str(place), what, cure, column=column))
        return found

    def _checked(self, axis: Axis, levels: Iterable[Level]) -> list[str]:
        """The levels that exist; a fault for each that does not, at the first place where it stands."""
        first: dict[str, Level] = {}
        for level in levels:
            first.setdefault(level.text, level)
        for level in first.values():
            fault = self._fault_of(axis, level)
            if fault:
                self._faults.append(fault)
        return list(first)

    def _fault_of(self, axis: Axis, level: Level) -> Fault | None:
        text, place = level.text, level.place
        if axis.kind == "replicate":
            # One way to write each, for `01` and `1` would be two levels.
            if text.isascii() and text.isdigit() and text[0] != "0" and int(text) <= MOST_REPLICATES:
                return None
            return place.fault(f"{text!r} is not the number of a replicate.", "Write 1, 2, 3 and so on.")
        if axis.kind == "combo":
            return self._combo_fault(text, place)
        if axis.kind == "template":
            known: Collection[str] = self.catalogs.templates[axis.stage]
            file, what = self.settings.paths.templates(axis.stage), f"{axis.stage} template"
        else:
            known, file, what = self.catalogs.models, self.settings.paths.models, "model"
            if text == NO_MODEL and axis.follows:
                return None
        if text not in known:
            return place.fault(f"there is no {what} {text!r}.", did_you_mean(text, known, f"Add it to {file}."))
        permission = self.settings.stage_table[axis.stage].permission
        if axis.kind == "model" and not getattr(self.catalogs.models[text], permission):
            cure = f"Choose another model, or set {permission} to true in its row of {file}."
            return place.fault(f"the model {text!r} may not be used for {axis.stage}s.", cure)
        return None

    def _combo_fault(self, combo_id: str, place: Place) -> Fault | None:
        known = self._recorded_combos if combo_id in self._recorded_combos else self._known_combos
        if combo_id in known:
            self.combos[combo_id] = known[combo_id]
            return None
        paths = self.settings.paths
        cure = f"Write its rows into {paths.selected_combos}, or choose concepts with `k_of`."
        return place.fault(f"there is no combo {combo_id!r}.", did_you_mean(combo_id, known, cure))

    @cached_property
    def _recorded_combos(self) -> dict[str, Combo]:
        with gathering(self._faults):
            return load_combos(self.settings, self.catalogs)
        return {}

    @cached_property
    def _active_combos(self) -> list[Combo]:
        return cohort_combos(self.settings, self.catalogs)

    @cached_property
    def _known_combos(self) -> Mapping[str, Combo]:
        """Those on record, and those that the active concepts make; that these are too few is no fault of an id."""
        with gathering([]):
            return {**{combo.combo_id: combo for combo in self._active_combos}, **self._recorded_combos}
        return self._recorded_combos

    def _combos_of(self, choices: ConceptChoices) -> list[str]:
        known = self.catalogs.concepts
        given = choices.concepts
        for level in given or ():
            if level.text not in known:
                cure = did_you_mean(level.text, known, f"Add it to {self.settings.paths.concepts}.")
                self._faults.append(level.place.fault(f"there is no concept {level.text!r}.", cure))
        wanted = {level.text for level in given} if given is not None else None
        # In the order of the catalog, as all combos are that the workflow makes: the same choice is the same combo.
        concepts = [one for one in known.values() if (one.active if wanted is None else one.concept_id in wanted)]
        number = math.comb(len(concepts), choices.k)
        if not 1 <= number <= MOST_COMBOS:
            problem = f"{choices.k} of {len(concepts)} concepts make {number:,} combos."
            cure = f"Choose k and the concepts so that there are 1 to {MOST_COMBOS:,}."
            self._faults.append(choices.place.fault(problem, cure))
            return []
        made = combos_of_concepts(concepts, choices.k, self.settings.description_level)
        self.combos.update((combo.combo_id, combo) for combo in made)
        return [combo.combo_id for combo in made]


def _levels_in(rule: Coupling, axis: str) -> Iterator[Level]:
    """The levels of an axis in the rows of a rule."""
    column = next(index for index, axes in enumerate(rule.columns) if axis in axes)
    seen = set()
    for row in rule.rows:
        text = row.levels[column]
        if text not in seen:
            seen.add(text)
            yield Level(text, row.place)

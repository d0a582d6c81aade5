"""What goes together: the rules of a spec as tables of levels, joined where they share an axis.

Each rule allows some rows of some axes. A cohort has the rows that all rules allow, whatever their order; axes that no
rule is about are tables of one column. What is left are tables that share no axis: their product is the crossing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.nearest_names import did_you_mean
from daydreaming.inputs.cohort_spec.records import CohortSpec, Coupling, CouplingRow, Level, Tie

Levels = Mapping[str, tuple[str, ...]]
TextRow = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows of levels that go together, each row once."""

    axes: tuple[str, ...]
    rows: tuple[TextRow, ...]

    def columns(self, axes: Sequence[str]) -> list[TextRow]:
        """Some of the columns of all rows, in the order of `axes`."""
        positions = [self.axes.index(axis) for axis in axes]
        return [tuple(row[position] for position in positions) for row in self.rows]

    def on(self, axes: Collection[str]) -> Relation:
        """The table of some of its axes alone, each row once."""
        kept = tuple(axis for axis in self.axes if axis in axes)
        return self if kept == self.axes else Relation(kept, tuple(dict.fromkeys(self.columns(kept))))

    def times(self, other: Relation) -> Relation:
        """Each row with each row of another table; where they share axes, with those that agree on them."""
        shared = [axis for axis in self.axes if axis in other.axes]
        added = [axis for axis in other.axes if axis not in self.axes]
        partners: defaultdict[TextRow, list[TextRow]] = defaultdict(list)
        for key, rest in zip(other.columns(shared), other.columns(added), strict=True):
            partners[key].append(rest)
        keys = self.columns(shared)
        rows = ((*row, *rest) for row, key in zip(self.rows, keys, strict=True) for rest in partners.get(key, ()))
        return Relation((*self.axes, *added), tuple(rows))


def relations_of(spec: CohortSpec, levels: Levels) -> list[Relation]:
    """The tables that share no axis, after all rules: subsets, ties, pairs, tuples.

    Raises InputError for rules whose levels do not exist on their axes, and for those that leave nothing.
    """
    faults: list[Fault] = []
    kept = _after_subsets(spec, levels, faults)
    for tie in spec.ties:
        common = _after_tie(tie, kept, faults)
        kept |= dict.fromkeys(tie.axes, common)
    rules = [_tie_relation(tie, kept) for tie in spec.ties]
    # In the order in which they apply, whatever stands first in the file.
    rules += [_coupling_relation(rule, levels, kept, faults) for rule in spec.couplings]
    if faults:
        raise InputError(dict.fromkeys(faults))
    ruled = {axis for rule in rules for axis in rule.axes}
    free = [Relation((axis,), tuple((level,) for level in kept[axis])) for axis in kept if axis not in ruled]
    return joined([*rules, *free], spec)


def joined(relations: Iterable[Relation], spec: CohortSpec) -> list[Relation]:
    """Join tables that share an axis, until none do. Raises InputError where no row is left."""
    groups: list[Relation] = []
    for relation in relations:
        sharing = [group for group in groups if set(group.axes) & set(relation.axes)]
        groups = [group for group in groups if group not in sharing]
        for group in sharing:
            relation = group.times(relation)
            if not relation.rows:
                rules = list(dict.fromkeys(rule for axis in relation.axes for rule in spec.rules_on(axis)))
                problem = f"no row fits all rules on {', '.join(relation.axes)}: {', '.join(rules)}."
                raise InputError(Fault(spec.file, problem, "Let them have levels in common.", key="rules"))
        groups.append(relation)
    order = list(spec.table.axes)
    return sorted(groups, key=lambda group: min(order.index(axis) for axis in group.axes))


def _after_subsets(spec: CohortSpec, levels: Levels, faults: list[Fault]) -> dict[str, tuple[str, ...]]:
    kept = dict(levels)
    for axis, subset in spec.subsets.items():
        keep = {level.text for level in subset.keep}
        faults += [_unknown(level, axis, levels[axis]) for level in subset.keep if level.text not in levels[axis]]
        kept[axis] = tuple(level for level in levels[axis] if level in keep)
    return kept


def _unknown(level: Level, axis: str, known: Sequence[str]) -> Fault:
    cure = did_you_mean(level.text, known, f"Its levels are: {_some(known)}.")
    return level.place.fault(f"{level.text!r} is not a level of {axis}.", cure)


def _after_tie(tie: Tie, kept: Levels, faults: list[Fault]) -> tuple[str, ...]:
    first, *others = (kept[axis] for axis in tie.axes)
    common = tuple(level for level in first if all(level in set(other) for other in others))
    if not common and all(kept[axis] for axis in tie.axes):
        has = "; ".join(f"{axis} has {_some(kept[axis])}" for axis in tie.axes)
        problem = f"the tied axes have no level in common: {has}."
        faults.append(tie.place.fault(problem, "Give them common levels, or use a pair rule."))
    return common


def _tie_relation(tie: Tie, kept: Levels) -> Relation:
    return Relation(tie.axes, tuple((level,) * len(tie.axes) for level in kept[tie.axes[0]]))


def _coupling_relation(rule: Coupling, levels: Levels, kept: Levels, faults: list[Fault]) -> Relation:
    """The rows of a rule whose levels are kept. A level that its axis never had is a fault."""
    had = [set().union(*(levels[axis] for axis in column)) for column in rule.columns]
    keeps = [set(kept[column[0]]).intersection(*(kept[axis] for axis in column)) for column in rule.columns]
    rows: dict[TextRow, None] = {}
    found = len(faults)
    for row in rule.rows:
        if all(level in keep for level, keep in zip(row.levels, keeps, strict=True)):
            rows[row.levels] = None
        else:
            faults += _unknown_levels(rule, row, had, levels)
    if not rows and len(faults) == found:
        problem = f"the {rule.kind} rule {rule.name!r} leaves no level on {', '.join(rule.axes)}."
        faults.append(rule.place.fault(problem, "None of its rows has levels that the subsets and ties keep."))
    if rule.balance:
        faults += _imbalance(rule, rows)
    widths = [len(column) for column in rule.columns]
    wide = (
        tuple(level for level, width in zip(row, widths, strict=True) for _ in range(width)) if max(widths) > 1 else row
        for row in rows
    )
    return Relation(rule.axes, tuple(wide))


def _unknown_levels(rule: Coupling, row: CouplingRow, had: Sequence[set[str]], levels: Levels) -> Iterable[Fault]:
    for level, known, column in zip(row.levels, had, rule.columns, strict=True):
        if level not in known:
            yield _unknown(Level(level, row.place), column[0], levels[column[0]])


def _imbalance(rule: Coupling, rows: Iterable[TextRow]) -> Iterable[Fault]:
    """A fault where the levels of a side have differently many partners."""
    sides = {"left": itemgetter(slice(0, rule.left_columns)), "right": itemgetter(slice(rule.left_columns, None))}
    for side in sides if rule.balance == "both" else [rule.balance or ""]:
        partners = Counter(sides[side](row) for row in rows)
        if len(set(partners.values())) > 1:
            most, least = partners.most_common()[0], partners.most_common()[-1]
            problem = (
                f"the pairs are not balanced on the {side}: {'/'.join(most[0])} has {most[1]} partners, "
                f"{'/'.join(least[0])} has {least[1]}."
            )
            yield rule.place.fault(problem, "Give each level equally many, or take `balance` out.")


def _some(levels: Sequence[str]) -> str:
    """The first of some levels, in words."""
    shown = ", ".join(levels[:5]) or "none"
    return f"{shown} and {len(levels) - 5} more" if len(levels) > 5 else shown

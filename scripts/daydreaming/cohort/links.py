"""Whether the rows of a cohort lead to the rows that they are made from: each to one of its stage's parent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from daydreaming.base.amounts import with_article
from daydreaming.base.errors import Fault
from daydreaming.inputs.records import Generation
from daydreaming.inputs.stages import Stage, StageTable

NumberedRow = tuple[int | None, Generation]
"""A generation and the row (or line) of the file where a user finds it, None where no row stands for it."""

_Key = tuple[str, str]


@dataclass(frozen=True)
class Links:
    """The rows by stage and id, and whether their links to parents hold."""

    by_key: Mapping[_Key, Generation]
    stages: StageTable

    @cached_property
    def _parents(self) -> Mapping[str, str]:
        """The parent of each stage: every row of every start asks for it."""
        return {stage.name: stage.parent for stage in self.stages}

    def faults(self, rows: Sequence[NumberedRow], file: str) -> Iterable[Fault]:
        """Yield what is wrong with the links of rows. `file` is what faults call the place where these come from."""
        in_loop, pairs = self._keys_in_loops(), self.stages.comparing
        for number, generation in rows:
            trouble = self._problem(generation, in_loop)
            if trouble is not None:
                problem, cure = trouble
                yield Fault(file, problem, cure, number, "parent_gen_id")
                continue
            first = self._first_of(generation)
            if generation.combo_id and first is not None and first.combo_id != generation.combo_id:
                who = f"its {first.stage} {first.gen_id!r}"
                problem = f"the combo is {generation.combo_id!r}, but {who} has {first.combo_id!r}."
                cure = f"Leave the cell empty, or write the {first.stage}'s combo."
                yield Fault(file, problem, cure, number, "combo_id")
            second = None
            if generation.second_parent_gen_id or pairs:
                second = self._problem_of_second(generation, first)
            if second is not None:
                yield Fault(file, *second, number, "second_parent_gen_id")

    def _problem(self, generation: Generation, in_loop: set[_Key]) -> tuple[str, str] | None:
        """What is wrong with a row's link to its parent, and the cure."""
        parent_id, parent = generation.parent_gen_id, self._parents[generation.stage]
        if (generation.stage, generation.gen_id) in in_loop:
            problem = f"its parent {parent_id!r} descends from the row itself: a loop."
            return problem, f"{self._parents_in_words()}: correct the cell."
        if not parent:
            problem = f"{with_article(generation.stage)} has no parent, but this one names {parent_id!r}."
            return (problem, "Empty the cell.") if parent_id else None
        if not parent_id:
            return f"this {generation.stage} names no parent.", f"Write the gen_id of its {parent}."
        if (parent, parent_id) in self.by_key:
            return None
        return self._not_its_parent(self.stages[generation.stage], parent_id, "parent")

    def _not_its_parent(self, stage: Stage, parent_id: str, what: str) -> tuple[str, str]:
        actual = next((name for name in self.stages.names if (name, parent_id) in self.by_key), None)
        if actual is None:
            cure = f"Correct the cell, or add the row of that {stage.parent}."
            return f"its {what} {parent_id!r} is not in this table.", cure
        must = f"that of this {stage.name} must be {stage.parent!r}"
        problem = f"its {what} {parent_id!r} is of stage {actual!r}, and {must}."
        return problem, f"Write the gen_id of its {stage.parent}."

    def _problem_of_second(self, generation: Generation, first: Generation | None) -> tuple[str, str] | None:
        """What is wrong with the second text of a comparison, or with the cell of a row that is none."""
        second_id, stage = generation.second_parent_gen_id, self.stages[generation.stage]
        if not stage.takes_pairs:
            problem = f"this {stage.name} is made from one text, but names a second, {second_id!r}."
            return (problem, "Empty the cell.") if second_id else None
        if not second_id:
            return (
                f"this {stage.name} names no second {stage.parent}.",
                f"Write the gen_id of the other {stage.parent}.",
            )
        if second_id == generation.parent_gen_id:
            return f"both texts are {second_id!r}.", f"Write the gen_id of another {stage.parent}."
        other = self.by_key.get((stage.parent, second_id))
        if other is None:
            return self._not_its_parent(stage, second_id, "second parent")
        first_of_other = self._first_of(other)
        if first is not None and first_of_other is not None and first.combo_id != first_of_other.combo_id:
            problem = f"its texts are of two combos, {first.combo_id!r} and {first_of_other.combo_id!r}."
            return problem, "Compare texts of one combo."
        return None

    def _parents_in_words(self) -> str:
        """Which stage has which parent, as in: A draft has no parent, an essay's parent is a draft."""
        parts = []
        for stage in self.stages:
            name, parent = with_article(stage.name), with_article(stage.parent)
            if stage.is_first:
                parts.append(f"{name} has no parent")
            elif any("'s parent is" in part for part in parts):
                parts.append(f"{name}'s {parent}")
            else:
                parts.append(f"{name}'s parent is {parent}")
        words = ", ".join(parts)
        return f"{words[:1].upper()}{words[1:]}"

    def _keys_in_loops(self) -> set[_Key]:
        """The rows that are their own ancestors, when parents are followed by id, whatever their stage."""
        in_loop: set[_Key] = set()
        visited: set[_Key] = set()
        for start in self.by_key:
            trail: dict[_Key, None] = {}
            key: _Key | None = start
            while key is not None and key not in visited:
                visited.add(key)
                trail[key] = None
                key = self._parent_key(self.by_key[key])
            if key in trail:
                members = list(trail)
                in_loop.update(members[members.index(key) :])
        return in_loop

    def _parent_key(self, generation: Generation) -> _Key | None:
        parent_id = generation.parent_gen_id
        if not parent_id:
            return None
        expected = self._parents[generation.stage]
        if expected and (expected, parent_id) in self.by_key:
            return expected, parent_id
        return next(((name, parent_id) for name in self.stages.names if (name, parent_id) in self.by_key), None)

    def _first_of(self, generation: Generation) -> Generation | None:
        """The first of a row's chain, which has its combo."""
        current: Generation | None = generation
        while current is not None and (parent := self._parents[current.stage]):
            current = self.by_key.get((parent, current.parent_gen_id))
        return current

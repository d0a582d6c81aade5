"""What each generation of a source folder is: its row, rebuilt from its record and from the tables that list it.

Parents come first. What cannot be rebuilt without a guess is left out, and so is all that was made from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from daydreaming.base.amounts import with_article
from daydreaming.importing.generations import Key, SourceGeneration, SourceGenerations
from daydreaming.importing.tables_of_cohorts import DESCRIBING, SourceCohort
from daydreaming.inputs.records import Generation
from daydreaming.inputs.stages import DEFAULT_STAGES


class NotRebuiltError(Exception):
    """What a generation is cannot be told."""


class Rows:
    """The rows by stage and gen_id. `left_out` says of each other one why it has none."""

    def __init__(self, generations: SourceGenerations, cohorts: Sequence[SourceCohort], model_ids: Mapping[str, str]):
        """`model_ids` gives the id of a model for the name by which providers know it: some records have that."""
        self.by_key: dict[Key, Generation] = {}
        self.left_out: dict[Key, str] = dict(generations.left_out)
        self._generations = generations.found
        self._described = _descriptions(cohorts)
        self._model_ids = model_ids
        self._children: defaultdict[Key, list[Key]] = defaultdict(list)
        for stage in DEFAULT_STAGES.names:
            keys = {*self._generations, *self._described}
            for key in sorted(key for key in keys if key[0] == stage and key not in self.left_out):
                try:
                    self.by_key[key] = self._row(key)
                except NotRebuiltError as error:
                    self.left_out[key] = str(error)

    def leave_out(self, key: Key, why: str) -> None:
        """Take a generation out, and all that was made from it."""
        self.left_out.setdefault(key, why)
        self.by_key.pop(key, None)
        for child in self._children[key]:
            self.leave_out(child, f"its {key[0]} {key[1]} is left out")

    def _row(self, key: Key) -> Generation:
        stage, gen_id = key
        said = self._said(key)
        if not said.get("template_id"):
            raise NotRebuiltError("nothing says of which template it was made")
        parent = self._parent(key, said) if not DEFAULT_STAGES[stage].is_first else None
        combo_id = said.get("combo_id", "")
        if parent is not None:
            if combo_id not in ("", parent.combo_id):
                raise NotRebuiltError(f"its combo is {combo_id}, that of its {parent.stage} {parent.combo_id}")
            combo_id = parent.combo_id
        elif said.get("parent_gen_id"):
            raise NotRebuiltError(f"it names a parent, {said['parent_gen_id']}, and a draft has none")
        if not combo_id:
            raise NotRebuiltError("nothing says which combo it is of")
        model = said.get("llm_model_id", "")
        if not model and stage == "essay" and parent is not None:
            # There, too, an essay that names no model was written by its draft's.
            model = parent.llm_model_id
        if not model:
            raise NotRebuiltError("nothing says which model wrote it")
        replicate = int(said.get("replicate") or 1)
        if replicate < 1:
            raise NotRebuiltError(f"its replicate is {replicate}")
        parent_id = parent.gen_id if parent else ""
        if parent is not None:
            self._children[parent.stage, parent.gen_id].append(key)
        return Generation(stage, gen_id, "", parent_id, combo_id, said["template_id"], model, replicate)

    def _said(self, key: Key) -> dict[str, str]:
        """What record and tables say of a generation. Raises NotRebuiltError where they contradict each other."""
        generation, said = self._generations.get(key), {}
        recorded = _recorded(generation) if generation else {}
        for name in DESCRIBING:
            values = {place: described[name] for place, described in self._described[key].items() if name in described}
            if recorded.get(name):
                values = {"its metadata.json": recorded[name], **values}
            if name == "llm_model_id":
                values = {place: self._model_ids.get(value, value) for place, value in values.items()}
            if len(set(values.values())) > 1:
                words = ", ".join(f"{place} says {value}" for place, value in values.items())
                raise NotRebuiltError(f"its {name} is not certain: {words}")
            if values:
                said[name] = next(iter(values.values()))
        return said

    def _parent(self, key: Key, said: Mapping[str, str]) -> Generation:
        stage, parent_id = DEFAULT_STAGES[key[0]].parent, said.get("parent_gen_id")
        if not parent_id:
            raise NotRebuiltError(f"nothing says which {stage} it was made from")
        if (stage, parent_id) in self.by_key:
            return self.by_key[stage, parent_id]
        if (stage, parent_id) in self.left_out:
            raise NotRebuiltError(f"its {stage} {parent_id} is left out")
        other = next(
            (name for name in DEFAULT_STAGES.names if (name, parent_id) in {*self._generations, *self._described}), None
        )
        if other:
            raise NotRebuiltError(f"its parent {parent_id} is no {stage} but {with_article(other)}")
        raise NotRebuiltError(f"its {stage} {parent_id} is not in the folder")


def _descriptions(cohorts: Sequence[SourceCohort]) -> defaultdict[Key, dict[str, Mapping[str, str]]]:
    """What the tables say of each generation, by the cohort that says it."""
    described: defaultdict[Key, dict[str, Mapping[str, str]]] = defaultdict(dict)
    for cohort in cohorts:
        for key, values in cohort.rows.items():
            described[key][f"the table of {cohort.cohort_id}"] = values
    return described


def _recorded(generation: SourceGeneration) -> dict[str, str]:
    """What a record says of a generation, in either dialect. A replicate that is not there is the first."""
    record = generation.record
    passed_from = PurePath(record.pass_through_from or "").parent.name
    return {
        "template_id": record.template_id or "",
        "parent_gen_id": record.parent_gen_id or (passed_from if generation.is_copy else ""),
        "combo_id": record.combo_id or "",
        "llm_model_id": record.catalog_model or "",
        "replicate": str(record.replicate) if record.replicate is not None else "",
    }

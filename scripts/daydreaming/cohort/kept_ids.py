"""Ids that are there already: a generation that a table lists keeps the id it has there, whoever gave it that."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TypeAlias

from daydreaming.base.identifiers import generation_id
from daydreaming.inputs.records import Catalogs, Generation

Key: TypeAlias = tuple[str, str]  # stage, gen_id
_Identity: TypeAlias = tuple[str, ...]


class KeptIds:
    """Gives generations the ids under which they are known; those that are not known keep their own.

    Two generations are the same one where stage, template, model, replicate and what they are made from agree. A copy
    is the same one as any other copy of its text by the same template, whatever model and replicate a table says of
    it: its text can be no other. Of several rows that are the same generation the first one counts, after one that has
    the id that it would be given here.
    """

    def __init__(self, known: Iterable[Generation], given: Collection[Key], catalogs: Catalogs):
        """`given` are stage and id of all generations that may be asked for, as they would be named here."""
        self._templates = catalogs.templates
        self._known: dict[_Identity, Generation] = {}
        self._renamed: dict[Key, str] = {}
        # Which texts are compared is chosen by their ids: judgements of two have ids that follow from these.
        rows = [row for row in known if not row.second_parent_gen_id]
        if any((row.stage, row.gen_id) not in given for row in rows):
            for row in sorted(rows, key=lambda row: (row.stage, row.gen_id) not in given):
                self._known.setdefault(self._identity(row), row)

    def kept(self, rows: Iterable[Generation], parent_stage: str) -> list[Generation]:
        """The rows of one stage as they are known, in their order; those of its parent's stage come before them."""
        return [self._kept(row, parent_stage) for row in rows] if self._known else list(rows)

    def _kept(self, row: Generation, parent_stage: str) -> Generation:
        kept, parent_id = row, self._renamed.get((parent_stage, row.parent_gen_id))
        if parent_id is not None:
            gen_id = generation_id(row.stage, row.template_id, row.llm_model_id, parent_id, row.replicate)
            kept = replace(row, gen_id=gen_id, parent_gen_id=parent_id)
        known = self._known.get(self._identity(kept))
        if known is not None:
            kept = replace(known, cohort_id=row.cohort_id)
        if kept.gen_id != row.gen_id:
            self._renamed[row.stage, row.gen_id] = kept.gen_id
        return kept

    def _identity(self, row: Generation) -> _Identity:
        template = self._templates.get(row.stage, {}).get(row.template_id)
        made_from = (row.stage, row.template_id, row.parent_gen_id, row.combo_id)
        if template is not None and template.generator == "copy":
            return made_from
        return (*made_from, row.llm_model_id, str(row.replicate))

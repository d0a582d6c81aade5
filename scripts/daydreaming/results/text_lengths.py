"""How long the texts of a cohort are."""

from __future__ import annotations

from daydreaming.generation.currency import DONE
from daydreaming.generation.inspection import Inspection
from daydreaming.generation.specification import Key
from daydreaming.generation.study import Study
from daydreaming.inputs.records import Generation
from daydreaming.results.written_texts import written_text


class TextLengths:
    """Looks texts up in one look at their cohort, each once: many judgements are of one text."""

    def __init__(self, study: Study, inspection: Inspection):
        self._study = study
        self._inspection = inspection
        self._found: dict[Key, int | None] = {}

    def of(self, text: Generation) -> int | None:
        """The characters of a text; None unless it counts."""
        key = (text.stage, text.gen_id)
        if key not in self._found:
            self._found[key] = self._read(key)
        return self._found[key]

    def _read(self, key: Key) -> int | None:
        if self._inspection.state(key) not in DONE:
            return None
        text = written_text(self._study.files(*key).parsed, self._inspection.found(key).parsed_sha256)
        return None if text is None else len(text)

"""What the report says of single essays: the concepts that they are about, and how they begin."""

from __future__ import annotations

from daydreaming.generation.study import Study
from daydreaming.ledger.metadata import read_metadata
from daydreaming.results.labels import judged_text
from daydreaming.results.written_texts import written_bytes

_EXCERPT_CHARACTERS = 180
# Enough for an excerpt, whatever the characters; an essay can be long.
_EXCERPT_BYTES = 4000


def concept_names(study: Study, combo_id: str) -> tuple[str, ...]:
    """The names of a combo's concepts, in their order."""
    concepts = study.catalogs.concepts
    return tuple(concepts[concept_id].name for concept_id in study.combos[combo_id].concept_ids)


def excerpt(study: Study, gen_id: str) -> str:
    """How an essay begins, on one line; "" if it cannot be read, or is not what was written."""
    text = judged_text(study.membership, gen_id)
    if text is None:
        return ""
    files = study.files(text.stage, gen_id)
    content = written_bytes(files.parsed, read_metadata(files.metadata).metadata.parsed_sha256) or b""
    words = " ".join(content[:_EXCERPT_BYTES].decode("utf-8", errors="replace").split())
    return words if len(words) <= _EXCERPT_CHARACTERS else f"{words[:_EXCERPT_CHARACTERS].rstrip()} ..."

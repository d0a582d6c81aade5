"""What the report says of single essays: the concepts that they are about, and how they begin."""

from __future__ import annotations

from daydreaming.generation.study import Study
from daydreaming.results.labels import judged_text

_EXCERPT_CHARACTERS = 180
# Enough for an excerpt, whatever the characters; an essay can be long.
_EXCERPT_BYTES = 4000


def concept_names(study: Study, combo_id: str) -> tuple[str, ...]:
    """The names of a combo's concepts, in their order."""
    concepts = study.catalogs.concepts
    return tuple(concepts[concept_id].name for concept_id in study.combos[combo_id].concept_ids)


def excerpt(study: Study, gen_id: str) -> str:
    """How an essay begins, on one line; "" if it cannot be read."""
    try:
        text = judged_text(study.membership, gen_id)
        if text is None:
            return ""
        with study.files(text.stage, gen_id).parsed.open("rb") as stream:
            beginning = stream.read(_EXCERPT_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return ""
    words = " ".join(beginning.split())
    return words if len(words) <= _EXCERPT_CHARACTERS else f"{words[:_EXCERPT_CHARACTERS].rstrip()} ..."

"""Why a generation is to be made: what differs between what is asked now and what its record says, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from daydreaming.generation.specification import CallSpecification, Specification
from daydreaming.inputs.templates import template_name
from daydreaming.ledger.metadata import Metadata, MetadataReading

# These words of a fingerprint are names with a digest of what is behind them: `name@digest`.
_WITH_DIGESTS = ("template", "parser", "concepts")
OLD_RECORD = "its record is of an earlier version and does not say which text came out"


def why_out_of_date(
    specification: Specification,
    record: Metadata,
    parent_sha256: str | None,
    further_sha256: Sequence[str | None] | None = None,
) -> str:
    """Say which files and settings are not those that a generation was made from; "" if all are."""
    return "; ".join(_differences(specification, record, parent_sha256, further_sha256 or ()))


def _differences(
    specification: Specification, record: Metadata, parent_sha256: str | None, further_sha256: Sequence[str | None]
) -> Iterator[str]:
    now = specification.row_fingerprint() if record.adopted else specification.fingerprint()
    if record.parsed_sha256 is None:
        yield OLD_RECORD
        return
    yield from fingerprint_changes(specification, record.fingerprint or "", now)
    if specification.parent and record.parent_sha256 != parent_sha256:
        yield f"the text of its parent, {' '.join(specification.parent)}, changed"
    recorded = record.further_sha256 or ()
    for number, (further, digest) in enumerate(zip(specification.further, further_sha256, strict=True)):
        if number >= len(recorded) or recorded[number] != digest:
            yield f"the text of {' '.join(further)}, which it is made from as well, changed"


def fingerprint_changes(specification: Specification, recorded: str, now: str) -> Iterator[str]:
    """Say in words what differs between a specification's fingerprint and the one that was recorded."""
    before, after = _parts(recorded), _parts(now)
    for name in dict.fromkeys([*after, *before]):
        if before.get(name) != after.get(name):
            yield _change(specification, name, before.get(name), after.get(name))


def _change(specification: Specification, name: str, before: str | None, now: str | None) -> str:
    """One difference; where the names are the same, the content behind them changed."""
    if name == "concepts" and before and now and _names(before) == _names(now):
        old = set(before.split())
        concepts = specification.concepts if isinstance(specification, CallSpecification) else ()
        changed = [str(text.path) for text in concepts if f"{text.concept_id}@{text.digest}" not in old]
        return f"{', '.join(changed)} (or the concept's name) changed"
    if name == "template" and before and now and _names(before) == _names(now):
        return f"{template_name(specification.template)} changed"
    if name == "parser" and before and now and _names(before) == _names(now):
        return f"the code of the parser {_without_digests(now)} changed"
    if name == "extra_body":
        return "extra_body changed"
    shown = _without_digests if name in _WITH_DIGESTS else str
    return f"{name} is {shown(now) if now else 'not set'}, was {shown(before) if before else 'not set'}"


def disagreements(specification: Specification, reading: MetadataReading, combo_id: str) -> Iterator[str]:
    """Say where a record of another program disagrees with the row; what it does not say, it does not disagree on.

    `combo_id` is that of the row's chain.
    """
    record = reading.metadata
    is_call, model = isinstance(specification, CallSpecification), ""
    if isinstance(specification, CallSpecification):
        model = specification.model
    pairs = (
        ("stage", record.stage, specification.stage),
        ("gen_id", record.gen_id, specification.gen_id),
        ("template_id", record.template_id, specification.template.template_id),
        ("model", record.model, model),
        ("llm_model_id", record.catalog_model if is_call else None, specification.llm_model_id),
        ("parent_gen_id", record.parent_gen_id, specification.parent_gen_id),
        ("second_parent_gen_id", record.second_parent_gen_id, _second_parent(specification)),
        ("combo_id", record.combo_id, combo_id),
        ("replicate", record.replicate, specification.replicate),
    )
    for name, recorded, expected in pairs:
        if name in reading.not_understood:
            yield f"metadata.json has a {name} of a type that is not understood"
        elif recorded and expected and recorded != expected:
            yield f"metadata.json says {name} {recorded!r}, the membership {expected!r}"
    if specification.definition.makes == "score":
        scale = specification.template.scale
        ends = (("score_min", record.score_min, scale.lowest), ("score_max", record.score_max, scale.highest))
        for name, end, rubrics_end in ends:
            if end is not None and end != rubrics_end:
                yield f"metadata.json says {name} {end:g}, the rubric's is {rubrics_end:g}"
    if is_call and (record.skip_llm or record.mode == "copy"):
        yield "metadata.json says that it is a copy, the template that a model writes it"


def _second_parent(specification: Specification) -> str:
    return specification.further[0][1] if specification.definition.takes_pairs else ""


def _parts(fingerprint: str) -> dict[str, str]:
    """The words of a fingerprint by name."""
    return {name: value for name, _, value in (part.partition(" ") for part in fingerprint.split("; ") if part)}


def _names(words: str) -> list[str]:
    return [word.partition("@")[0] for word in words.split()]


def _without_digests(words: str) -> str:
    return " ".join(_names(words))

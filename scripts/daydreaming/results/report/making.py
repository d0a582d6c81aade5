"""How a cohort's generations were made, from their metadata: when, which models answered, and how many failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from daydreaming.generation.study import Study
from daydreaming.ledger.metadata import Origin, read_metadata


@dataclass(frozen=True, slots=True)
class Making:
    """When the generations of a cohort were made (Unix seconds), and who answered for each model of the catalog.

    `served` has, by `llm_model_id`, the names that providers gave for the models that answered, with the number of
    replies. `failed` counts the generations whose last try failed.
    """

    first_at: float | None
    last_at: float | None
    served: Mapping[str, Counter[str]]
    failed: int
    waiting_ms: Mapping[str, Sequence[float]]  # by llm_model_id, one entry for each text


def read_making(study: Study) -> Making:
    """Read the metadata of all generations of the cohort; what is not made yet, or cannot be read, tells nothing."""
    times: list[float] = []
    served: dict[str, Counter[str]] = {}
    failed = 0
    waiting: dict[str, list[float]] = {}
    for generation in study.membership.generations.values():
        record = read_metadata(study.files(generation.stage, generation.gen_id).metadata)
        if record.origin is Origin.NONE:
            continue
        metadata = record.metadata
        failed += metadata.failed or record.origin is Origin.DAMAGED
        if metadata.finished_at:
            times.append(metadata.finished_at)
        if metadata.llm_ms and metadata.llm_model_id:
            waiting.setdefault(metadata.llm_model_id, []).append(metadata.llm_ms)
        if metadata.served_model and metadata.llm_model_id:
            served.setdefault(metadata.llm_model_id, Counter())[metadata.served_model] += 1
    return Making(min(times, default=None), max(times, default=None), served, failed, waiting)

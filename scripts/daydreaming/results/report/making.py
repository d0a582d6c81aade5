"""How a cohort's generations were made, from their metadata: when, which models answered, and how many failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from daydreaming.base.paths import GenerationFiles
from daydreaming.generation.study import Study


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


def read_making(study: Study) -> Making:
    """Read the metadata of all generations of the cohort; what is not made yet, or cannot be read, tells nothing."""
    times: list[float] = []
    served: dict[str, Counter[str]] = {}
    failed = 0
    for generation in study.membership.generations.values():
        metadata = _metadata(study.files(generation.stage, generation.gen_id))
        if metadata is None:
            continue
        failed += metadata.get("error") != "none"
        if metadata.get("finished_at"):
            times.append(metadata["finished_at"])
        if metadata.get("served_model") and metadata.get("llm_model_id"):
            served.setdefault(metadata["llm_model_id"], Counter())[metadata["served_model"]] += 1
    return Making(min(times, default=None), max(times, default=None), served, failed)


def _metadata(files: GenerationFiles) -> dict[str, Any] | None:
    """What a generation's metadata.json says; {} for a file that nobody can read, None where there is none."""
    try:
        metadata = orjson.loads(files.metadata.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        return {}
    return metadata if isinstance(metadata, dict) else {}

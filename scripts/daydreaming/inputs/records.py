"""The records that the tables hold: concepts, templates, models, combos, and the generations of a cohort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Concept:
    """A row of concepts_metadata.csv."""

    concept_id: str
    name: str
    active: bool


DEFAULT_SCORE_KEY = "score"


class Scale(NamedTuple):
    """The lowest and the highest score of a rubric; from 0 to 10 where it names none."""

    lowest: float = 0.0
    highest: float = 10.0

    def __str__(self) -> str:
        """The scale in words, as `0 to 10`."""
        return f"{self.lowest:g} to {self.highest:g}"


class SettingValue(NamedTuple):
    """The value of a setting, and the place that says it, in words."""

    value: Any
    place: str


@dataclass(frozen=True, slots=True)
class Template:
    """A row of a template catalog. Either `content` (inline text) or `path` (relative to the repository) is set.

    A rubric's scores lie between `score_min` and `score_max`; `score_key` names the score in a reply that is JSON.
    `own_settings` is what its row or the front matter of its text says of requests and replies; `shared_folder` is
    where the texts lie that it may include.
    """

    stage: str
    template_id: str
    generator: str
    parser: str | None
    active: bool
    path: str | None
    content: str | None
    score_min: float = Scale().lowest
    score_max: float = Scale().highest
    score_key: str = DEFAULT_SCORE_KEY
    own_settings: Mapping[str, SettingValue] = field(default_factory=dict, hash=False)
    shared_folder: Path | None = None

    @property
    def scale(self) -> Scale:
        """The scale of a rubric's scores."""
        return Scale(self.score_min, self.score_max)


@dataclass(frozen=True, slots=True)
class Model:
    """A row of llm_models.csv. Prices are US dollars per million tokens, None where the catalog has none."""

    id: str
    model: str
    provider: str
    display_name: str
    for_generation: bool
    for_evaluation: bool
    endpoint: str | None = None
    usd_per_mtok_in: float | None = None
    usd_per_mtok_out: float | None = None


@dataclass(frozen=True, slots=True)
class Combo:
    """An ordered choice of concepts, described at one level."""

    combo_id: str
    version: str
    description_level: str
    k_max: int
    concept_ids: tuple[str, ...]
    created_at: str = ""


@dataclass(frozen=True, slots=True)
class Generation:
    """A row of membership.csv. What is made from combos has no parent.

    A judgement of two texts has the one that it is shown first as its parent, and the other as its second parent.
    `combo_id` and `llm_model_id` are "" where a row has none.
    """

    stage: str
    gen_id: str
    cohort_id: str
    parent_gen_id: str
    combo_id: str
    template_id: str
    llm_model_id: str
    replicate: int = 1
    second_parent_gen_id: str = ""


@dataclass(frozen=True, slots=True)
class Catalogs:
    """All that data/1_raw holds, by id, in the order of the files."""

    concepts: dict[str, Concept]
    templates: dict[str, dict[str, Template]]  # stage -> template_id -> template
    models: dict[str, Model]

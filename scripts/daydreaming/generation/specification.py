"""What decides the result of one generation, as an immutable value that a rule can compare with its last run."""

from __future__ import annotations

import hashlib
import inspect
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson

from daydreaming.inputs.records import Template
from daydreaming.inputs.settings import StageSettings
from daydreaming.parsers import get_parser


@dataclass(frozen=True, slots=True)
class ConceptText:
    """A concept of a draft's combo, where its description is, and a digest of its name and description."""

    concept_id: str
    name: str
    path: Path
    digest: str


@dataclass(frozen=True, slots=True)
class Specification:
    """One generation: its row, its template and parser, its parent or concepts, and how its model is asked.

    `prices` are US dollars per million prompt and completion tokens. Copies have neither model nor sampling.
    """

    stage: str
    gen_id: str
    cohort_id: str
    parent_gen_id: str
    combo_id: str
    llm_model_id: str
    replicate: int
    template: Template
    template_digest: str
    parser: str | None
    parser_digest: str
    parent: tuple[str, str] | None
    concepts: tuple[ConceptText, ...]
    model: str | None
    endpoint: str | None
    answerer: str | None
    sampling: StageSettings | None
    prices: tuple[float | None, float | None]

    @property
    def is_copy(self) -> bool:
        """Whether the parent's text is passed through, without a call."""
        return self.template.generator == "copy"

    def fingerprint(self) -> str:
        """Everything that decides the result except the parent's text, in words that can be compared and read.

        A rule has it as its `params`: when it differs from that of the last run, the generation is made again. The
        texts of template and concepts are in it by digest: Snakemake compares files only with what they were when a
        job ended, and a file may be edited while a job runs. What changes no result is left out (the cohort, the
        endpoint's name and limits, prices).
        """
        parts = {
            "template": f"{self.template.template_id}@{self.template_digest}",
            "generator": self.template.generator,
            "parser": f"{self.parser}@{self.parser_digest}" if self.parser else None,
            "parent": "/".join(self.parent) if self.parent else None,
            "concepts": " ".join(f"{text.concept_id}@{text.digest}" for text in self.concepts) or None,
            "model": self.model and f"{self.model} at {self.answerer}",
            **(sampling_words(self.sampling) if self.sampling else {}),
            "replicate": str(self.replicate),
        }
        return "; ".join(f"{name} {value}" for name, value in parts.items() if value is not None)


def sampling_words(sampling: StageSettings) -> dict[str, str | None]:
    """The settings of a stage as short words; bodies by digest, for they may hold whole grammars."""
    body = orjson.dumps(dict(sampling.extra_body), option=orjson.OPT_SORT_KEYS)
    numbers = {name: getattr(sampling, name) for name in ("temperature", "max_tokens", "min_lines", "seed")}
    words = {name: None if value is None else str(value).removesuffix(".0") for name, value in numbers.items()}
    return {**words, "extra_body": text_digest(body) if sampling.extra_body else None}


def text_digest(content: bytes) -> str:
    """A short name of a text's content: 12 hexadecimal characters of its SHA-256."""
    return hashlib.sha256(content).hexdigest()[:12]


@cache
def parser_digest(stage: str, name: str | None) -> str:
    """A digest of the code of a parser's module: changed code parses again (stored replies, without a call)."""
    if stage == "essay":
        return ""
    source = inspect.getsourcefile(inspect.unwrap(get_parser(stage, name)))
    return text_digest(Path(source).read_bytes())

"""What decides the result of one generation, as an immutable value that can be compared with how it was last made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import ClassVar, TypeAlias

import orjson

import daydreaming.parsers
from daydreaming.inputs.records import DEFAULT_SCORE_KEY, Scale, SettingValue, Template
from daydreaming.inputs.setting_models import StageSettings
from daydreaming.inputs.stages import Stage
from daydreaming.ledger import finish

Key: TypeAlias = tuple[str, str]  # stage and gen_id


@dataclass(frozen=True, slots=True)
class ConceptText:
    """A concept of a draft's combo, where its description is, and a digest of its name and description."""

    concept_id: str
    name: str
    path: Path
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What every generation has: its row in the membership, its template, and what its stage is.

    `further` are the texts besides its parent's that it is made from: of a comparison the second one, and those that
    its stage sees.
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
    parent: Key | None
    definition: Stage
    further: tuple[Key, ...] = ()

    @property
    def key(self) -> Key:
        """Stage and gen_id."""
        return (self.stage, self.gen_id)

    @property
    def sources(self) -> tuple[Key, ...]:
        """The generations whose texts it is made from, in the order in which its prompt is given them."""
        return (self.parent, *self.further) if self.parent else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSpecification(_Row):
    """A generation that a model writes: from its parent's text or its concepts, how it is asked, how it is read.

    `prices` are US dollars per million prompt and completion tokens, None where the catalog has none. `context_length`
    is how many tokens prompt and reply may have together. `settings` says where each setting comes from.
    """

    is_copy: ClassVar[bool] = False
    parser: str | None
    parser_digest: str
    concepts: tuple[ConceptText, ...]
    model: str
    endpoint: str
    answerer: str
    sampling: StageSettings
    prices: tuple[float | None, float | None]
    output_limit_parameter: str = "max_tokens"
    finish_reasons: Mapping[str, str] = field(default_factory=dict)
    context_length: int | None = None
    settings: Mapping[str, SettingValue] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """Everything that decides the result except the parent's text, in words that can be compared and read.

        The texts of template and concepts are in it by digest. What changes no result is left out (the cohort, the
        endpoint's name and limits, prices, `context_length`).
        """
        return (
            f"{_source(self, self.parent, self.concepts)}; parser {self._parser_words()}; "
            f"model {self.model} at {self.answerer}{sampling_words(self.sampling)}{self._dialect_words()}; "
            f"replicate {self.replicate}"
        )

    def _parser_words(self) -> str:
        words, key = f"{self.parser or 'identity'}@{self.parser_digest}", self.template.score_key
        return words if key == DEFAULT_SCORE_KEY else f"{words}; score_key {key}"

    def _dialect_words(self) -> str:
        """How a server's dialect is spoken. What is as it always was is not named: it makes nothing again."""
        words = "" if self.output_limit_parameter == "max_tokens" else f"; limit sent as {self.output_limit_parameter}"
        reasons = " ".join(f"{word}={self.finish_reasons[word]}" for word in sorted(self.finish_reasons))
        return f"{words}; finish_reasons {reasons}" if reasons else words

    def row_fingerprint(self) -> str:
        """What an adopted generation must agree with: its row and the texts behind it, not how a model is asked."""
        return f"{_source(self, self.parent, self.concepts)}; model {self.model}; replicate {self.replicate}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySpecification(_Row):
    """A text that is its parent's, passed through without a call."""

    is_copy: ClassVar[bool] = True
    parent: Key

    def fingerprint(self) -> str:
        """Everything that decides the result except the parent's text, in words that can be compared and read."""
        return f"{_source(self, self.parent, ())}; replicate {self.replicate}"

    def row_fingerprint(self) -> str:
        """What an adopted generation must agree with."""
        return self.fingerprint()


Specification: TypeAlias = CallSpecification | CopySpecification


def _source(row: _Row, parent: Key | None, concepts: tuple[ConceptText, ...]) -> str:
    template = row.template
    words = f"template {template.template_id}@{row.template_digest}; generator {template.generator}"
    words += scale_words(template.scale)
    if parent:
        words += f"; parent {parent[0]}/{parent[1]}"
    if row.further:
        words += "; further " + " ".join("/".join(one) for one in row.further)
    if concepts:
        words += "; concepts " + " ".join(f"{text.concept_id}@{text.digest}" for text in concepts)
    return words


@lru_cache(maxsize=1024)
def scale_words(scale: Scale) -> str:
    """The ends of a rubric's scale that are not the usual ones: so what is on the usual scale stays as it is."""
    named = zip(("score_min", "score_max"), scale, Scale(), strict=True)
    return "".join(f"; {name} {_number_word(end)}" for name, end, usual in named if end != usual)


def sampling_words(sampling: StageSettings) -> str:
    """The settings of a stage as short words; bodies by digest, for they may hold whole grammars."""
    words = _number_words(sampling.temperature, sampling.max_tokens, sampling.min_lines, sampling.seed)
    if not sampling.extra_body:
        return words
    return f"{words}; extra_body {text_digest(orjson.dumps(dict(sampling.extra_body), option=orjson.OPT_SORT_KEYS))}"


@lru_cache(maxsize=1024)
def _number_words(*numbers: float | None) -> str:
    named = zip(("temperature", "max_tokens", "min_lines", "seed"), numbers, strict=True)
    return "".join(f"; {name} {_number_word(value)}" for name, value in named if value is not None)


def _number_word(number: float) -> str:
    return str(number).removesuffix(".0")


@lru_cache(maxsize=1024)
def text_digest(content: bytes) -> str:
    """A short name of a text's content: 16 hexadecimal characters of its SHA-256."""
    return hashlib.sha256(content).hexdigest()[:16]


@cache
def parser_digest() -> str:
    """A digest of the code that reads replies: changed code reads them again (stored ones, without a call)."""
    files = [
        *Path(daydreaming.parsers.__path__[0]).glob("*.py"),
        Path(__file__).with_name("judging.py"),
        Path(finish.__file__),
    ]
    return text_digest(b"\0".join(file.read_bytes() for file in sorted(files)))

"""From a specification to its prompt and its request, for the runner that pays and the plan that does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from daydreaming.base.errors import FailureKind, GenerationError, InputError
from daydreaming.base.unchanged_files import UnchangedFiles
from daydreaming.generation.specification import CallSpecification, ConceptText, Specification, text_digest
from daydreaming.inputs.concepts import read_description
from daydreaming.inputs.records import Template
from daydreaming.inputs.templates import CompiledTemplate, compile_template, load_template_text, render, template_name
from daydreaming.ledger.model_request import ModelRequest


@dataclass(frozen=True, slots=True)
class SourceTexts:
    """The texts that a generation is made from besides its parent's, and its specification with their digests.

    A template or a description may have been edited since the specification was made: what counts is what is rendered.
    """

    specification: Specification
    template: str
    concepts: tuple[str, ...] = ()


def concept_digest(name: str, description: str) -> str:
    """A digest of what a template sees of a concept."""
    return text_digest(f"{name}\n{description}".encode(errors="surrogatepass"))


def template_digest(text: str) -> str:
    """A digest of a template's text."""
    return text_digest(text.encode(errors="surrogatepass"))


class Prompter:
    """Renders prompts. Thread-safe; reads and compiles each template once for as long as it is the same."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], CompiledTemplate] = {}
        self._templates: UnchangedFiles[tuple[str, str]] = UnchangedFiles()
        self._descriptions: UnchangedFiles[str] = UnchangedFiles()

    def sources(self, specification: Specification) -> SourceTexts:
        """Read what a generation is made from, as it is now.

        Raises GenerationError (template) for a template or a concept whose text cannot be read.
        """
        template, digest = self._template(specification.template)
        now = specification
        if digest != specification.template_digest:
            now = replace(now, template_digest=digest)
        if not isinstance(now, CallSpecification) or not now.concepts:
            return SourceTexts(now, template)
        found = [self._concept(concept) for concept in now.concepts]
        concepts = tuple(
            replace(concept, digest=digest) for concept, (_, digest) in zip(now.concepts, found, strict=True)
        )
        if concepts != now.concepts:
            now = replace(now, concepts=concepts)
        return SourceTexts(now, template, tuple(text for text, _ in found))

    def prompt(self, sources: SourceTexts, parent_text: str | None) -> str:
        """Return the prompt of a generation. `parent_text` is the parent's parsed text, None for a draft.

        Raises GenerationError (template) for a template that does not compile or render.
        """
        key = (template_name(sources.specification.template), sources.template)
        if key not in self._compiled:
            self._compiled[key] = compile_template(sources.template, key[0])
        return render(self._compiled[key], _values(sources, parent_text))

    def _template(self, template: Template) -> tuple[str, str]:
        """The text of a template and its digest."""
        if template.content is not None:
            return template.content, template_digest(template.content)
        return self._templates.content(template.path or "", partial(_with_digest, template))

    def _concept(self, concept: ConceptText) -> tuple[str, str]:
        """The description of a concept, and the digest of what a template sees of the concept."""
        try:
            text = self._descriptions.content(concept.path, partial(read_description, concept.path, concept.concept_id))
        except InputError as error:
            raise GenerationError(FailureKind.TEMPLATE, str(error)) from error
        return text, concept_digest(concept.name, text)


def _with_digest(template: Template) -> tuple[str, str]:
    text = load_template_text(template)
    return text, template_digest(text)


def _values(sources: SourceTexts, parent_text: str | None) -> dict[str, object]:
    """What a template of this stage can use."""
    specification = sources.specification
    if specification.stage == "essay":
        return {"links_block": parent_text, "draft_block": parent_text}
    if specification.stage == "evaluation":
        return {"response": parent_text}
    concepts = specification.concepts if isinstance(specification, CallSpecification) else ()
    return {
        "concepts": [
            {"concept_id": concept.concept_id, "name": concept.name, "content": content}
            for concept, content in zip(concepts, sources.concepts, strict=True)
        ]
    }


def model_request(specification: CallSpecification, prompt: str, attempt: int) -> ModelRequest:
    """Return the request that a generation sends; `attempt` is 0 for the first, 1 for the first fresh attempt."""
    sampling = specification.sampling
    # A seed repeats an answer: replicates and fresh attempts are meant to be other samples.
    seed = None if sampling.seed is None else sampling.seed + 1000 * attempt + specification.replicate - 1
    return ModelRequest(
        answerer=specification.answerer,
        model=specification.model,
        messages=({"role": "user", "content": prompt},),
        temperature=sampling.temperature,
        max_tokens=sampling.max_tokens,
        seed=seed,
        extra_body=sampling.extra_body,
        replicate=specification.replicate,
        attempt=attempt,
        output_limit_parameter=specification.output_limit_parameter,
    )

"""From a specification to its prompt and its request, for the runner that pays and the plan that does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from daydreaming.base.errors import FailureKind, GenerationError, InputError
from daydreaming.base.unchanged_files import UnchangedFiles
from daydreaming.generation.specification import CallSpecification, ConceptText, Specification, text_digest
from daydreaming.inputs.concepts import read_description
from daydreaming.inputs.prompts import CompiledPrompt, Prompt, compile_prompt, messages_of, render_prompt
from daydreaming.inputs.records import Template
from daydreaming.inputs.template_sources import TemplateSource, read_source, with_shared_texts
from daydreaming.ledger.model_request import BYTES_PER_TOKEN, ModelRequest


@dataclass(frozen=True, slots=True)
class SourceTexts:
    """The texts that a generation is made from besides its parent's, and its specification with their digests.

    A template or a description may have been edited since the specification was made: what counts is what is rendered.
    """

    specification: Specification
    template: TemplateSource
    concepts: tuple[str, ...] = ()


def concept_digest(name: str, description: str) -> str:
    """A digest of what a template sees of a concept."""
    return text_digest(f"{name}\n{description}".encode(errors="surrogatepass"))


class Prompter:
    """Renders prompts. Thread-safe; reads and compiles each template once for as long as it is the same."""

    def __init__(self) -> None:
        self._compiled: dict[TemplateSource, CompiledPrompt] = {}
        self._templates: UnchangedFiles[tuple[TemplateSource, str]] = UnchangedFiles()
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

    def prompt(self, sources: SourceTexts, texts: Sequence[str]) -> Prompt:
        """Return the prompt of a generation. `texts` are its parent's parsed text, if it has one, and the further ones.

        Raises GenerationError (template) for a template that does not compile or render.
        """
        source = sources.template
        if source not in self._compiled:
            self._compiled[source] = compile_prompt(source)
        return render_prompt(self._compiled[source], _values(sources, texts))

    def _template(self, template: Template) -> tuple[TemplateSource, str]:
        """What a template is rendered from, and the digest of that."""
        read = partial(_with_digest, template)
        source, digest = read() if template.path is None else self._templates.content(template.path, read)
        # Shared texts may change while the template's own stays the same.
        whole = with_shared_texts(source, template.shared_folder)
        return (source, digest) if whole is source else (whole, whole.digest)

    def _concept(self, concept: ConceptText) -> tuple[str, str]:
        """The description of a concept, and the digest of what a template sees of the concept."""
        try:
            text = self._descriptions.content(concept.path, partial(read_description, concept.path, concept.concept_id))
        except InputError as error:
            raise GenerationError(FailureKind.TEMPLATE, str(error)) from error
        return text, concept_digest(concept.name, text)


def _with_digest(template: Template) -> tuple[TemplateSource, str]:
    source = read_source(template)
    return source, source.digest


def _values(sources: SourceTexts, texts: Sequence[str]) -> dict[str, object]:
    """What a template of this stage can use."""
    specification = sources.specification
    stage = specification.definition
    if stage.takes_pairs:
        return dict(zip(stage.parent_names, texts, strict=True))
    if not stage.is_first:
        values = dict.fromkeys(stage.parent_names, texts[0])
        return {**values, **dict(zip(stage.names_of_seen, texts[1:], strict=True))}
    concepts = specification.concepts if isinstance(specification, CallSpecification) else ()
    return {
        "concepts": [
            {"concept_id": concept.concept_id, "name": concept.name, "content": content}
            for concept, content in zip(concepts, sources.concepts, strict=True)
        ]
    }


def check_it_fits(request: ModelRequest, context_length: int | None) -> None:
    """Raise GenerationError (too_long) for a request whose prompt and reply cannot have room in a model's context.

    The prompt's tokens are estimated from its bytes, as the limits of tokens per minute do.
    """
    if context_length is None:
        return
    prompt, reply = request.expected_prompt_tokens, request.output_limit or 0
    if prompt + reply > context_length:
        raise GenerationError(
            FailureKind.TOO_LONG,
            f"The prompt has about {prompt:,} tokens ({request.prompt_bytes:,} bytes, {BYTES_PER_TOKEN} to a token) "
            f"and its reply may have {reply:,} (max_tokens): more than the model's context_length of "
            f"{context_length:,}. It was not called. Shorten the prompt, lower max_tokens, or take another model.",
        )


def model_request(specification: CallSpecification, prompt: str, attempt: int) -> ModelRequest:
    """Return the request that a generation sends; `attempt` is 0 for the first, 1 for the first fresh attempt."""
    sampling = specification.sampling
    # A seed repeats an answer: replicates and fresh attempts are meant to be other samples.
    seed = None if sampling.seed is None else sampling.seed + 1000 * attempt + specification.replicate - 1
    return ModelRequest(
        answerer=specification.answerer,
        model=specification.model,
        messages=messages_of(prompt),
        temperature=sampling.temperature,
        max_tokens=sampling.max_tokens,
        seed=seed,
        extra_body=sampling.extra_body,
        replicate=specification.replicate,
        attempt=attempt,
        output_limit_parameter=specification.output_limit_parameter,
    )

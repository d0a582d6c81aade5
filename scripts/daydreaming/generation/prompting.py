"""From a specification to its prompt and its request, for the runner that pays and the plan that does not."""

from __future__ import annotations

from functools import partial
from typing import Any

from daydreaming.base.errors import FailureKind, GenerationError, InputError
from daydreaming.base.unchanged_files import UnchangedFiles
from daydreaming.generation.specification import ConceptText, Specification
from daydreaming.inputs.concepts import read_description
from daydreaming.inputs.records import Template
from daydreaming.inputs.templates import CompiledTemplate, compile_template, load_template_text, render, template_name
from daydreaming.ledger.model_request import ModelRequest


class Prompter:
    """Renders prompts. Thread-safe; reads and compiles each template once for as long as it is the same."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], CompiledTemplate] = {}
        self._texts: UnchangedFiles[str] = UnchangedFiles()

    def template_text(self, template: Template) -> str:
        """Return the text of a template; raises as `load_template_text` does."""
        if template.content is not None:
            return template.content
        return self._texts.content(template.path, partial(load_template_text, template))

    def prompt(self, specification: Specification, template_text: str, parent_text: str | None) -> str:
        """Return the prompt of a generation. `parent_text` is the parent's parsed text, None for a draft.

        Raises GenerationError (template) for a template that does not compile or render, and a concept without a text.
        """
        key = (template_name(specification.template), template_text)
        if key not in self._compiled:
            self._compiled[key] = compile_template(template_text, key[0])
        return render(self._compiled[key], self._values(specification, parent_text))

    def _values(self, specification: Specification, parent_text: str | None) -> dict[str, Any]:
        """What a template of this stage can use."""
        if specification.stage == "draft":
            return {"concepts": [self._concept(text) for text in specification.concepts]}
        if specification.stage == "essay":
            return {"links_block": parent_text, "draft_block": parent_text}
        return {"response": parent_text}

    def _concept(self, text: ConceptText) -> dict[str, str]:
        try:
            content = self._texts.content(text.path, partial(read_description, text.path, text.concept_id))
        except InputError as error:
            raise GenerationError(FailureKind.TEMPLATE, str(error)) from error
        return {"concept_id": text.concept_id, "name": text.name, "content": content}


def model_request(specification: Specification, prompt: str, attempt: int) -> ModelRequest:
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
    )

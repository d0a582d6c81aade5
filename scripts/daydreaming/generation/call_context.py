"""For what a generation's call is made, as the client, the store and the batches are told."""

from __future__ import annotations

from daydreaming.generation.specification import CallSpecification, Specification
from daydreaming.llm.call_account import CallContext


def context_of(specification: CallSpecification) -> CallContext:
    """For which generation its call is made, where, and at which prices."""
    return CallContext(
        stage=specification.stage,
        gen_id=specification.gen_id,
        cohort_id=specification.cohort_id,
        endpoint=specification.endpoint,
        template_id=specification.template.template_id,
        llm_model_id=specification.llm_model_id,
        prices=specification.prices,
        is_of_judge=specification.definition.judges,
    )


def answered_together(specification: Specification) -> tuple[str, str, str]:
    """Stage, template and model: generations whose answers count together when they are all useless."""
    return specification.stage, specification.template.template_id, specification.llm_model_id

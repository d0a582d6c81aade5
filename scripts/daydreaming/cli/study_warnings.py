"""What hardly anyone wants of a run: calls that only repeat an answer, inputs that nothing uses, keys not set."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from daydreaming.base.amounts import counted
from daydreaming.base.paths import STAGES
from daydreaming.inputs.records import Catalogs, Combo, Generation
from daydreaming.inputs.resolved_settings import endpoint_of, resolved_settings
from daydreaming.inputs.settings import Endpoint, Settings

_LISTED = 5


def study_warnings(
    settings: Settings, catalogs: Catalogs, combos: Iterable[Combo], generations: Iterable[Generation]
) -> Iterator[str]:
    """Yield a sentence for each doubt. Without `generations`, what new cohorts would be made of is looked at."""
    asked = _asked(catalogs, generations) or _would_be_asked(settings, catalogs)
    yield from _missing_keys(settings, catalogs, asked)
    yield from _equal_replicates(settings, catalogs, asked)
    if settings.paths.selected_combos.is_file():
        yield from _unused_concepts(settings, catalogs, combos)


def _asked(catalogs: Catalogs, generations: Iterable[Generation]) -> Counter[tuple[str, str, bool]]:
    """How many calls there are for each stage and model, those of first samples and those of further ones apart."""
    return Counter(
        (row.stage, row.llm_model_id, row.replicate > 1)
        for row in generations
        if catalogs.templates[row.stage][row.template_id].generator == "llm"
    )


def _would_be_asked(settings: Settings, catalogs: Catalogs) -> Counter[tuple[str, str, bool]]:
    """The same for a cohort that was not built yet, without the numbers of calls: 0."""
    asked: Counter[tuple[str, str, bool]] = Counter()
    for stage in STAGES:
        if not any(one.active and one.generator == "llm" for one in catalogs.templates[stage].values()):
            continue
        for model in catalogs.models.values():
            if model.for_evaluation if stage == "evaluation" else model.for_generation:
                asked[stage, model.id, False] = 0
                if settings.replicates.get(stage, 1) > 1:
                    asked[stage, model.id, True] = 0
    return asked


def _missing_keys(settings: Settings, catalogs: Catalogs, asked: Mapping[tuple[str, str, bool], int]) -> Iterator[str]:
    if settings.offline:
        return
    for name in dict.fromkeys(endpoint_of(settings, catalogs.models[model_id]) for _, model_id, _ in asked):
        missing = [variable for variable in _variables(settings.endpoints[name]) if not os.environ.get(variable)]
        for variable in missing:
            yield f"The environment variable {variable} is not set: calls to the endpoint {name!r} would fail."


def _variables(endpoint: Endpoint) -> list[str]:
    """The names of the environment variables that calls to an endpoint need."""
    if endpoint.kind != "openai":
        return []
    values = [*endpoint.default_query.values(), *endpoint.headers.values()]
    named = [value.removeprefix("$") for value in values if value.startswith("$")]
    return list(dict.fromkeys([*([endpoint.api_key_env] if endpoint.api_key_env else []), *named]))


def _equal_replicates(
    settings: Settings, catalogs: Catalogs, asked: Mapping[tuple[str, str, bool], int]
) -> Iterator[str]:
    for (stage, model_id, further), calls in asked.items():
        if not further:
            continue
        sampling = resolved_settings(settings, stage, catalogs.models[model_id]).sampling
        if "seed" in sampling.extra_body:
            why = "a seed in extra_body (a `seed` of the stage would be another one for each)"
        elif sampling.temperature == 0 and sampling.seed is None:
            why = "temperature 0 and no seed"
        else:
            continue
        number = f": {counted(calls, 'call')} that may only repeat an answer" if calls else ""
        yield f"The replicates of the stage {stage} by {model_id!r} are the same request, with {why}{number}."


def _unused_concepts(settings: Settings, catalogs: Catalogs, combos: Iterable[Combo]) -> Iterator[str]:
    used = {concept_id for combo in combos for concept_id in combo.concept_ids}
    unused = [one.concept_id for one in catalogs.concepts.values() if one.active and one.concept_id not in used]
    if unused:
        more = f" and {len(unused) - _LISTED:,} more" if len(unused) > _LISTED else ""
        names = f"{', '.join(unused[:_LISTED])}{more}"
        what = f"{counted(len(unused), 'active concept')} in no combo of {settings.paths.selected_combos}: {names}."
        yield f"{what} Add rows there, or delete that file: then the combos are all choices of active concepts."

"""What hardly anyone wants of a run: calls that only repeat an answer, unused inputs, missing keys and servers."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from daydreaming.base.amounts import counted
from daydreaming.inputs.records import Catalogs, Combo, Generation
from daydreaming.inputs.resolved_settings import endpoint_of, resolved_settings
from daydreaming.inputs.settings import Settings

_LISTED = 5


def study_warnings(
    settings: Settings, catalogs: Catalogs, combos: Iterable[Combo], generations: Iterable[Generation]
) -> Iterator[str]:
    """Yield a sentence for each doubt. Without `generations`, what new cohorts would be made of is looked at."""
    asked = _asked(catalogs, generations) or _would_be_asked(settings, catalogs)
    yield from _not_callable(settings, catalogs, asked)
    yield from _equal_replicates(settings, catalogs, asked)
    if settings.paths.selected_combos.is_file():
        yield from _unused_concepts(settings, catalogs, combos)


class _Asked(NamedTuple):
    """What is asked alike: a template of a stage, a model, and whether the sample is a further one."""

    stage: str
    template_id: str
    model_id: str
    further: bool


def _asked(catalogs: Catalogs, generations: Iterable[Generation]) -> Counter[_Asked]:
    """How many calls there are of each kind."""
    return Counter(
        _Asked(row.stage, row.template_id, row.llm_model_id, row.replicate > 1)
        for row in generations
        if catalogs.templates[row.stage][row.template_id].generator == "llm"
    )


def _would_be_asked(settings: Settings, catalogs: Catalogs) -> Counter[_Asked]:
    """The same for a cohort that was not built yet, without the numbers of calls: 0."""
    asked: Counter[_Asked] = Counter()
    for stage in settings.stage_table:
        templates = [
            one.template_id for one in catalogs.templates[stage.name].values() if one.active and one.generator == "llm"
        ]
        for model in catalogs.models.values():
            if getattr(model, stage.permission):
                further = (False, True) if settings.replicates.get(stage.name, 1) > 1 else (False,)
                asked.update({_Asked(stage.name, one, model.id, more): 0 for one in templates for more in further})
    return asked


def _not_callable(settings: Settings, catalogs: Catalogs, asked: Mapping[_Asked, int]) -> Iterator[str]:
    if settings.offline:
        return
    for name in dict.fromkeys(endpoint_of(settings, catalogs.models[one.model_id]) for one in asked):
        endpoint = settings.endpoints[name]
        for variable in (one for one in endpoint.variables if not os.environ.get(one)):
            yield f"The environment variable {variable} is not set: calls to the endpoint {name!r} would fail."
        if endpoint.command and shutil.which(endpoint.command[0]) is None:
            yield (
                f"There is no program {endpoint.command[0]!r} here: calls to the endpoint {name!r} would fail. "
                f"Install it, or give its path in config.yaml (endpoints.{name}.start)."
            )


def _equal_replicates(settings: Settings, catalogs: Catalogs, asked: Mapping[_Asked, int]) -> Iterator[str]:
    repeated: Counter[tuple[str, str, str]] = Counter()
    for one, calls in asked.items():
        if one.further and (why := _why_equal(settings, catalogs, one)):
            repeated[one.stage, one.model_id, why] += calls
    for (stage, model_id, why), calls in repeated.items():
        number = f": {counted(calls, 'call')} that may only repeat an answer" if calls else ""
        yield f"The replicates of the stage {stage} by {model_id!r} are the same request, with {why}{number}."


def _why_equal(settings: Settings, catalogs: Catalogs, one: _Asked) -> str:
    """Why the samples of one kind are the same request; "" where they are not."""
    template = catalogs.templates[one.stage][one.template_id]
    sampling = resolved_settings(settings, one.stage, catalogs.models[one.model_id], template).sampling
    if "seed" in sampling.extra_body:
        return "a seed in extra_body (a `seed` of the stage would be another one for each)"
    return "temperature 0 and no seed" if sampling.temperature == 0 and sampling.seed is None else ""


def _unused_concepts(settings: Settings, catalogs: Catalogs, combos: Iterable[Combo]) -> Iterator[str]:
    used = {concept_id for combo in combos for concept_id in combo.concept_ids}
    unused = [one.concept_id for one in catalogs.concepts.values() if one.active and one.concept_id not in used]
    if unused:
        more = f" and {len(unused) - _LISTED:,} more" if len(unused) > _LISTED else ""
        names = f"{', '.join(unused[:_LISTED])}{more}"
        what = f"{counted(len(unused), 'active concept')} in no combo of {settings.paths.selected_combos}: {names}."
        yield f"{what} Add rows there, or delete that file: then the combos are all choices of active concepts."

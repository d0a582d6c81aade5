"""Settings that do not fit the models: what a request says twice, each server reads as it likes; models unknown."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator

from daydreaming.base.errors import Fault
from daydreaming.inputs.records import Model, Template
from daydreaming.inputs.resolved_settings import ResolvedSettings, endpoint_of, resolved_settings
from daydreaming.inputs.settings import Settings

# What a request says by itself; another value in the body would make an answer to something else, or several.
_OURS = {"model": None, "messages": None, "stream": False, "n": 1}
_SAME_IN_A_BODY = (
    ("temperature", "temperature"),
    ("seed", "seed"),
    ("max_tokens", "max_tokens"),
    ("max_tokens", "max_completion_tokens"),
)
_SAID_IN_A_BODY = {ours for ours, _ in _SAME_IN_A_BODY}


def conflict_faults(settings: Settings, models: Iterable[Model], templates: Iterable[Template]) -> list[Fault]:
    """Return a Fault of config.yaml for each setting that an `extra_body` says again, where a model is asked."""
    # Most templates say nothing of their requests: one look at the stage is enough for all of them.
    special = [one for one in templates if one.generator == "llm" and _SAID_IN_A_BODY & one.own_settings.keys()]
    faults: list[Fault] = []
    for model in models:
        # That a model names an endpoint that there is not is a fault of the catalog already.
        if endpoint_of(settings, model) not in settings.endpoints:
            continue
        for stage in (one.name for one in settings.stage_table if getattr(model, one.permission)):
            faults.extend(_conflicts(resolved_settings(settings, stage, model), f"a {stage} by {model.id!r}"))
            for template in special:
                if template.stage == stage:
                    who = f"a {stage} of {template.template_id!r} by {model.id!r}"
                    faults.extend(_conflicts(resolved_settings(settings, stage, model, template), who))
    # What an endpoint says is told once, whoever is asked there.
    return list({fault.key: fault for fault in reversed(faults)}.values())[::-1]


def _conflicts(resolved: ResolvedSettings, who: str) -> Iterator[Fault]:
    sampling = resolved.sampling
    ours_again = {name for name in _OURS & sampling.extra_body.keys() if sampling.extra_body[name] != _OURS[name]}
    for name in sorted(ours_again):
        problem = f"the extra_body of {who} has {name!r}, which is not to be set there."
        yield Fault("config.yaml", problem, "Take it out.", key=resolved.place(f"extra_body.{name}"))
    for ours, theirs in _SAME_IN_A_BODY:
        if getattr(sampling, ours) is not None and theirs in sampling.extra_body:
            problem = f"{who} has both {ours} (from {resolved.place(ours)}) and, in its extra_body, {theirs}."
            cure = f"Take one of them out, or set {ours} to null; extra_body may also stand in `stages`."
            yield Fault("config.yaml", problem, cure, key=resolved.place(f"extra_body.{theirs}"))


def unknown_model_faults(settings: Settings, model_ids: Collection[str]) -> Iterator[Fault]:
    """Yield a Fault of config.yaml for each model with settings that llm_models.csv does not have."""
    for model_id in settings.models:
        if model_ids and model_id not in model_ids:
            close = difflib.get_close_matches(model_id, model_ids, n=1, cutoff=0.0)
            problem = f"there is no model {model_id!r} in {settings.paths.models}."
            cure = f"Did you mean {close[0]!r}? Else take it out."
            yield Fault("config.yaml", problem, cure, key=f"models.{model_id}")

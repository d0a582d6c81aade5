"""Settings that do not fit the models: what a request says twice, each server reads as it likes; models unknown."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator

from daydreaming.base.errors import Fault
from daydreaming.inputs.records import Model
from daydreaming.inputs.settings import Settings

# What a request says by itself; another value in the body would make an answer to something else, or several.
_OURS = {"model": None, "messages": None, "stream": False, "n": 1}
_SAME_IN_A_BODY = (
    ("temperature", "temperature"),
    ("seed", "seed"),
    ("max_tokens", "max_tokens"),
    ("max_tokens", "max_completion_tokens"),
)


def conflict_faults(settings: Settings, models: Iterable[Model]) -> Iterator[Fault]:
    """Yield a Fault of config.yaml for each setting that an `extra_body` says again, where a model is asked."""
    asked = dict.fromkeys(
        (stage, model.endpoint or settings.default_endpoint)
        for model in models
        for stage in (*(("draft", "essay") if model.for_generation else ()), *_judged(model))
    )
    # That a model names an endpoint that there is not is a fault of the catalog already.
    for stage, endpoint in (pair for pair in asked if pair[1] in settings.endpoints):
        sampling = settings.stage(stage, endpoint)
        place, who = f"endpoints.{endpoint}.stages.{stage}.extra_body", f"a {stage} at {endpoint!r}"
        ours_again = {name for name in _OURS & sampling.extra_body.keys() if sampling.extra_body[name] != _OURS[name]}
        for name in sorted(ours_again):
            problem = f"the extra_body of {who} has {name!r}, which is not to be set there."
            yield Fault("config.yaml", problem, "Take it out.", key=f"{place}.{name}")
        for ours, theirs in _SAME_IN_A_BODY:
            if getattr(sampling, ours) is not None and theirs in sampling.extra_body:
                problem = f"{who} has both {ours} and, in its extra_body, {theirs}."
                cure = f"Take one of them out, or set {ours} to null; extra_body may also stand in `stages`."
                yield Fault("config.yaml", problem, cure, key=f"{place}.{theirs}")


def _judged(model: Model) -> tuple[str, ...]:
    return ("evaluation",) if model.for_evaluation else ()


def unknown_model_faults(settings: Settings, model_ids: Collection[str]) -> Iterator[Fault]:
    """Yield a Fault of config.yaml for each model with settings that llm_models.csv does not have."""
    for model_id in settings.models:
        if model_ids and model_id not in model_ids:
            close = difflib.get_close_matches(model_id, model_ids, n=1, cutoff=0.0)
            problem = f"there is no model {model_id!r} in {settings.paths.models}."
            cure = f"Did you mean {close[0]!r}? Else take it out."
            yield Fault("config.yaml", problem, cure, key=f"models.{model_id}")

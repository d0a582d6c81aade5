"""The settings of a study as they go into a bundle and as they come out of one that nobody trusts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daydreaming.base.errors import Fault, InputError
from daydreaming.bundle.manifest import DATA
from daydreaming.bundle.secret_search import check_bodies
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.inputs.settings import Settings

# Where things are on one machine, and what only calls need.
_OF_MACHINE = {"data_root", "limits_dir", "template_folders", "slice", "full_dag", "offline"}
_OF_CALLS = ("name", "api_key_env", "headers", "default_query")
_NOTICE = """\
# Written by open_bundle.py, from settings that came in a bundle. Calls are off: what they would reach or run is a
# stranger's. To go on with the study, look at each `base_url` and at each `start`, which is a command that the first
# call runs; name the variable of your key (`api_key_env`), and set offline to false.
"""


def bundled_configuration(settings: Settings, cohort_id: str) -> str:
    """The settings as config.yaml would say them, without keys, headers and places of this machine.

    Raises InputError where something that may be a key stands in a place that cannot be left out (`extra_body`).
    """
    config = settings.model_dump(mode="json", exclude_unset=True, exclude=_OF_MACHINE)
    for endpoint in config["endpoints"].values():
        for name in _OF_CALLS:
            endpoint.pop(name, None)
    for stage in config.get("stages", {}).values():
        if stage is not None:
            stage.pop("name", None)
    check_bodies(config, "config.yaml")
    return _yaml(config | {"cohort": cohort_id})


def opened_configuration(content: str, cohort_id: str) -> str:
    """The config.yaml of an opened folder: what a bundle says, but for what reaches or reads anything else.

    Raises InputError for settings that have a fault.
    """
    import yaml

    place, cure = "config.yaml of the bundle", "Get it again."
    try:
        config = yaml.safe_load(content)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(Fault(place, f"it cannot be read: {' '.join(str(error).split())}.", cure)) from None
    if not isinstance(config, Mapping):
        raise InputError(Fault(place, "it holds no settings.", cure))
    kept = {name: value for name, value in config.items() if name not in _OF_MACHINE}
    if isinstance(endpoints := kept.get("endpoints"), Mapping):
        kept["endpoints"] = {name: _without_calls(endpoint) for name, endpoint in endpoints.items()}
    kept |= {"cohort": cohort_id, "data_root": DATA, "offline": True}
    settings_from_config(kept, place)
    return _NOTICE + _yaml(kept)


def commands_of(content: str) -> list[str]:
    """The commands that the settings of an opened folder would run if calls were made: `start` of each endpoint."""
    import yaml

    settings = settings_from_config(yaml.safe_load(content))
    return [endpoint.start for endpoint in settings.endpoints.values() if endpoint.start]


def _without_calls(endpoint: Any) -> Any:
    if not isinstance(endpoint, Mapping):
        return endpoint
    # The workflow's defaults would name a key for an endpoint of the same name: null takes it away.
    return {name: value for name, value in endpoint.items() if name not in _OF_CALLS} | {"api_key_env": None}


def _yaml(config: Mapping[str, Any]) -> str:
    import yaml

    # In their order: that of the stages says something.
    return yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True, width=120)

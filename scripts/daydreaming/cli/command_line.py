"""The options that every script shares: which project folder, which configuration."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daydreaming.base.atomic import write_bytes
from daydreaming.base.errors import Fault, InputError

if TYPE_CHECKING:
    from daydreaming.inputs.settings import Settings

PROJECT = Path(__file__).resolve().parents[3]


def add_project_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--directory`, `--configfile` and `--config`, which mean what they mean to Snakemake."""
    parser.add_argument(
        "--directory", type=Path, default=PROJECT, metavar="DIR", help="the project folder (default: %(default)s)"
    )
    parser.add_argument(
        "--configfile",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="read after config.yaml, the last one wins",
    )
    parser.add_argument(
        "--config",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="set configuration keys; they win",
    )
    parser.add_argument(
        "--configuration",
        type=Path,
        metavar="FILE",
        help="the whole configuration, as the workflow hands it on; nothing else is read",
    )


def load_project(arguments: argparse.Namespace) -> Settings:
    """Go to the project folder and read its configuration.

    Raises InputError when a configuration file is missing, is not YAML, or has a fault.
    """
    from daydreaming.inputs.configuration import merge, settings_from_config

    extra = [path.resolve() for path in arguments.configfile]
    if not arguments.directory.is_dir():
        raise InputError(Fault(str(arguments.directory), "there is no such folder.", "Give the project folder."))
    os.chdir(arguments.directory)
    if arguments.configuration is not None:
        return settings_from_config(_read_configuration(arguments.configuration))
    default = Path("config.yaml") if Path("config.yaml").is_file() else PROJECT / "config.yaml"
    config: dict[str, Any] = {}
    for path in [default, *extra]:
        config = merge(config, _read_yaml(path))
    return settings_from_config(merge(config, _given(arguments.config)))


def write_configuration(config: Mapping[str, Any], folder: Path) -> Path:
    """Write a whole configuration to a file that is named by its content, if it is not there; return the file."""
    path = configuration_file(config, folder)
    if not path.exists():
        write_bytes(path, _configuration_bytes(config))
    return path


def configuration_file(config: Mapping[str, Any], folder: Path) -> Path:
    """Return the file that `write_configuration` writes."""
    return folder / f"{hashlib.sha256(_configuration_bytes(config)).hexdigest()}.json"


def _configuration_bytes(config: Mapping[str, Any]) -> bytes:
    return json.dumps(config, sort_keys=True, default=str).encode()


def _read_configuration(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != path.stem:
        raise InputError(Fault(str(path), "its content does not agree with its name.", "Run the workflow again."))
    return json.loads(content)


def _read_yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(Fault(str(path), f"it cannot be read: {error}.", "Correct the file or its name.")) from error
    if content is not None and not isinstance(content, dict):
        raise InputError(Fault(str(path), "it holds no settings.", "Write `key: value` lines."))
    return content or {}


def _given(pairs: list[str]) -> dict[str, Any]:
    import yaml

    given = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator:
            raise InputError(
                Fault("--config", f"{pair!r} is not KEY=VALUE.", "Write it as in `--config offline=true`.")
            )
        try:
            given[key] = yaml.safe_load(value) if value else None
        except yaml.YAMLError as error:
            raise InputError(Fault("--config", f"{pair!r} cannot be read: {error}.", "Write YAML.")) from error
    return given

"""What every script shares: its options for project and configuration, and the frame that its errors end in."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daydreaming.base import atomic
from daydreaming.base.errors import Fault, GenerationError, InputError

if TYPE_CHECKING:
    # Settings cost 0.2 s to import, which `--help` need not wait for.
    from daydreaming.inputs.settings import Settings

PROJECT = Path(__file__).resolve().parents[3]
CLOSED_PIPE = 141  # 128 and SIGPIPE, as a shell reports a program that a closed pipe ended
INTERRUPTED = 130  # 128 and SIGINT


def run(parser: argparse.ArgumentParser, work: Callable[[argparse.Namespace], int], argv: list[str] | None) -> int:
    """Read a script's arguments, do its work, and return its exit code.

    What goes wrong is told on standard error in the user's words: exit code 1 for faults, failed generations and files
    that cannot be read or written, 141 for a reader that went away (`| head`), 130 for Ctrl-C.
    """
    arguments = parser.parse_args(argv)
    try:
        code = work(arguments)
        sys.stdout.flush()
        return code
    except (InputError, GenerationError) as error:
        return _told(str(error))
    except BrokenPipeError:
        _forget_standard_output()
        return CLOSED_PIPE
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _told(f"{place}cannot be read or written ({error.strerror or error}). Correct the path, or make room.")
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        return _told(f"This should not happen: {_reason(error)}. Please report it.")


def _told(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


def _reason(error: Exception) -> str:
    """The kind of an error and the line that it comes from; its text may hold what is nobody's business."""
    step = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(step.filename).name}, line {step.lineno}"


def _forget_standard_output() -> None:
    """Let the interpreter, which writes what is left when it ends, write it to nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def add_project_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--directory`, `--configfile`, `--config`, which mean what they mean to Snakemake, and `--configuration`."""
    parser.add_argument(
        "--directory",
        type=Path,
        default=default_project(),
        metavar="DIR",
        help="the project folder (default: %(default)s)",
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
        help="a whole configuration as the workflow hands it on, in place of config.yaml",
    )


def fraction(text: str) -> float:
    """The value of an option that is a share, from 0 to 1. Raises ArgumentTypeError, or ValueError for no number."""
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return share


def default_project() -> Path:
    """The project of a script that is told of none: the clone that it lies in, else the current folder."""
    return PROJECT if (PROJECT / "Snakefile").is_file() else Path()


def load_project(arguments: argparse.Namespace) -> Settings:
    """Go to the project folder and read its configuration.

    Raises InputError when a configuration file is missing, is not YAML, or has a fault.
    """
    from daydreaming.inputs.configuration import merge, settings_from_config

    extra = [path.resolve() for path in arguments.configfile]
    whole = arguments.configuration.resolve() if arguments.configuration else None
    if whole and extra:
        cure = "Give one of them."
        raise InputError(Fault("--configuration", "it is all of a configuration, and --configfile adds to it.", cure))
    if not arguments.directory.is_dir():
        raise InputError(Fault(str(arguments.directory), "there is no such folder.", "Give the project folder."))
    os.chdir(arguments.directory)
    if whole:
        return settings_from_config(merge(_handed_on(whole), _given(arguments.config)), source="the configuration")
    default = Path("config.yaml") if Path("config.yaml").is_file() else PROJECT / "config.yaml"
    # Installed without the clone there is no such file; the defaults of the settings are the same.
    config: dict[str, Any] = {}
    for path in [*([default] if default.is_file() else []), *extra]:
        config = merge(config, _read_yaml(path))
    return settings_from_config(merge(config, _given(arguments.config)))


def write_configuration(config: Mapping[str, Any], folder: Path) -> Path:
    """Write a whole configuration to `<SHA-256 of the file>.json` in a folder, unless it is there, and return its path.

    `load_project` reads it by `--configuration`, and nothing else: so a process that is started for one generation
    has the configuration of its run, whatever was edited since. The file holds no key: settings name variables.
    Raises InputError for a faulty configuration, OSError when the file cannot be written.
    """
    from daydreaming.inputs.configuration import settings_from_config

    settings_from_config(config)
    path, content = configuration_file(config, folder), _configuration_bytes(config)
    if not (path.is_file() and path.read_bytes() == content):
        atomic.write_bytes(path, content)
    return path


def configuration_file(config: Mapping[str, Any], folder: Path) -> Path:
    """Return the file that `write_configuration` writes; nothing is written."""
    return folder / f"{hashlib.sha256(_configuration_bytes(config)).hexdigest()}.json"


def _configuration_bytes(config: Mapping[str, Any]) -> bytes:
    """The content of such a file. Keys are sorted, for Snakemake merges in one order or another; those of `stages` are
    not: theirs is the order of the stages.
    """
    import orjson

    stages = config.get("stages")
    options = orjson.OPT_NON_STR_KEYS
    sorted_keys: dict[str, Any] = orjson.loads(orjson.dumps(dict(config), str, options | orjson.OPT_SORT_KEYS))
    if isinstance(stages, Mapping):
        sorted_keys["stages"] = {str(name): sorted_keys["stages"][str(name)] for name in stages}
    return orjson.dumps(sorted_keys)


def _handed_on(path: Path) -> dict[str, Any]:
    """What `write_configuration` wrote; an InputError for any other file."""
    import orjson

    cure = "Run the workflow again: it writes this file."
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(Fault(str(path), f"it cannot be read ({error.strerror}).", cure)) from None
    if hashlib.sha256(content).hexdigest() != path.stem:
        raise InputError(Fault(str(path), "its content is not the one that its name is the digest of.", cure))
    try:
        config = orjson.loads(content)
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise InputError(Fault(str(path), "it holds no settings.", cure))
    return config


def _read_yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        problem = "it is nested too deep" if isinstance(error, RecursionError) else f"it cannot be read: {error}"
        raise InputError(Fault(str(path), f"{problem}.", "Correct the file or its name.")) from error
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
        except (ValueError, RecursionError, yaml.YAMLError) as error:
            raise InputError(Fault("--config", f"{pair!r} cannot be read: {error}.", "Write YAML.")) from error
    return given

"""What a cohort was made from and by: the digests of its inputs, versions, the commit of the workflow."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from daydreaming.generation.study import Study
from daydreaming.inputs.stages import COMBOS, DEFAULT_STAGES, Stage

_PACKAGES = ("daydreaming", "snakemake", "openai", "numpy", "pandas", "scipy", "mixedlm", "altair", "vl-convert-python")


@dataclass(frozen=True, slots=True)
class Origin:
    """`files` has the inputs with the SHA-256 of their bytes, `commit` is "" where the workflow is under no git."""

    commit: str
    versions: Sequence[tuple[str, str]]
    settings: Sequence[tuple[str, str]]
    files: Sequence[tuple[Path, str]]


def read_origin(study: Study) -> Origin:
    """Gather where the cohort comes from. Raises OSError if an input cannot be read."""
    return Origin(
        commit_of_workflow(), _versions(), _settings(study), [(path, _digest(path)) for path in _files(study)]
    )


def commit_of_workflow() -> str:
    """The commit that the workflow's folder is at, and whether files differ from it."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""


def _versions() -> list[tuple[str, str]]:
    found = [("Python", platform.python_version())]
    for package in _PACKAGES:
        try:
            found.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            continue
    return found


def _settings(study: Study) -> list[tuple[str, str]]:
    """What of the settings decides texts; nothing that could hold a secret."""
    settings = study.settings
    stages = [
        (f"stages.{name}.{key}", str(value))
        for name, stage in settings.stages.items()
        for key in ("temperature", "max_tokens", "min_lines")
        if (value := getattr(stage, key, None)) is not None
    ]
    # What the usual stages are, needs no word.
    shapes = [
        (f"stages.{one.name}", _shape(one))
        for one in settings.stage_table
        if one.name not in DEFAULT_STAGES or one != DEFAULT_STAGES[one.name]
    ]
    replicates = [(f"replicates.{stage}", str(number)) for stage, number in settings.replicates.items()]
    levels = [("description_level", settings.description_level), ("k_max", str(settings.k_max))]
    return [*levels, ("default_endpoint", settings.default_endpoint), *replicates, *shapes, *stages]


def _shape(stage: Stage) -> str:
    """What a stage makes, and from what."""
    sees = f", sees {', '.join(stage.sees)}" if stage.sees else ""
    return f"{stage.makes} from {stage.parent or COMBOS}{sees}"


def _files(study: Study) -> list[Path]:
    """The files behind the cohort: its table, the catalogs, the templates and the concepts' texts that it uses."""
    paths, used = study.paths, study.membership.generations.values()
    catalogs = [paths.concepts, *(paths.templates(stage) for stage in study.catalogs.templates), paths.models]
    templates = dict.fromkeys(study.catalogs.templates[one.stage][one.template_id] for one in used)
    combos = [study.combos[combo_id] for combo_id in dict.fromkeys(one.combo_id for one in used) if combo_id]
    texts = [paths.concept_text(combo.description_level, concept) for combo in combos for concept in combo.concept_ids]
    files = [
        study.cohort_files.membership,
        *catalogs,
        paths.combos,
        *(Path(template.path) for template in templates if template.path),
        *sorted(set(texts)),
    ]
    return [path for path in files if path.is_file()]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

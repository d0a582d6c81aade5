"""What goes into a bundle: which files of a study, and under which names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from daydreaming.base.errors import Fault, GenerationError, InputError
from daydreaming.base.paths import DESCRIPTION_LEVELS
from daydreaming.bundle.manifest import DATA, WORKFLOW, Scope
from daydreaming.bundle.places import TEXT_SUFFIXES, place_of
from daydreaming.generation.inspection import Inspection
from daydreaming.generation.prompting import Prompter, model_request
from daydreaming.generation.specification import CallSpecification, Key
from daydreaming.generation.study import Study
from daydreaming.inputs.records import Template
from daydreaming.ledger.reply_room import receipt_path
from daydreaming.results.made_results import Result, read_made
from daydreaming.results.outdated_results import ResultsCheck, result_files

_OF_WORKFLOW = ("Snakefile", "rules", "pyproject.toml", "requirements.lock", "LICENSE", "CITATION.cff")
_OF_SCOPE = {
    Scope.ALL: (Result.SCORES, Result.STATISTICS, Result.REPORT, Result.PAGES),
    Scope.WITHOUT_PROMPTS: (Result.SCORES, Result.STATISTICS, Result.REPORT),
    Scope.ONLY_SCORES: (Result.SCORES, Result.STATISTICS),
}


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file of a study and its name in the bundle."""

    name: str
    path: Path


def input_files(study: Study, scope: Scope) -> list[PackedFile]:
    """The files that say what is made: tables, templates, descriptions, spec, membership; the journal of the calls.

    Raises InputError for a template that lies where no other machine would have it.
    """
    paths, files = study.paths, study.cohort_files
    tables = [paths.models, files.membership, files.manifest]
    if scope is not Scope.ONLY_SCORES:
        tables += [paths.concepts, paths.selected_combos, paths.combos, paths.selected_essays, paths.human_scores]
        tables += [files.journal, files.spec, *_spec_files(files.spec_folder)]
    if scope is Scope.ALL:
        tables += [paths.templates(stage) for stage in study.membership.stages.names]
        tables += [
            paths.concept_text(level, concept) for concept in study.catalogs.concepts for level in DESCRIPTION_LEVELS
        ]
        tables += _template_texts(study)
    there = sorted({path for path in tables if path.is_file()})
    return [PackedFile(_name(study, path), path) for path in there]


def result_files_of(study: Study, inspection: Inspection, scope: Scope) -> list[PackedFile]:
    """The tables and pages of a cohort. Raises InputError where one is not there, or is not what the texts say now."""
    check, files = ResultsCheck(study, inspection), study.cohort_files
    found: set[Path] = set()
    compares = any(study.membership.stage(stage.name) for stage in study.membership.stages.comparing)
    for result in (*_OF_SCOPE[scope], *([Result.PREFERENCES] if compares else [])):
        made = read_made(study, result)
        first = result_files(files, result)[0]
        if made is None or check.current(result) is None:
            problem = "is not what the texts say now." if first.exists() else "does not exist."
            raise InputError(Fault(str(first), problem, "Make it first: `snakemake -j8 report`."))
        found |= {files.folder / name for name in made.files}
    if scope is not Scope.ONLY_SCORES and files.failures.is_file():
        found.add(files.failures)
    return [PackedFile(_name(study, path), path) for path in sorted(found)]


def workflow_files(project: Path) -> list[PackedFile]:
    """What says which workflow it was: its rules, the lock of its packages, its licence. Nothing of it is run."""
    there = [project / name for name in _OF_WORKFLOW]
    found = [path for one in there for path in (sorted(one.glob("*.smk")) if one.is_dir() else [one]) if path.is_file()]
    return [PackedFile(f"{WORKFLOW}/{path.relative_to(project).as_posix()}", path) for path in found]


def generation_files(study: Study, key: Key, scope: Scope) -> list[PackedFile]:
    """The files of a generation that are there: prompt, raw text, parsed text, record."""
    files = study.files(*key)
    paths = [files.raw, files.parsed, files.metadata]
    if scope is Scope.ALL:
        paths.insert(0, files.prompt)
    return [PackedFile(_name(study, path), path) for path in paths if path.is_file()]


def reply_files(study: Study, request_sha256: str) -> Iterator[PackedFile]:
    """The stored reply to a request and its receipts, also from the archive, with the names that they have at home."""
    home = study.paths.reply(request_sha256)
    number = count(1)
    for reply in (home, study.paths.archived(home)):
        if reply.is_file():
            yield PackedFile(_name(study, home), reply)
            break
    for reply in (home, study.paths.archived(home)):
        for of_place in count(1):
            path = receipt_path(reply, of_place)
            if not path.is_file():
                break
            yield PackedFile(_name(study, receipt_path(home, next(number))), path)


def requests_of(study: Study, inspection: Inspection, key: Key, prompter: Prompter) -> list[str]:
    """The requests of a generation that were answered: that of its record, and those of the attempts before it."""
    record, specification = inspection.found(key).record.metadata, study.specification(*key)
    if record.request_sha256 is None:
        return []
    earlier: list[str] = []
    if record.attempts > 1 and isinstance(specification, CallSpecification):
        try:
            texts = [study.files(*key).parsed.read_bytes().decode("utf-8") for key in specification.sources]
            prompt = prompter.prompt(prompter.sources(specification), texts)
            earlier = [model_request(specification, prompt, attempt).sha256 for attempt in range(record.attempts - 1)]
        except (GenerationError, OSError, UnicodeDecodeError):
            earlier = []  # what is not asked now any more had other requests
    return list(dict.fromkeys([*earlier, record.request_sha256]))


def _spec_files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.suffix in TEXT_SUFFIXES)


def _template_texts(study: Study) -> Iterator[Path]:
    for stage in study.membership.stages.names:
        for template in study.catalogs.templates[stage].values():
            yield from _texts_of(study, template)


def _texts_of(study: Study, template: Template) -> list[Path]:
    try:
        return [Path(text) for text in study.texts_of(template)]
    except GenerationError:
        return []  # one that nobody uses, or it would have been said before


def _name(study: Study, path: Path) -> str:
    """The name of a file in the bundle: below `data`, wherever the data root is; else as it lies in the project."""
    root = study.paths.root
    if path.is_relative_to(root):
        name = f"{DATA}/{path.relative_to(root).as_posix()}"
    else:
        name = Path(os.path.relpath(path)).as_posix() if not path.is_absolute() else path.as_posix()
    if place_of(name, study.membership.cohort_id) is None:
        problem = "it lies where a bundle cannot bring it on another machine."
        raise InputError(Fault(str(path), problem, "Move it below data/1_raw, as a .txt file, and name it there."))
    return name

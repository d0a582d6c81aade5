"""Packing a cohort into one file, with all that it takes to make its results again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from daydreaming.base import atomic
from daydreaming.base.errors import Fault, InputError
from daydreaming.bundle.configuration import bundled_configuration
from daydreaming.bundle.contents import (
    PackedFile,
    generation_files,
    input_files,
    reply_files,
    requests_of,
    result_files_of,
    workflow_files,
)
from daydreaming.bundle.crate import crate_metadata, result_folders
from daydreaming.bundle.guide import guide_text
from daydreaming.bundle.manifest import (
    CONFIGURATION,
    CRATE,
    FORMAT,
    GENERATIONS,
    GUIDE,
    MANIFEST,
    Manifest,
    Scope,
)
from daydreaming.bundle.pieces import Composer, StoredFile, Text
from daydreaming.bundle.records_without_prompts import record_without_prompt
from daydreaming.bundle.secret_search import SecretSearch
from daydreaming.bundle.zip_writing import ZipWriter
from daydreaming.generation.inspection import Inspection
from daydreaming.generation.prompting import Prompter
from daydreaming.generation.specification import Key
from daydreaming.generation.study import Study
from daydreaming.results.report.origin import read_origin
from daydreaming.results.score_table import ScoreRow, scores_text


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was packed: how many generations and files, and the bytes before and after."""

    path: Path
    generations: int
    files: int
    bytes_before: int
    bytes_after: int


@dataclass(frozen=True)
class _Packer:
    """One pass over a study."""

    study: Study
    inspection: Inspection
    scope: Scope
    secrets: SecretSearch

    def content(self, file: PackedFile, *, is_setting: bool = False) -> bytes:
        content = file.path.read_bytes()
        self.secrets.check(file.name, content, is_setting=is_setting)
        return content

    def generations(self) -> Iterator[StoredFile]:
        """The files of all generations and their replies, parents first, each text once."""
        composer, prompter = Composer(), Prompter()
        texts: dict[Key, Text] = {}  # those of which others may be made
        replies: set[str] = set()
        for key in self.study.membership.generations:
            sources = self.study.specification(*key).sources
            shared = [texts[source] for source in sources if source in texts]
            named: dict[str, Text] = {}
            for file in generation_files(self.study, key, self.scope):
                content, kind = self.content(file), file.path.name
                if kind == "metadata.json" and self.scope is not Scope.ALL:
                    content = record_without_prompt(content)
                inside = named.get("raw.txt") if kind == "parsed.txt" else None
                yield (stored := composer.store(file.name, content, shared, inside=inside))
                if stored.base64 is None:
                    named[kind] = Text(stored.sha256, content.decode("utf-8"))
                if kind == "parsed.txt":
                    self._check_unchanged(key, file, stored.sha256)
            if not self.study.membership.stages[key[0]].judges and "parsed.txt" in named:
                texts[key] = named["parsed.txt"]
            if self.scope is Scope.ALL:
                of_reply = [named[kind] for kind in ("prompt.txt", "raw.txt") if kind in named] + shared
                for request in requests_of(self.study, self.inspection, key, prompter):
                    if request not in replies:
                        replies.add(request)
                        for file in reply_files(self.study, request):
                            yield composer.store(file.name, self.content(file), of_reply)

    def _check_unchanged(self, key: Key, file: PackedFile, sha256: str) -> None:
        if self.inspection.found(key).parsed_sha256 != sha256:
            raise InputError(
                Fault(str(file.path), "it changed while it was packed.", "Bundle again when nothing runs.")
            )

    def made(self) -> tuple[float, float] | None:
        """When the first of the generations was begun and the last one done (Unix seconds)."""
        records = [self.inspection.found(key).record.metadata for key in self.study.membership.generations]
        begun = [record.started_at for record in records if record.started_at]
        done = [record.finished_at for record in records if record.finished_at]
        return (min(begun), max(done)) if begun and done else None


def write_bundle(
    study: Study,
    inspection: Inspection,
    rows: list[ScoreRow],
    path: Path,
    *,
    project: Path,
    environment: Mapping[str, str],
    scope: Scope = Scope.ALL,
) -> Bundle:
    """Pack a cohort whose results are all of now; the same study gives the same bytes.

    `rows` are its scores, `project` the folder of the workflow, `environment` the variables whose secrets must not be
    in it. Raises InputError for results that are not of now, templates that lie where no bundle can bring them, and
    secrets in what would be packed; OSError when the disk refuses. The file is then as it was.
    """
    packer = _Packer(study, inspection, scope, SecretSearch(study.settings, environment))
    inputs = input_files(study, scope)
    results = result_files_of(study, inspection, scope)
    of_workflow = workflow_files(project)
    configuration = bundled_configuration(study.settings, study.membership.cohort_id).encode()
    packer.secrets.check(CONFIGURATION, configuration, is_setting=True)
    digests: dict[str, str] = {}
    files = before = 0
    with atomic.replacing(path) as temporary:
        with ZipWriter(temporary) as bundle:

            def add(name: str, content: bytes) -> None:
                nonlocal files, before
                bundle.add(name, content)
                digests[name] = hashlib.sha256(content).hexdigest()
                files, before = files + 1, before + len(content)

            add(CONFIGURATION, configuration)
            for file in inputs:
                add(file.name, packer.content(file, is_setting=file.path.suffix != ".txt"))
            for file in of_workflow:
                add(file.name, packer.content(file))
            lines = 0
            if scope is not Scope.ONLY_SCORES:
                with bundle.stream(GENERATIONS) as stream:
                    for stored in packer.generations():
                        stream.write(msgspec.json.encode(stored) + b"\n")
                        lines += 1
            for file in results:
                content = packer.content(file)
                if scope is Scope.ONLY_SCORES and file.path == study.cohort_files.scores:
                    content = atomic.encoded(scores_text(_without_messages(rows)))
                add(file.name, content)
            manifest = _manifest(study, scope, digests, inputs, results, lines)
            for folder in result_folders(manifest):
                bundle.add_folder(folder)
            add(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=1) + b"\n")
            add(GUIDE, guide_text(manifest).encode())
            add(CRATE, crate_metadata(manifest, packer.made(), [file.name for file in of_workflow]))
        size = temporary.stat().st_size
    return Bundle(path, len(study.membership.generations), files + lines, before, size)


def _manifest(
    study: Study,
    scope: Scope,
    digests: Mapping[str, str],
    inputs: list[PackedFile],
    results: list[PackedFile],
    lines: int,
) -> Manifest:
    origin = read_origin(study)
    return Manifest(
        format=FORMAT,
        cohort=study.membership.cohort_id,
        scope=scope,
        commit=origin.commit,
        software=dict(origin.versions),
        inputs={file.name: digests[file.name] for file in inputs},
        results={file.name: digests[file.name] for file in results},
        generations=lines,
    )


def _without_messages(rows: list[ScoreRow]) -> list[ScoreRow]:
    """The scores without what may quote a text."""
    return [replace(row, error_message="") for row in rows]

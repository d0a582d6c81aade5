"""A cohort whose results are all made, its bundle, and what a stranger may have made of a bundle."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import msgspec
from export_fixtures import loaded

from daydreaming.bundle.manifest import GENERATIONS, MANIFEST, Scope
from daydreaming.bundle.packing import Bundle, write_bundle
from daydreaming.generation.inspection import inspect_cohort
from daydreaming.generation.study import Study
from daydreaming.results.cohort_statistics import write_statistics
from daydreaming.results.made_results import Result, record_made, record_scores, source_digest
from daydreaming.results.outdated_results import scores_of_now
from daydreaming.results.pages.folder import write_reading_pages
from daydreaming.results.pivots import build_pivot, write_pivot
from daydreaming.results.report.page import write_report
from daydreaming.results.report.plots import plot_files
from daydreaming.results.score_table import write_scores
from daydreaming.results.scores import collect_scores
from studies import Study as Folder
from studies.study import PROJECT


def make_results(study: Study) -> None:
    """Make all that `snakemake` makes of a cohort's texts; the study's folder must be the current one."""
    inspection = inspect_cohort(study)
    rows = collect_scores(study, inspection)
    write_scores(study.cohort_files.scores, rows)
    write_pivot(build_pivot(rows), study.cohort_files.reports)
    record_scores(study, source_digest(study, inspection), rows)
    now = scores_of_now(study)
    record_made(study, Result.STATISTICS, now.source, write_statistics(study, rows, inspection))
    report = write_report(study, rows, inspection)
    record_made(study, Result.REPORT, now.source, [report, *plot_files(study.cohort_files.plots)])
    record_made(study, Result.PAGES, now.source, write_reading_pages(study, rows, 1, inspection).files)


def bundled(
    folder: Folder, path: Path, scope: Scope = Scope.ALL, environment: Mapping[str, str] | None = None
) -> Bundle:
    """Pack the cohort as it is on the disk now; its folder must be the current one."""
    study = loaded(folder)
    now = scores_of_now(study)
    return write_bundle(
        study, now.inspection, list(now.rows), path, project=PROJECT, environment=environment or {}, scope=scope
    )


def contents(bundle: Path) -> dict[str, bytes]:
    """The files of a bundle, by name."""
    with ZipFile(bundle) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def altered(bundle: Path, target: Path, changes: Mapping[str, bytes | None]) -> Path:
    """A bundle with other content of these files, or without them (None)."""
    with ZipFile(target, "w", ZIP_DEFLATED) as zipped:
        for name, content in {**contents(bundle), **changes}.items():
            if content is not None:
                zipped.writestr(name, content)
    return target


def with_manifest(bundle: Path, target: Path, change: Callable[[dict], None], **files: bytes) -> Path:
    """A bundle whose manifest was changed; `files` are more files, by names in which `__` stands for a slash."""
    manifest = json.loads(contents(bundle)[MANIFEST])
    change(manifest)
    more = {name.replace("__", "/"): content for name, content in files.items()}
    return altered(bundle, target, {MANIFEST: json.dumps(manifest).encode(), **more})


def with_lines(bundle: Path, target: Path, *lines: object) -> Path:
    """A bundle whose generations are these lines and no others."""
    text = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    manifest = json.loads(contents(bundle)[MANIFEST]) | {"generations": len(lines)}
    return altered(bundle, target, {MANIFEST: json.dumps(manifest).encode(), GENERATIONS: text})


def with_entry(bundle: Path, target: Path, entry: ZipInfo, content: bytes = b"x") -> Path:
    """A bundle with one more entry, of any kind."""
    altered(bundle, target, {})
    with ZipFile(target, "a") as zipped:
        zipped.writestr(entry, content)
    return target


def files_below(folder: Path) -> set[str]:
    """The files of a folder, by their paths in it."""
    return {os.path.relpath(path, folder) for path in folder.rglob("*") if not path.is_dir()}

"""What the results of a cohort were made from, and what they were when they were made: a small record of each."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec

from daydreaming.base import atomic
from daydreaming.generation.currency import DONE
from daydreaming.generation.inspection import Inspection
from daydreaming.generation.study import Study
from daydreaming.results.pivots import build_pivot, pivot_texts
from daydreaming.results.score_table import ScoreRow, scores_text, text_digest
from daydreaming.results.scores import trouble_of

_CODE = Path(__file__).parent
_KINDS_OF_CODE = (".css", ".jinja", ".js", ".py")
# A file that was just written may be written once more within the grain of its time.
_GRAIN_NS = 20_000_000


class Result(StrEnum):
    """What is made of a cohort's generations, each by one program and with one record."""

    SCORES = "scores"
    PIVOTS = "pivots"  # they stand in the record of the scores
    STATISTICS = "statistics"
    PREFERENCES = "preferences"
    REPORT = "report"
    PAGES = "pages"
    EXPORT = "export"
    BUNDLE = "bundle"


class FileRecord(msgspec.Struct, frozen=True, array_like=True):
    """A file as it was made. `changed_at_ns` is the time of its inode, which nobody can put back; 0 if not known."""

    sha256: str
    size: int
    changed_at_ns: int


class MadeResult(msgspec.Struct, frozen=True):
    """The files of a result, by their path below the cohort's folder, and the digest of what they were made from."""

    made_from: str
    files: dict[str, FileRecord]


def source_digest(study: Study, inspection: Inspection) -> str:
    """The digest of all that results are made from: generations, tables, scores of readers, the code that makes them.

    Of a generation counts what it is (its state, and why it does not count), its text by its digest, and when it was
    made, by which model and at what cost. Prompts, replies and the journal are not looked at.
    """
    paths, files = study.paths, study.cohort_files
    catalogs = (paths.concepts, paths.models, *(paths.templates(stage) for stage in study.catalogs.templates))
    tables = (files.membership, *catalogs, paths.combos, paths.selected_combos, paths.human_scores)
    parts = [
        _code_digest(),
        f"{paths.root} {study.settings.default_endpoint}",
        *(file_sha256(path) or "" for path in tables),
    ]
    for key, generation in study.membership.generations.items():
        found, state = inspection.found(key), inspection.state(key)
        record = found.record.metadata
        parts.append(f"{state} {found.parsed_sha256} {record.finished_at} {record.cost_usd} {record.served_model}")
        if state not in DONE:
            parts.append(str(trouble_of(study, inspection, generation)))
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def read_made(study: Study, result: Result) -> MadeResult | None:
    """The record of a result; None where there is none that can be read."""
    try:
        return msgspec.json.decode(study.cohort_files.made(result).read_bytes(), type=MadeResult)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def record_made(study: Study, result: Result, made_from: str, paths: Iterable[Path]) -> None:
    """Write down that a result was made, as its files are now. Raises OSError."""
    folder, known = study.cohort_files.folder, read_made(study, result)
    before = known.files if known else {}
    files = {name: _record(folder, name, before.get(name)) for name in (_name(path, folder) for path in paths)}
    _write(study, result, MadeResult(made_from, files))


def record_scores(study: Study, made_from: str, rows: Sequence[ScoreRow]) -> None:
    """Write down what the tables of scores and the pivot tables are to hold. Raises OSError."""
    reports = _name(study.cohort_files.reports, study.cohort_files.folder)
    texts = {study.cohort_files.scores.name: scores_text(rows), **pivot_texts(build_pivot(rows))}
    files = {f"{reports}/{name}": FileRecord(text_digest(text), 0, 0) for name, text in texts.items()}
    _write(study, Result.SCORES, MadeResult(made_from, files))


def changed_files(study: Study, made: MadeResult) -> Iterator[Path]:
    """The files of a result that are not there, or not as they were made, whatever their times say."""
    folder = study.cohort_files.folder
    for name, record in made.files.items():
        path = f"{folder}/{name}"
        try:
            found = os.stat(path)  # noqa: PTH116  (Path.stat takes longer than the system call, and there are many)
        except OSError:
            yield Path(path)
            continue
        if record.changed_at_ns == found.st_ctime_ns and record.size == found.st_size:
            continue
        if file_sha256(path) != record.sha256:
            yield Path(path)


def unchanged_files(study: Study, result: Result) -> frozenset[Path]:
    """The files of a result that are as they were made; none where nothing was recorded."""
    made = read_made(study, result)
    if made is None:
        return frozenset()
    folder = study.cohort_files.folder
    return frozenset(folder / name for name in made.files).difference(changed_files(study, made))


def _write(study: Study, result: Result, made: MadeResult) -> None:
    atomic.write_bytes(study.cohort_files.made(result), msgspec.json.encode(made))


def _record(folder: Path, name: str, known: FileRecord | None) -> FileRecord:
    path, now = folder / name, time.time_ns()
    found = path.stat()
    changed_at_ns = found.st_ctime_ns
    if known is not None and (known.size, known.changed_at_ns) == (found.st_size, changed_at_ns):
        return known
    settled = now - changed_at_ns > _GRAIN_NS
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return FileRecord(sha256, found.st_size, changed_at_ns if settled else 0)


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _code_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in _CODE.rglob("*") if path.suffix in _KINDS_OF_CODE):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def file_sha256(path: Path | str) -> str | None:
    """The SHA-256 of a file; None where it cannot be read."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123  (there are many)
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None

"""The folder of a cohort's pages: made, kept in step with the cohort, packed to be mailed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import msgspec

from daydreaming.base import atomic
from daydreaming.base.temporary_files import temporary_name
from daydreaming.generation.inspection import Inspection, inspect_cohort
from daydreaming.generation.study import Study
from daydreaming.inputs.templates import load_template_text
from daydreaming.results.labels import rubrics
from daydreaming.results.made_results import Result, unchanged_files
from daydreaming.results.pages.essay_plans import EssayPlan, plan_essays
from daydreaming.results.pages.essay_texts import EssayTexts, read_texts, texts_digest
from daydreaming.results.pages.list_data import ListedEssay, list_files
from daydreaming.results.pages.pairs import pair_files, with_opponents
from daydreaming.results.pages.places import find_places
from daydreaming.results.pages.rendering import essay_files, page_of, title_of
from daydreaming.results.pages.shown_text import visible
from daydreaming.results.pages.word_index import WordIndex, words_of
from daydreaming.results.score_table import ScoreRow
from daydreaming.results.verdicts.verdict_table import VerdictRow

RECORD = "pages.json"
# Everything in these folders is ours: what no page needs any more is deleted there.
_FOLDERS = ("assets", "data", "essays", "long", "pairs", "sources", "texts", "words")
_CODE = Path(__file__).parent
_ASSETS = _CODE / "assets"
_PAGES = ("index.html", "compare.html", "blind.html")
# Starting processes takes longer than making so few pages.
_FEWEST_FOR_PROCESSES = 300
_ESSAYS_AT_A_TIME = 20
_MOST_PROCESSES = 8
_LONGEST_RUBRIC = 20_000  # characters


class EssayRecord(msgspec.Struct, frozen=True):
    """What an essay's files were made from (a digest), and their sizes in bytes by path."""

    digest: str
    files: dict[str, int]


class FolderRecord(msgspec.Struct, frozen=True):
    """What the pages of a folder were made from, essay by essay."""

    essays: dict[str, EssayRecord]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the pages of a cohort."""

    index: Path
    essays: int
    remade: int
    files: Sequence[Path]


@dataclass(frozen=True, slots=True)
class _Made:
    """What came of one essay: its record, its part of the list, its words, and whether its files were made anew."""

    record: EssayRecord
    listed: ListedEssay
    words: str
    is_new: bool


def write_reading_pages(
    study: Study,
    rows: Sequence[ScoreRow],
    processes: int | None = None,
    inspection: Inspection | None = None,
    verdicts: Sequence[VerdictRow] = (),
) -> Written:
    """Write the pages of a cohort whose tables have these scores and verdicts to the folder `reports/read`.

    The pages of an essay are made again only where something that they show has changed. The same data give the same
    files. `processes` (default: one for each core, 8 at most) share the work on many essays; `inspection` is
    a look at the cohort's texts, where there was one. Raises OSError, and InputError for a table that contradicts
    itself.
    """
    folder = study.cohort_files.reading_pages
    folder.mkdir(parents=True, exist_ok=True)
    plans = plan_essays(study, rows, inspection or inspect_cohort(study), find_places(rows))
    plans = with_opponents(plans, verdicts)
    known, code = _read_record(folder / RECORD), _code_digest()
    # A page that somebody edited is no page of ours, whatever its size.
    unedited = unchanged_files(study, Result.PAGES)
    kept = {gen_id: one for gen_id, one in known.essays.items() if all(folder / name in unedited for name in one.files)}
    jobs = [(plan, kept.get(plan.gen_id)) for plan in plans]
    make = partial(_make_essay, folder, study.membership.cohort_id, code)
    index = WordIndex()
    made: dict[str, _Made] = {}
    for plan, one in zip(plans, _mapped(make, jobs, processes), strict=True):
        index.add(plan.number, one.words.split(" ") if one.words else ())
        made[plan.gen_id] = one
    listed = {gen_id: one.listed for gen_id, one in made.items()}
    shared = _shared_files(study, plans, listed, index)
    shared |= {name: _encoded(text) for name, text in pair_files(plans, verdicts).items()}
    for name, content in shared.items():
        _write(folder / name, content)
    records = {gen_id: one.record for gen_id, one in made.items()}
    names = {*shared, *(name for record in records.values() for name in record.files)}
    _remove_others(folder, names)
    atomic.write_bytes(folder / RECORD, msgspec.json.encode(FolderRecord(records)))
    files = [folder / name for name in sorted(names)]
    return Written(study.cohort_files.reading_index, len(plans), sum(one.is_new for one in made.values()), files)


def pack(folder: Path, report: Path | None = None) -> Path:
    """Pack the pages of a folder into a ZIP file beside it, to be mailed; the same pages give the same bytes.

    With the `report`, whose links to the pages then work, and theirs to it.
    """
    from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

    packed = folder.with_suffix(".zip")
    temporary = packed.with_name(temporary_name(packed.name))
    with ZipFile(temporary, "w", ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".tmp"):
            if path != folder / RECORD:
                name = ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}")
                archive.writestr(name, path.read_bytes(), ZIP_DEFLATED)
        if report is not None:
            archive.writestr(ZipInfo(report.name), report.read_bytes(), ZIP_DEFLATED)
    temporary.replace(packed)
    return packed


def _make_essay(folder: Path, cohort_id: str, code: str, job: tuple[EssayPlan, EssayRecord | None]) -> _Made:
    plan, known = job
    texts = read_texts(plan)
    digest = hashlib.sha256(f"{code} {cohort_id} {texts_digest(plan, texts)}".encode()).hexdigest()
    listed = ListedEssay(title_of(texts.essay.parsed), texts.essay.parsed_sha256 if texts.essay.parsed else "")
    words = " ".join(sorted(words_of(_searched(plan, texts))))
    if known is not None and known.digest == digest and _are_there(folder, known.files):
        return _Made(known, listed, words, is_new=False)
    files = {name: _encoded(text) for name, text in essay_files(cohort_id, plan, texts).items()}
    for name, content in files.items():
        _write(folder / name, content)
    return _Made(EssayRecord(digest, {name: len(content) for name, content in files.items()}), listed, words, True)


def _searched(plan: EssayPlan, texts: EssayTexts) -> str:
    written = (*texts.before, texts.essay, *texts.after)
    parts = [plan.gen_id, *plan.concepts, *(one.parsed for one in written)]
    return "\n".join([*parts, *(one.judgement for one in texts.evaluations)])


def _shared_files(
    study: Study, plans: Sequence[EssayPlan], listed: Mapping[str, ListedEssay], index: WordIndex
) -> dict[str, bytes]:
    cohort_id = study.membership.cohort_id
    files = {f"assets/{path.name}": path.read_bytes() for path in sorted(_ASSETS.iterdir()) if path.is_file()}
    used = dict.fromkeys(one.label for plan in plans for one in plan.evaluations)
    templates = rubrics(study.catalogs, study.membership.stages)
    shown = {name: visible(load_template_text(templates[name])[:_LONGEST_RUBRIC]) for name in used}
    data = list_files(cohort_id, plans, listed, index.parts(), shown, {name: templates[name].scale for name in used})
    parts = [name for name in data if name.startswith("data/essays-")]
    files |= {name: _encoded(text) for name, text in data.items()}
    return files | {name: _encoded(page_of(f"{name}.jinja", cohort_id=cohort_id, parts=parts)) for name in _PAGES}


def _mapped(
    make: partial[_Made], jobs: list[tuple[EssayPlan, EssayRecord | None]], processes: int | None
) -> Iterable[_Made]:
    processes = processes or min(os.cpu_count() or 1, _MOST_PROCESSES)
    if processes == 1 or len(jobs) < _FEWEST_FOR_PROCESSES:
        yield from map(make, jobs)
        return
    # Not forked: the caller may have threads.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(make, jobs, chunksize=_ESSAYS_AT_A_TIME)


def _read_record(path: Path) -> FolderRecord:
    try:
        return msgspec.json.decode(path.read_bytes(), type=FolderRecord)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return FolderRecord({})  # then everything is made anew


def _are_there(folder: Path, files: Mapping[str, int]) -> bool:
    try:
        return all((folder / name).stat().st_size == size for name, size in files.items())
    except OSError:
        return False


def _code_digest() -> str:
    """A digest of what decides how a page of an essay looks besides its data: this code, and what renders Markdown."""
    digest = hashlib.sha256(version("markdown-it-py").encode())
    for path in sorted([*_CODE.glob("*.py"), *_CODE.glob("*.jinja")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _remove_others(folder: Path, expected: set[str]) -> None:
    for name in _FOLDERS:
        for path in (folder / name).glob("*"):
            if f"{name}/{path.name}" not in expected and path.is_file():
                path.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    """Replace a file in one step where its content is another one.

    Without a wait for the disk: pages can be made again, and the sizes in the record tell which a power loss took.
    """
    try:
        if path.stat().st_size == len(content) and path.read_bytes() == content:
            return
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(temporary_name(path.name))
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _encoded(text: str) -> bytes:
    """A page's text as UTF-8; lone surrogates are marked before, and what is left of them elsewhere is replaced."""
    return text.encode("utf-8", errors="replace")

"""What a purge would move to the archive: generations that no cohort lists, replies that no generation uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from daydreaming.base.errors import Fault, GenerationError, InputError
from daydreaming.base.paths import DataPaths
from daydreaming.cohort.chains import selected_chains
from daydreaming.cohort.membership import read_generations
from daydreaming.inputs.stages import DEFAULT_STAGES, StageTable
from daydreaming.inputs.tables import gathering
from daydreaming.ledger.metadata import read_metadata
from daydreaming.ledger.stored_answers import from_file

Key = tuple[str, str]
GENERATION, REPLY, KEPT_TEXT = "generation", "reply", "kept text"


@dataclass(frozen=True, slots=True)
class Item:
    """Something to be moved: a folder or a file, its size, why it goes, and what it cost (US dollars) if it says so."""

    kind: str
    path: Path
    size_bytes: int
    reason: str
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """What would be moved, in this order; `unreadable` are stored replies that stay: nobody can say whose they are."""

    items: tuple[Item, ...]
    unreadable: tuple[Path, ...]


def plan_purge(paths: DataPaths, stages: StageTable = DEFAULT_STAGES) -> PurgePlan:
    """Find what no cohort needs. Writes nothing. `stages` are those by which selected_essays.txt is read.

    A generation stays if a membership of any cohort lists it, or if selected_essays.txt chooses its chain. A reply
    stays if the record of a generation that stays names it, or if it was asked for one that a cohort lists, whatever
    was asked: what an edit made useless, the next edit may need again.
    Raises InputError for tables that cannot be read, and where there is no cohort at all; OSError.
    """
    listed = _listed(paths, stages)
    generations = [(key, folder) for key, folder in _generations(paths) if key not in listed]
    items = [_generation(folder) for _, folder in generations]
    used = {
        record.request_sha256
        for key, folder in _generations(paths)
        if key in listed and (record := read_metadata(folder / "metadata.json").metadata).request_sha256
    }
    unreadable: list[Path] = []
    items += _replies(paths, used, listed, unreadable)
    items += _kept_texts(paths, listed)
    return PurgePlan(tuple(items), tuple(unreadable))


def _listed(paths: DataPaths, stages: StageTable) -> set[Key]:
    """The generations that a cohort lists or a selection chooses. Raises InputError."""
    faults: list[Fault] = []
    listed: set[Key] = set()
    tables = sorted(paths.cohorts.glob("*/membership.csv"))
    for table in tables:
        with gathering(faults):
            listed |= {(row.stage, row.gen_id) for row in read_generations(table)}
    if paths.selected_essays.is_file():
        with gathering(faults):
            listed |= {(row.stage, row.gen_id) for _, row in selected_chains(paths, stages)}
    if not tables:
        problem = "there is no membership.csv of any cohort here: all generations would go."
        faults.append(Fault(str(paths.cohorts), problem, "Build the cohorts that are to stay first."))
    if faults:
        raise InputError(faults)
    return listed


def _generations(paths: DataPaths) -> Iterator[tuple[Key, Path]]:
    for stage in paths.stages_on_disk():
        for folder in _entries(paths.gens / stage):
            if folder.is_dir():
                yield (stage, folder.name), folder


def _generation(folder: Path) -> Item:
    came_from = read_metadata(folder / "metadata.json").metadata.imported_from
    reason = "no cohort lists it" if came_from is None else "no cohort lists it; it was brought in"
    return Item(GENERATION, folder, _size(folder), reason)


def _replies(paths: DataPaths, used: set[str], listed: set[Key], unreadable: list[Path]) -> Iterator[Item]:
    """The replies, with their receipts, of requests that nothing uses; all files of a request go or stay together."""
    for folder in _entries(paths.replies):
        if len(folder.name) != 2 or not folder.is_dir():
            continue
        files = [path for path in _entries(folder) if path.suffix in (".json", ".receipt")]
        for request_sha256, group in groupby(files, key=lambda path: path.name.partition(".")[0]):
            of_request = list(group)
            if request_sha256 in used:
                continue
            try:
                yield from _unused(request_sha256, of_request, listed)
            except GenerationError:
                unreadable += of_request


def _unused(request_sha256: str, files: Iterable[Path], listed: set[Key]) -> list[Item]:
    """What goes of the files of a request: all or nothing. Raises GenerationError for one that is no stored answer."""
    items = []
    for path in files:
        content = path.read_bytes()
        if not content.strip(b"\0"):
            continue
        answer = from_file(path, content, request_sha256)
        if (answer.account.get("stage"), answer.account.get("gen_id")) in listed:
            return []
        cost = (answer.reply or {}).get("cost_usd")
        paid = "and it cost money" if cost else "and it cost nothing" if cost == 0 else "and its cost is not known"
        items.append(Item(REPLY, path, len(content), f"no generation uses it, {paid}", cost))
    return items


def _kept_texts(paths: DataPaths, listed: set[Key]) -> Iterator[Item]:
    """The texts that were kept before a run replaced or adopted them, of generations that no cohort lists."""
    for stage in paths.stages_on_disk():
        for folder in _entries(paths.adopted_texts / stage):
            if folder.is_dir() and (stage, folder.name) not in listed:
                yield Item(KEPT_TEXT, folder, _size(folder), "of a generation that no cohort lists")


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

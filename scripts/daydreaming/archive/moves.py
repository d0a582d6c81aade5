"""Moving to the archive and back: by renaming, one thing after the other, so that a kill leaves each in one place.

So does a power loss: the folders that get a name are on the disk before those that lose it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from daydreaming.archive.purge_plan import Item
from daydreaming.base.atomic import make_folder, sync_folder, write_text
from daydreaming.base.paths import DataPaths
from daydreaming.inputs.tables import with_rows

COLUMNS = ("moved_at", "kind", "path", "archived_as", "bytes", "cost_usd", "reason")
# No id has this in it: what follows is the number of a later thing of the same name.
_NUMBER = "~"


def move_to_archive(paths: DataPaths, items: Iterable[Item]) -> None:
    """Move things to `data/archive`, in the folders in which they lay, and write down which and why.

    What an earlier purge moved under the same name stays; the later one gets a number. Raises OSError, also where the
    archive lies on another file system.
    """
    moves = [(item, _free(paths.archived(item.path))) for item in items]
    if not moves:
        return
    # Written down before it goes: what a list of moves has too much can be seen, what it lacks cannot.
    rows = [_row(paths, item, target) for item, target in moves]
    write_text(paths.archive_list, with_rows(paths.archive_list, COLUMNS, rows))
    _move([(item.path, target) for item, target in moves])


def restore(paths: DataPaths) -> tuple[list[Path], list[Path]]:
    """Move all that is archived back to where it lay; return what came back, and what has another in its place.

    That stays in the archive. Raises OSError.
    """
    moves: dict[Path, Path] = {}
    stays = []
    for archived in _archived(paths):
        home = paths.root / archived.relative_to(paths.archive)
        home = home.with_name(home.name.partition(_NUMBER)[0])
        if home in moves or home.exists():
            stays.append(archived)
        else:
            moves[home] = archived
    _move([(archived, home) for home, archived in moves.items()])
    return list(moves), stays


def _move(moves: Collection[tuple[Path, Path]]) -> None:
    """Rename each of the first to the second, which is not there. Raises OSError."""
    for folder in {target.parent for _, target in moves}:
        for changed in make_folder(folder):
            sync_folder(changed)
    for source, target in moves:
        source.rename(target)
    # A name that is in both folders after a power loss can be seen; one that is in neither is a lost reply.
    folders = [target.parent for _, target in moves] + [source.parent for source, _ in moves]
    for folder in dict.fromkeys(folders):
        sync_folder(folder)


def _archived(paths: DataPaths) -> Iterable[Path]:
    """All that is archived, the first of each name first."""
    places = [paths.archived(paths.gens / stage) for stage in paths.stages_on_disk()]
    places += [paths.archived(paths.adopted_texts / stage) for stage in paths.stages_on_disk()]
    replies = paths.archived(paths.replies)
    if replies.is_dir():
        places += sorted(folder for folder in replies.iterdir() if len(folder.name) == 2)
    for place in places:
        if place.is_dir():
            yield from sorted(place.iterdir(), key=lambda path: (len(path.name), path.name))


def _free(path: Path) -> Path:
    """The place in the archive, or the first numbered one that is free."""
    if not path.exists():
        return path
    return next(place for number in count(2) if not (place := path.with_name(f"{path.name}{_NUMBER}{number}")).exists())


def _row(paths: DataPaths, item: Item, target: Path) -> dict[str, object]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    cost = "" if item.cost_usd is None else item.cost_usd
    where = (item.path.relative_to(paths.root).as_posix(), target.relative_to(paths.root).as_posix())
    return dict(zip(COLUMNS, (now, item.kind, *where, item.size_bytes, cost, item.reason), strict=True))

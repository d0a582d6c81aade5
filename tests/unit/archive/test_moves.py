"""Moving to the archive and back, whenever it is killed or the power goes: nothing is lost, doubled or overwritten."""

from __future__ import annotations

import csv
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from daydreaming.archive.moves import move_to_archive, restore
from daydreaming.archive.purge_plan import GENERATION, REPLY, Item
from daydreaming.base.paths import DataPaths

REPLIES = ("ab" * 32, "cd" * 32)
NUMBER_OF_THINGS = 4


@pytest.fixture
def paths(tmp_path: Path) -> DataPaths:
    """Two generations and two replies, each with a text of its own."""
    paths = DataPaths(tmp_path.resolve() / "data")
    texts = [paths.generation("draft", gen_id).parsed for gen_id in ("a", "b")]
    for path in [*texts, *map(paths.reply, REPLIES)]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"What {path.parent.name}/{path.name} says.")
    return paths


def things(paths: DataPaths) -> list[Item]:
    generations = [Item(GENERATION, folder, 1, "no cohort lists it") for folder in sorted(paths.gens.glob("*/*"))]
    return generations + [Item(REPLY, path, 1, "no generation uses it") for path in sorted(paths.replies.glob("*/*"))]


def files(paths: DataPaths) -> dict[Path, str]:
    """What each file says, but the list of what was moved."""
    found = [path for path in paths.root.rglob("*") if path.is_file() and path != paths.archive_list]
    return {path: path.read_text() for path in found}


def archived(paths: DataPaths) -> set[str]:
    places = [*paths.archive.glob("gens/*/*"), *paths.archive.glob("replies/*/*")]
    return {path.relative_to(paths.root).as_posix() for path in places}


def listed(paths: DataPaths) -> set[str]:
    return {row["archived_as"] for row in csv.DictReader(paths.archive_list.read_text().splitlines())}


def killed(monkeypatch: pytest.MonkeyPatch, after: int, move: Callable[[], object]) -> None:
    """Move things, and be killed after so many of them."""
    rename, moved = Path.rename, []

    def rename_or_die(self: Path, target: Path) -> Path:
        if len(moved) == after:
            raise KeyboardInterrupt
        moved.append(target)
        return rename(self, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", rename_or_die)
        move()


@pytest.mark.parametrize("after", range(NUMBER_OF_THINGS))
def test_killed_on_its_way_it_has_lost_nothing_has_listed_all_and_goes_on(
    paths: DataPaths, monkeypatch: pytest.MonkeyPatch, after: int
):
    before = files(paths)
    killed(monkeypatch, after, lambda: move_to_archive(paths, things(paths)))
    assert (len(archived(paths)), len(things(paths))) == (after, NUMBER_OF_THINGS - after)
    assert archived(paths) <= listed(paths)
    assert Counter(files(paths).values()) == Counter(before.values())
    move_to_archive(paths, things(paths))
    assert archived(paths) == listed(paths)
    assert (things(paths), len(archived(paths))) == ([], NUMBER_OF_THINGS)
    killed(monkeypatch, after, lambda: restore(paths))
    assert Counter(files(paths).values()) == Counter(before.values())
    back, stays = restore(paths)
    assert (len(back), stays) == (NUMBER_OF_THINGS - after, [])
    assert files(paths) == before


def test_what_cannot_be_listed_is_not_moved(paths: DataPaths):
    before = files(paths)
    paths.archive_list.mkdir(parents=True)
    with pytest.raises(OSError, match="Is a directory"):
        move_to_archive(paths, things(paths))
    assert files(paths) == before


def test_the_places_of_what_is_moved_are_on_the_disk_before_it_is_gone_from_where_it_lay(
    paths: DataPaths, monkeypatch: pytest.MonkeyPatch
):
    steps: list[Path | None] = []  # the folders that are synchronized, and None for each thing that is renamed
    rename, fsync = Path.rename, os.fsync

    def renamed(self: Path, target: Path) -> Path:
        steps.append(None)
        return rename(self, target)

    def synchronized(descriptor: int) -> None:
        fsync(descriptor)
        steps.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr(Path, "rename", renamed)
    monkeypatch.setattr(os, "fsync", synchronized)
    homes = [paths.gens / "draft", *(paths.reply(name).parent for name in REPLIES)]
    places = [paths.archived(home) for home in homes]

    def check(new: list[Path], old: list[Path]) -> None:
        first = steps.index(None)
        assert steps[first : first + NUMBER_OF_THINGS] == [None] * NUMBER_OF_THINGS
        before, after = steps[:first], steps[first + NUMBER_OF_THINGS :]
        assert {folder.parent for folder in new} | {folder.parent.parent for folder in new} <= set(before)
        assert (set(after[: len(new)]), set(after[len(new) :])) == (set(new), set(old))

    move_to_archive(paths, things(paths))
    check(places, homes)
    for home in homes:
        home.rmdir()
    for folder in (paths.gens, paths.replies):
        folder.rmdir()
    steps.clear()
    restore(paths)
    check(homes, places)


def test_what_has_another_in_its_place_is_not_written_over(paths: DataPaths):
    home = paths.reply(REPLIES[0])
    for text in ("first", "second"):
        home.parent.mkdir(exist_ok=True)
        home.write_text(text)
        move_to_archive(paths, things(paths))
    place = paths.archived(home)
    assert (place.read_text(), place.with_name(f"{home.name}~2").read_text()) == ("first", "second")
    home.write_text("third")
    _, stays = restore(paths)
    assert (home.read_text(), stays) == ("third", [place, place.with_name(f"{home.name}~2")])
    home.unlink()
    back, stays = restore(paths)
    assert (back, home.read_text(), stays) == ([home], "first", [place.with_name(f"{home.name}~2")])


def test_of_several_with_one_name_the_first_comes_back(paths: DataPaths):
    home = paths.gens / "draft/a"
    shutil.rmtree(home)
    for number in range(11, 1, -1):
        later = paths.archived(home).with_name(f"a~{number}")
        later.mkdir(parents=True)
        (later / "parsed.txt").write_text(f"Number {number}.")
    back, stays = restore(paths)
    assert (back, (home / "parsed.txt").read_text()) == ([home], "Number 2.")
    assert [path.name for path in stays] == [f"a~{number}" for number in range(3, 12)]

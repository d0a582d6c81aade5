"""What a purge moves, what it leaves, and that nothing of it is lost or paid for again."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from core_fixtures import reply, settings_for
from runner_fixtures import Project

from daydreaming.archive.moves import move_to_archive, restore
from daydreaming.archive.purge_plan import GENERATION, KEPT_TEXT, REPLY, Item, PurgePlan, plan_purge
from daydreaming.base.data_in_use import data_at_rest
from daydreaming.base.errors import InputError
from daydreaming.base.paths import DataPaths
from daydreaming.cohort.membership import write_membership
from daydreaming.generation.runner import Runner
from daydreaming.generation.specification import CallSpecification
from daydreaming.inputs.records import Generation
from daydreaming.inputs.setting_models import StageSettings
from daydreaming.ledger.replies import ReplyStore


@pytest.fixture
def paths(project: Project) -> DataPaths:
    return DataPaths(project.root)


def draft(project: Project, gen_id: str, **changes: object) -> CallSpecification:
    """A draft whose request is its own: another replicate is another sample."""
    return project.specification("draft", gen_id=gen_id, **{"replicate": len(gen_id), **changes})


def essay(project: Project, parent: str) -> CallSpecification:
    replicate = len(parent)
    return project.specification("essay", gen_id=f"essay-{parent}", parent_gen_id=parent, replicate=replicate)


def list_in_cohort(paths: DataPaths, *gen_ids: str, cohort: str = "cohort") -> None:
    rows = [Generation("draft", gen_id, cohort, "", "combo-1", "draft-template", "writer") for gen_id in gen_ids]
    # What the fixture wrote as parents is listed, too: these tests are about drafts of their own.
    rows += [
        Generation("draft", "parent-1", cohort, "", "combo-1", "draft-template", "writer"),
        Generation("essay", "parent-1", cohort, "parent-1", "", "essay-template", "writer"),
    ]
    write_membership(paths.cohort(cohort).membership, rows)


def purge(paths: DataPaths) -> PurgePlan:
    plan = plan_purge(paths)
    move_to_archive(paths, plan.items)
    return plan


def names(plan: PurgePlan, kind: str) -> list[str]:
    return [item.path.name for item in plan.items if item.kind == kind]


def contents(folder: Path) -> Counter[str]:
    """How often each content is there, wherever it lies."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".lock", ".csv")]
    return Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)


def test_what_no_cohort_lists_goes_with_its_reply_and_comes_back(project: Project, paths: DataPaths):
    for gen_id in ("a", "bb"):
        project.run(draft(project, gen_id))
    list_in_cohort(paths, "a")
    before, files = contents(paths.root), sorted(paths.root.rglob("*"))
    plan = purge(paths)
    assert (names(plan, GENERATION), len(names(plan, REPLY))) == (["bb"], 1)
    assert not (paths.gens / "draft/bb").exists()
    assert (paths.archive / "gens/draft/bb/parsed.txt").exists()
    assert (paths.gens / "draft/a/parsed.txt").exists()
    assert contents(paths.root) == before
    assert plan_purge(paths).items == ()
    back, stays = restore(paths)
    assert (len(back), stays) == (2, [])
    assert [path for path in sorted(paths.root.rglob("*")) if paths.archive not in (path, *path.parents)] == files


def test_what_a_stage_left_that_the_study_no_longer_has_goes_unless_a_cohort_lists_it(paths: DataPaths):
    for gen_id in ("kept", "gone"):
        for place in (paths.gens, paths.adopted_texts):
            (place / "critique" / gen_id).mkdir(parents=True)
            (place / "critique" / gen_id / "parsed.txt").write_text(f"{place.name} of {gen_id}")
    rows = [Generation("critique", "kept", "cohort", "parent-1", "", "weak", "writer")]
    write_membership(paths.cohort("cohort").membership, rows)
    before = contents(paths.root)
    plan = purge(paths)
    assert "gone" in names(plan, GENERATION)
    assert "kept" not in names(plan, GENERATION)
    assert names(plan, KEPT_TEXT) == ["gone"]
    assert contents(paths.root) == before
    _, stays = restore(paths)
    assert stays == []
    assert (paths.gens / "critique/gone/parsed.txt").read_text() == "gens of gone"


def test_each_item_says_how_large_it_is_why_it_goes_and_what_was_paid(project: Project, paths: DataPaths):
    project.run(draft(project, "bb"))
    list_in_cohort(paths, "a")
    generation, reply = plan_purge(paths).items
    folder = paths.gens / "draft/bb"
    assert generation.size_bytes == sum(path.stat().st_size for path in folder.iterdir())
    assert generation.reason == "no cohort lists it"
    assert reply.reason == "no generation uses it, and it cost money"
    assert reply.cost_usd == json.loads(reply.path.read_text())["reply"]["cost_usd"] > 0
    purge(paths)
    (first, second) = csv.DictReader(paths.archive_list.read_text(encoding="utf-8").splitlines())
    assert (first["path"], first["archived_as"]) == ("gens/draft/bb", "archive/gens/draft/bb")
    assert (first["kind"], first["cost_usd"]) == ("generation", "")
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(first["moved_at"]) < timedelta(hours=1)
    assert (second["kind"], float(second["cost_usd"])) == ("reply", reply.cost_usd)


@pytest.mark.parametrize(
    ("cost", "paid"),
    [(0.01, "and it cost money"), (0.0, "and it cost nothing"), (None, "and its cost is not known")],
)
def test_a_reply_says_what_was_paid_for_it(paths: DataPaths, cost: float | None, paid: str):
    name = "ab" * 32
    ReplyStore(paths).adopt(reply(name, cost_usd=cost), source="raw.txt")
    # A power loss in the moment in which an answer came leaves this: nothing to move, and nothing that cannot be read.
    paths.reply(name).with_name(f"{name}.1.receipt").write_bytes(b"\0\0")
    list_in_cohort(paths, "a")
    plan = plan_purge(paths)
    assert [(item.reason, item.cost_usd) for item in plan.items] == [(f"no generation uses it, {paid}", cost)]
    assert plan.unreadable == ()


def test_a_reply_of_what_was_asked_before_stays_while_its_generation_is_listed(project: Project, paths: DataPaths):
    project.run(draft(project, "a"))
    project.run(draft(project, "a", sampling=StageSettings(temperature=0.9, max_tokens=1000)))
    list_in_cohort(paths, "a")
    assert len(project.stored()) == 2
    assert plan_purge(paths).items == ()


def test_a_reply_that_two_generations_use_stays_for_the_one_that_stays(project: Project, paths: DataPaths):
    project.run(draft(project, "gone", replicate=1))
    project.run(draft(project, "kept", replicate=1))
    list_in_cohort(paths, "kept")
    plan = purge(paths)
    assert (names(plan, GENERATION), names(plan, REPLY)) == (["gone"], [])


def test_what_was_archived_is_not_paid_for_again(project: Project, paths: DataPaths, provider):
    project.run(draft(project, "gone", replicate=1))
    list_in_cohort(paths, "later")
    purge(paths)
    calls = provider.calls
    outcome = project.run(draft(project, "later", replicate=1))
    assert provider.calls == calls
    assert outcome.reused


def test_the_generations_of_every_cohort_and_of_the_selection_stay(project: Project, paths: DataPaths):
    for gen_id in ("a", "bb"):
        project.run(draft(project, gen_id))
    list_in_cohort(paths, "a")
    list_in_cohort(paths, "bb", cohort="second")
    assert plan_purge(paths).items == ()


def test_the_chain_of_a_selected_essay_stays_and_a_selection_that_cannot_be_read_stops_it(
    project: Project, paths: DataPaths
):
    for gen_id in ("chosen", "gone"):
        project.run(draft(project, gen_id))
        project.run(essay(project, gen_id))
    list_in_cohort(paths, "a")
    paths.selected_essays.parent.mkdir(parents=True)
    paths.selected_essays.write_text("essay-chosen\n")
    plan = purge(paths)
    assert (names(plan, GENERATION), len(names(plan, REPLY))) == (["gone", "essay-gone"], 2)
    paths.selected_essays.write_text("essay-unknown\n")
    with pytest.raises(InputError, match="'essay-unknown' cannot be rebuilt"):
        plan_purge(paths)


def test_what_is_no_generation_and_no_reply_stays(project: Project, paths: DataPaths):
    project.run(draft(project, "a"))
    list_in_cohort(paths, "a")
    (stored,) = project.stored()
    others = [
        paths.replies / "notes/aa.json",
        paths.replies / "ab",
        stored.parent / "notes.txt",
        paths.gens / "draft/notes.txt",
        paths.adopted_texts / "draft/notes.txt",
    ]
    for path in others:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    plan = purge(paths)
    assert (plan, [path.read_text() for path in others]) == (PurgePlan((), ()), ["mine"] * len(others))


def test_a_table_that_cannot_be_read_stops_it(project: Project, paths: DataPaths):
    project.run(draft(project, "bb"))
    list_in_cohort(paths, "a")
    table = paths.cohort("second").membership
    table.parent.mkdir()
    table.write_text("gen_id\nbb\n")
    with pytest.raises(InputError, match=r"second/membership.csv, row 1, column 'stage'"):
        plan_purge(paths)


def test_without_any_cohort_nothing_goes(project: Project, paths: DataPaths):
    project.run(draft(project, "bb"))
    with pytest.raises(InputError, match="all generations would go"):
        plan_purge(paths)


def test_a_reply_that_was_edited_stays(project: Project, paths: DataPaths):
    project.run(draft(project, "bb"))
    list_in_cohort(paths, "a")
    (stored,) = project.stored()
    stored.write_text(stored.read_text().replace("acme/writer", "acme/other"))
    plan = purge(paths)
    assert (names(plan, REPLY), plan.unreadable) == ([], (stored,))
    assert stored.exists()


def test_texts_that_were_kept_go_with_their_generation(project: Project, paths: DataPaths):
    project.run(draft(project, "bb"))
    kept = paths.adopted_texts / "draft/bb/0.json"
    kept.parent.mkdir(parents=True)
    kept.write_text("{}")
    list_in_cohort(paths, "bb")
    assert plan_purge(paths).items == ()
    list_in_cohort(paths, "a")
    assert names(purge(paths), KEPT_TEXT) == ["bb"]
    assert (paths.archive / "replies/adopted/draft/bb/0.json").exists()
    restore(paths)
    assert kept.read_text() == "{}"


def test_what_was_moved_survives_a_power_loss_and_comes_back_where_its_folder_is_gone(
    project: Project, paths: DataPaths, monkeypatch: pytest.MonkeyPatch
):
    project.run(draft(project, "bb"))
    list_in_cohort(paths, "a")
    (reply_file,) = project.stored()
    synchronized: set[int] = set()
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        fsync(descriptor)
        synchronized.add(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", watched)
    purge(paths)
    archived = paths.archived(reply_file)
    assert {folder.stat().st_ino for folder in (reply_file.parent, archived.parent)} <= synchronized
    reply_file.parent.rmdir()
    synchronized.clear()
    restore(paths)
    assert reply_file.exists()
    assert {reply_file.parent.stat().st_ino, (paths.gens / "draft").stat().st_ino} <= synchronized


def test_a_later_purge_of_the_same_name_keeps_both_and_the_first_comes_back(project: Project, paths: DataPaths):
    list_in_cohort(paths, "a")
    for text in ("first", "second"):
        file = paths.generation("draft", "bb").parsed
        file.parent.mkdir()
        file.write_text(text)
        purge(paths)
    assert {path.name for path in (paths.archive / "gens/draft").iterdir()} == {"bb", "bb~2"}
    back, stays = restore(paths)
    assert (back, stays) == ([paths.gens / "draft/bb"], [paths.archive / "gens/draft/bb~2"])
    assert paths.generation("draft", "bb").parsed.read_text() == "first"


def test_a_purge_that_was_killed_goes_on(project: Project, paths: DataPaths, monkeypatch: pytest.MonkeyPatch):
    for gen_id in ("bb", "ccc"):
        project.run(draft(project, gen_id))
    list_in_cohort(paths, "a")
    before, rename, left = contents(paths.root), Path.rename, [1]

    def killed(self: Path, target: Path) -> Path:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            purge(paths)
    assert contents(paths.root) == before
    purge(paths)
    assert plan_purge(paths).items == ()
    assert contents(paths.root) == before


def test_nothing_is_moved_while_a_process_makes_generations(project: Project, paths: DataPaths):
    runner = Runner(settings_for(project.base_url, data_root=str(project.root)))
    try:
        with pytest.raises(InputError, match="a process makes generations in this data folder"), data_at_rest(paths):
            pass
    finally:
        runner.close()
    with data_at_rest(paths):
        pass


def test_an_item_of_nothing_writes_nothing(paths: DataPaths):
    move_to_archive(paths, list[Item]())
    assert not paths.archive.exists()
